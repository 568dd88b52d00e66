"""Judges mutants quickly: a process that has loaded everything but the core forks for each.

The fork loads the bent core and runs tests that reach the bent line until one fails: first those of
the three files that killed most in that module, or are its own; what survives them meets the rest,
the quickest first.
"""

from __future__ import annotations

import ast
import os
import resource
import select
import signal
import sys
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.mutants.covering import OPTIONS, Covering
from tests.mutants.mutations import source_file
from tests.mutants.tree_copy import ROOT, bent

LOADED_BEFORE = "hypothesis hypothesis.strategies msgspec nacl.bindings trio apsw zlib cryptography"
_MEMORY_BYTES_MAX = 4 * 1_024**3
_FILES_AT_FIRST = 3
_STARVED = 50  # how much longer than its CPU time a mutant may take on a busy machine
_BYTES_SHOWN_MAX = 500
_OF_VALUES = tuple(
    f"tests/protocol/test_{name}.py" for name in ("numbers", "limits", "field_sizes")
)
"""Tests that look at numbers and types as they stand in modules, and run nothing of these."""

_QUICKLY = ("-x", "--tb=no", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_ENDS = (0, 1, 2)  # all pass, one fails, one cannot be loaded


class Verdict(NamedTuple):
    """What became of a mutant: "killed" (by which test), "timed-out", "survived" or "invalid"."""

    outcome: str
    test: str = ""


class Judge:
    """Judges mutants of the copy in which it runs."""

    def __init__(
        self,
        covering: Covering,
        *,
        first_s: float,
        rest_s: float,
        newest: frozenset[str] = frozenset(),
    ) -> None:
        """Spend tests of so many seconds on a mutant at first, and so many if it survives them.

        Tests of the `newest` files come first: a mutant that is tried again has met the others.
        """
        self._covering = covering
        self._newest = newest
        self._first_s, self._rest_s = first_s, rest_s
        self._kills: dict[str, Counter[str]] = {}
        for module in LOADED_BEFORE.split():
            import_module(module)
        assert not any(name.startswith("p2pvalue") for name in sys.modules), (
            "the core is bent later"
        )

    def note_kill(self, module: str, test: str) -> None:
        """Remember which test killed a mutant of a module: it may well kill the next."""
        self._kills.setdefault(module, Counter()).update((test, _file_of(test)))

    def judge(self, module: str, lines: range, source: str) -> Verdict:
        """Return what becomes of a module whose `lines` were bent, which makes it `source`."""
        verdict = Verdict("survived")
        with bent(source_file(ROOT, module), source):
            for part in self._parts(module, lines):
                if part and verdict.outcome == "survived":
                    verdict = self._run(part)
        if verdict.test:
            self.note_kill(module, verdict.test)
        return verdict

    def _parts(self, module: str, lines: range) -> tuple[list[str], list[str]]:
        """Return the tests to run first, of few files since each takes time to load, and then."""
        kills = self._kills.get(module, Counter())
        own = f"test_{module.rpartition('/')[2]}.py"
        statement = statement_line(source_file(ROOT, module), lines[0])
        files: dict[str, list[str]] = {}
        tests_for = self._covering.tests_for(module, lines, statement)
        if not statement:
            tests_for |= {t for t in self._covering.seconds if _file_of(t) in _OF_VALUES}
        for test in tests_for:
            files.setdefault(_file_of(test), []).append(test)

        def rank(file: str) -> tuple[bool, bool, int, bool, int, str]:
            is_old = file not in self._newest
            is_of_values = not statement and file in _OF_VALUES
            return is_old, not is_of_values, -kills[file], own not in file, -len(files[file]), file

        order = sorted(files, key=rank)
        tests = [test for file in order for test in sorted(files[file], key=self._rank(kills))]
        few = [test for test in tests if _file_of(test) in order[:_FILES_AT_FIRST]]
        first = self._take(few, self._first_s)
        rest = [test for test in tests if test not in set(first)]
        return first, self._take(sorted(rest, key=self._rank(kills)), self._rest_s)

    def _rank(self, kills: Counter[str]) -> Callable[[str], tuple[bool, int, float, str]]:
        seconds = self._covering.seconds
        return lambda test: (
            _file_of(test) not in self._newest,
            -kills[test],
            seconds[test],
            test,
        )

    def _take(self, tests: list[str], seconds: float) -> list[str]:
        taken = 0.0
        for count, test in enumerate(tests):
            taken += self._covering.seconds[test]
            if taken > seconds and count:
                return tests[:count]
        return tests

    def _run(self, tests: list[str]) -> Verdict:
        """Run tests in a fork until one fails, for some times as long as they take unbent."""
        limit_s = 8 + 4 * sum(self._covering.seconds[test] for test in tests)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _run_and_exit(tests, writing, int(limit_s))
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            is_ended = bool(select.select([pipe], [], [], _STARVED * limit_s)[0])
            if not is_ended:
                os.killpg(child, signal.SIGKILL)
            said = pipe.read().decode() if is_ended else ""
        _, status = os.waitpid(child, 0)
        if not is_ended or os.WIFSIGNALED(status):
            return Verdict("timed-out")
        code = os.WEXITSTATUS(status)
        assert code in _ENDS, f"pytest itself ended with {code}: {said}"
        return Verdict("killed", said) if code else Verdict("survived")


class _Chosen:
    """A plugin that runs the chosen tests in their order, and says which one failed."""

    def __init__(self, tests: list[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._places]
        items.sort(key=lambda item: self._places[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def _run_and_exit(tests: list[str], writing: int, limit_s: int) -> None:
    """Run tests in this process and end it, without error only if all pass."""
    code, said = -1, ""
    try:
        os.setsid()
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        chosen = _Chosen(tests)
        files = sorted({test.partition("::")[0] for test in tests})
        code = int(pytest.main([*OPTIONS, *_QUICKLY, *files], plugins=[chosen]))
        said = chosen.failed
    except BaseException as error:  # noqa: BLE001 - or this copy of the process would go on
        said = repr(error)
    os.write(writing, said.encode()[:_BYTES_SHOWN_MAX])
    os._exit(code & 0xFF)


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def statement_line(file: Path, line: int) -> int:
    """Return where the innermost statement begins that holds a line; 0 if that runs on loading."""
    best: tuple[int, int] | None = None
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    bodies = [statement for function in functions for statement in function.body]
    for statement in (inner for body in bodies for inner in ast.walk(body)):
        if isinstance(statement, ast.stmt) and statement.lineno <= line <= (
            statement.end_lineno or 0
        ):
            size = (statement.end_lineno or 0) - statement.lineno
            best = min(best or (size, statement.lineno), (size, statement.lineno))
    return best[1] if best else 0
