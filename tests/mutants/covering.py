"""Which test runs which lines of the core, and how long it takes: found once for each copy.

    python -m tests.mutants.covering FILE      in the copy

A mutant needs only the tests that run its line. What runs while a module loads belongs to no test.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest

from tests.mutants.mutations import PACKAGE, modules, source_file
from tests.mutants.tree_copy import ROOT

TESTS = (
    *("tests/protocol", "tests/documents", "tests/needs", "tests/laws", "tests/vectors"),
    *("tests/dags/test_agreement.py", "tests/dags/test_laws.py"),
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


def main() -> int:
    """Run the tests of the core with coverage; 1 if none passes."""
    measuring = coverage.Coverage(data_file=None, source=[str(ROOT / PACKAGE)], config_file=False)
    recorder = _Recorder(measuring)
    measuring.start()
    pytest.main([*OPTIONS, *TESTS], plugins=[recorder])
    measuring.stop()
    for test in recorder.failed:
        print(f"left out, since it fails without any fault: {test}")
        recorder.seconds.pop(test, None)
    if not recorder.seconds:
        return 1
    data = measuring.get_data()
    names = sorted(recorder.seconds)
    numbers = {name: number for number, name in enumerate(names)}
    lines: dict[str, dict[int, list[int]]] = {}
    for module in modules(ROOT):
        found = data.contexts_by_lineno(str(source_file(ROOT, module)))
        lines[module] = {
            line: sorted(numbers[test] for test in tests if test in numbers)
            for line, tests in sorted(found.items())
        }
    known = {"tests": names, "seconds": recorder.seconds, "lines": lines}
    Path(sys.argv[1]).write_text(json.dumps(known), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
