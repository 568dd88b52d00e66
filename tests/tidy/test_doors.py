"""Some libraries have one door: only the files named here may import them."""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.tidy.tree import PACKAGES, ROOT, parsed, python_files, shown

# Library to the files that may know it. What attacks libp2p from inside a test knows it too.
DOORS = {
    "libp2p": ["p2pvalue/network/libp2p*.py"],
    "zeroconf": ["p2pvalue/network/*.py"],
    "apsw": ["p2pvalue/store/sqlite*.py", "p2pvalue/sim/virtual_disk.py"],  # a disk for SQLite
    "pycrdt": ["p2pvalue/texts/*.py"],
    "sqlite3": ["p2pvalue/store/sqlite*.py"],
    "starlette": ["p2pvalue/api/*.py"],
    "h11": ["p2pvalue/api/*.py"],
    "wsproto": ["p2pvalue/api/*.py"],
    "click": ["cli/p2pvalue_cli/*"],
}
# All that the core may import: nothing here opens, waits, draws or counts time.
CORE_MAY_IMPORT = {
    *(
        "__future__",
        "abc",
        "array",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "dataclasses",
        "enum",
    ),
    *("functools", "hashlib", "heapq", "hmac", "itertools", "math", "operator", "re", "string"),
    *("struct", "typing", "unicodedata", "zlib", "p2pvalue_protocol"),
    *("cryptography", "msgspec", "nacl"),
}


def imported(tree: ast.Module) -> set[str]:
    """The top-level packages that a file imports anywhere, for types only included."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def misplaced(name: str, packages: set[str]) -> list[str]:
    """Which of the imported packages the file of that name may not import."""
    known = packages & set(DOORS)
    return sorted(p for p in known if not any(fnmatch(name, door) for door in DOORS[p]))


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=shown)
def test_a_library_is_imported_through_its_door(path: Path) -> None:
    assert misplaced(shown(path), imported(parsed(path))) == []


@pytest.mark.parametrize("path", python_files("protocol/p2pvalue_protocol"), ids=shown)
def test_the_core_imports_only_what_cannot_touch_the_world(path: Path) -> None:
    assert sorted(imported(parsed(path)) - CORE_MAY_IMPORT) == []


def test_every_door_is_used() -> None:
    used = {name for path in python_files(*PACKAGES) for name in imported(parsed(path))}
    assert sorted(set(DOORS) - used - sys.stdlib_module_names) == []


def test_every_package_folder_says_that_it_is_one() -> None:
    folders = {path.parent for path in python_files(*PACKAGES)}
    folders |= {ROOT / package for package in PACKAGES}
    assert sorted(shown(f) for f in folders if not (f / "__init__.py").exists()) == []


def test_a_wrong_door_is_recognised() -> None:
    smuggled = imported(ast.parse("def f():\n    from libp2p.host import new_host"))
    assert misplaced("p2pvalue/node/task.py", smuggled) == ["libp2p"]
    assert misplaced("p2pvalue/network/libp2p_load.py", smuggled) == []
