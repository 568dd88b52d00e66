"""Which test runs which lines of the core, and how long it takes: found once for each copy.

    python -m tests.mutants.covering FILE      in the copy
    python -m tests.mutants.covering FILE BEFORE TEST_FILE ...    the rest as the file BEFORE has it

A mutant needs only the tests that run its line. What runs while a module loads belongs to no test.
"""

from __future__ import annotations

import ast
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest

from tests.mutants.mutations import PACKAGE, modules, source_file
from tests.mutants.tree_copy import ROOT

TESTS = (
    *("tests/protocol", "tests/documents", "tests/needs", "tests/laws", "tests/vectors"),
    "tests/dags",
)
"""The tests of the core, by which it is judged."""

OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=1")


class Covering(NamedTuple):
    """For each module and line the tests that run it; for each test its seconds of CPU."""

    tests_of: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    def tests_for(self, module: str, lines: range, statement: int) -> set[str]:
        """Return the tests that run some lines, or the statement that they are a part of.

        Of what runs on loading, and is no statement (0), all that run the module, or all there are.
        """
        tests_of = self.tests_of.get(module, {})
        if statement:
            found = {test for line in lines for test in tests_of.get(line, ())}
            return found or {*tests_of.get(statement, ())}
        return {test for tests in tests_of.values() for test in tests} or {*self.seconds}


class _Recorder:
    """A plugin that tells coverage which test runs."""

    def __init__(self, measuring: coverage.Coverage) -> None:
        self._measuring = measuring
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._measuring.switch_context(item.nodeid)
        start = time.process_time()
        yield
        self.seconds[item.nodeid] = time.process_time() - start
        self._measuring.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


def read_covering(file: Path) -> Covering:
    """Return what a run of this module wrote."""
    known = json.loads(file.read_text(encoding="utf-8"))
    names: list[str] = known["tests"]
    tests_of = {
        module: {int(line): [names[number] for number in numbers] for line, numbers in rows.items()}
        for module, rows in known["lines"].items()
    }
    return Covering(tests_of, known["seconds"])


def files_affected(root: Path, changed: Iterable[str]) -> list[str]:
    """Return the files of tests of the core that are among changed ones or import one, ascending.

    Files are named by their path below `root`; an import may lead there by others.
    """
    files = [path.relative_to(root).as_posix() for path in (root / "tests").rglob("*.py")]
    imported = {file: _modules_in(root / file) for file in files}
    found, new = set[str](), set(changed)
    while new:
        found |= new
        modules_found = {file.removesuffix(".py").replace("/", ".") for file in found}
        new = {file for file in files if imported[file] & modules_found} - found
    return sorted(
        file for file in found if file.startswith(TESTS) and Path(file).name.startswith("test_")
    )


def _modules_in(file: Path) -> set[str]:
    """Return the modules that a file imports, and what it imports of them, which may be modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.update((node.module, *(f"{node.module}.{one.name}" for one in node.names)))
    return found


def main() -> int:
    """Run the tests of the core with coverage; 1 if none passes."""
    before, anew = sys.argv[2:3], sys.argv[3:]
    measuring = coverage.Coverage(data_file=None, source=[str(ROOT / PACKAGE)], config_file=False)
    recorder = _Recorder(measuring)
    measuring.start()
    pytest.main([*OPTIONS, *(anew or TESTS)], plugins=[recorder])
    measuring.stop()
    for test in recorder.failed:
        print(f"left out, since it fails without any fault: {test}")
        recorder.seconds.pop(test, None)
    if not recorder.seconds:
        return 1
    data = measuring.get_data()
    found = {
        module: {
            line: [test for test in tests if test in recorder.seconds]
            for line, tests in data.contexts_by_lineno(str(source_file(ROOT, module))).items()
        }
        for module in modules(ROOT)
    }
    covering = Covering(found, recorder.seconds)
    if before:
        covering = united(read_covering(Path(before[0])), covering, anew)
    _write(covering, Path(sys.argv[1]))
    return 0


def united(before: Covering, anew: Covering, files: Iterable[str]) -> Covering:
    """Return what was known, with what is known anew of the tests in some files."""
    outdated = set(files)

    def kept(tests: Iterable[str]) -> list[str]:
        return [test for test in tests if test.partition("::")[0] not in outdated]

    lines: dict[str, dict[int, list[str]]] = {}
    for module in sorted({*before.tests_of, *anew.tests_of}):
        old, new = before.tests_of.get(module, {}), anew.tests_of.get(module, {})
        lines[module] = {
            line: [*kept(old.get(line, ())), *new.get(line, ())] for line in sorted({*old, *new})
        }
    seconds = {test: before.seconds[test] for test in kept(before.seconds)}
    return Covering(lines, {**seconds, **anew.seconds})


def _write(covering: Covering, file: Path) -> None:
    names = sorted(covering.seconds)
    numbers = {name: number for number, name in enumerate(names)}
    lines = {
        module: {line: sorted(numbers[test] for test in tests) for line, tests in rows.items()}
        for module, rows in covering.tests_of.items()
    }
    known = {"tests": names, "seconds": covering.seconds, "lines": lines}
    file.write_text(json.dumps(known), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
