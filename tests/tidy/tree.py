"""The project's own files, as the tidy tests walk them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("p2pvalue", "protocol/p2pvalue_protocol", "cli/p2pvalue_cli")
NOT_OURS = {"__pycache__", "node_modules"}


def python_files(*folders: str) -> list[Path]:
    """The Python files below the given folders, or of the whole project, sorted."""
    found = [path for folder in folders or (*PACKAGES, "tests") for path in _below(folder, "*.py")]
    return sorted(found if folders else [*found, *ROOT.glob("*.py")])


def pages() -> list[Path]:
    """The Markdown pages of the project, sorted."""
    folders = ("docs", "protocol", "cli", "tests", ".github")
    below = [path for folder in folders for path in _below(folder, "*.md")]
    return sorted([*ROOT.glob("*.md"), *below])


def shown(path: Path) -> str:
    """The path as a person would type it from the project's root."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method defined in a file."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _below(folder: str, pattern: str) -> list[Path]:
    return [p for p in (ROOT / folder).rglob(pattern) if not NOT_OURS & {*p.parts}]
