"""Tests wait for events, can fail, and can be repeated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.tree import functions, parsed, python_files, shown

CLOCKS = {"time", "monotonic", "perf_counter", "monotonic_ns", "perf_counter_ns", "current_time"}
# A bench reads clocks for a living, and the demo is watched by a person.
PATIENT_FILES = [p for p in python_files("tests") if p.parts[-2] not in ("bench", "demo")]
TEST_FILES = [path for path in python_files("tests") if path.name.startswith("test_")]


def sleeps(tree: ast.AST) -> list[int]:
    """The lines that pause for a time instead of waiting for an event."""
    return [
        call.lineno
        for call in _calls(tree)
        if _dotted(call.func) in {"time.sleep", "trio.sleep", "asyncio.sleep", "sleep"}
    ]


def timed(tree: ast.AST) -> list[int]:
    """The lines that assert something about a clock's reading."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        and any(_dotted(call.func).rpartition(".")[2] in CLOCKS for call in _calls(node.test))
    ]


def unseeded(tree: ast.AST) -> list[int]:
    """The lines that draw randomness nobody can repeat."""
    return [
        call.lineno
        for call in _calls(tree)
        if _dotted(call.func).startswith("random.")
        and not (_dotted(call.func) == "random.Random" and call.args)
    ]


def can_fail(function: ast.AST) -> bool:
    """Whether a test asserts, waits for what may not come, or calls what is named for checking."""
    names = [_dotted(call.func).rpartition(".")[2] for call in _calls(function)]
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or any(
        name in {"raises", "fail", "fail_after", "RaisesGroup", "run_state_machine_as_test"}
        or {"assert", "check", "expect", "until"} & set(name.split("_"))
        for name in names
    )


@pytest.mark.parametrize("path", PATIENT_FILES, ids=shown)
def test_no_test_sleeps_or_reads_a_clock_to_judge(path: Path) -> None:
    tree = parsed(path)
    assert (sleeps(tree), timed(tree)) == ([], [])


@pytest.mark.parametrize("path", python_files("tests"), ids=shown)
def test_randomness_in_tests_has_a_seed(path: Path) -> None:
    assert unseeded(parsed(path)) == []


@pytest.mark.parametrize("path", TEST_FILES, ids=shown)
def test_every_test_can_fail(path: Path) -> None:
    tests = [function for function in functions(path) if function.name.startswith("test_")]
    assert [function.name for function in tests if not can_fail(function)] == []


def test_these_rules_are_recognised() -> None:
    assert sleeps(ast.parse("async def f():\n    await trio.sleep(1)")) == [2]
    assert sleeps(ast.parse("await trio.lowlevel.checkpoint()")) == []
    assert timed(ast.parse("assert time.monotonic() - start < 2")) == [1]
    assert unseeded(ast.parse("x = random.random()\ny = random.Random()")) == [1, 2]
    assert unseeded(ast.parse("x = random.Random(7)")) == []
    assert not can_fail(ast.parse("def test_x():\n    print(1)"))
    assert can_fail(ast.parse("def test_x():\n    assert_equal(1, 1)"))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
