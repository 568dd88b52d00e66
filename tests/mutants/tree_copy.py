"""A copy of the project in which code is bent, so that nobody else's checkout ever is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("protocol", "p2pvalue", "cli", "tests")
FILES = ("pyproject.toml",)
_KEPT = ".unbent"


def copy_tree(goal: Path) -> None:
    """Copy what the tests of the core read; the interpreter and its packages stay in place."""
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache", ".hypothesis")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, goal / folder, ignore=ignored)
    for file in FILES:
        shutil.copy2(ROOT / file, goal / file)


def changed_files(one: Path, other: Path) -> list[str]:
    """Return the Python files below a folder that another has not, or otherwise, ascending."""
    names = sorted(path.relative_to(one).as_posix() for path in one.rglob("*.py"))
    return [
        name
        for name in names
        if not (other / name).exists() or (other / name).read_bytes() != (one / name).read_bytes()
    ]


def digest_of(root: Path, folder: str) -> str:
    """Return a short name for the Python files below a folder of a tree."""
    whole = sha256()
    for path in sorted((root / folder).rglob("*.py")):
        whole.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


def environment(root: Path) -> dict[str, str]:
    """Return the environment in which a copy's code is found before the checkout's."""
    places = (root, root / "protocol", root / "cli")
    path = os.pathsep.join(str(place) for place in places)
    seeds = {"P2PVALUE_TEST_SEED": "1", "PYTHONHASHSEED": "1"}
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # or all is slow
    return {**kept, **seeds, "PYTHONPATH": path}


def run_in(root: Path, arguments: list[str]) -> int:
    """Run a module of Python in a copy, with what it prints shown; return how it ended."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=root, env=environment(root), check=False).returncode


@contextmanager
def bent(file: Path, source: str) -> Iterator[None]:
    """Put another source into a file for a while; compiled code of before is valid afterwards."""
    kept = file.with_name(file.name + _KEPT)
    shutil.copy2(file, kept)
    times = file.stat()
    file.write_text(source, encoding="utf-8")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 10**10))  # else the old bytecode runs
    try:
        yield
    finally:
        kept.replace(file)


def unbend(root: Path) -> None:
    """Put back what was bent in a copy when a run was killed."""
    for kept in root.rglob(f"*{_KEPT}"):
        kept.replace(kept.with_name(kept.name.removesuffix(_KEPT)))
