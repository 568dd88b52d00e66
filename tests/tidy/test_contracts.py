"""Each import contract is broken on purpose, to see that it still catches something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.tidy.tree import PACKAGES, ROOT

# The contract, the file that breaks it, and the line that does.
BREACHES = [
    ("rooms are layered", "protocol/p2pvalue_protocol/ids.py", "import p2pvalue"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and their contracts."""
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> str:
    """What the contracts say about the packages in a folder."""
    path = os.pathsep.join(str(folder / room) for room in ("", "protocol", "cli"))
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    outcome = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    return outcome.stdout + outcome.stderr


@pytest.mark.parametrize(("contract", "file", "line"), BREACHES, ids=[b[0] for b in BREACHES])
def test_a_breach_is_caught(copy: Path, contract: str, file: str, line: str) -> None:
    broken = copy / file
    before = broken.read_text(encoding="utf-8") if broken.exists() else None
    broken.write_text((before or "") + f"\n{line}\n", encoding="utf-8")
    try:
        assert f"{contract} BROKEN" in lint(copy)
    finally:
        if before is None:
            broken.unlink()
        else:
            broken.write_text(before, encoding="utf-8")


def test_every_contract_has_a_breach() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert contracts == {breach[0] for breach in BREACHES}
