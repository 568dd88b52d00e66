"""A file and a function stay small enough to be read at one sitting."""

from __future__ import annotations

from tests.tidy.tree import functions, python_files, shown

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {shown(p): len(p.read_text(encoding="utf-8").splitlines()) for p in python_files()}
    assert lengths
    assert {name: n for name, n in lengths.items() if n > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_70_lines() -> None:
    lengths = {
        f"{shown(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in python_files()
        for function in functions(path)
    }
    assert {name: n for name, n in lengths.items() if n > FUNCTION_LINES_MAX} == {}
