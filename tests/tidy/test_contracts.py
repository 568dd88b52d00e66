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

CORE = "protocol/p2pvalue_protocol"
# The contract, the file that breaks it, and the line that does.
BREACHES = [
    ("packages are layered", f"{CORE}/ids.py", "import p2pvalue"),
    ("rooms are layered", "p2pvalue/store/interface.py", "import p2pvalue.network.interface"),
    ("rooms are layered", "p2pvalue/unplaced.py", "import p2pvalue"),
    ("the core's modules are ordered", f"{CORE}/utils.py", "import msgspec"),
    (
        "the core's modules are ordered",
        f"{CORE}/ids.py",
        "import p2pvalue_protocol.operation",
    ),
    (
        "kinds do not know each other",
        f"{CORE}/kinds/pledge.py",
        "import p2pvalue_protocol.kinds.need",
    ),
    (
        "the core does no I/O, reads no clock, draws no randomness, logs nothing",
        f"{CORE}/ids.py",
        "import time",
    ),
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


@pytest.mark.parametrize(("contract", "file", "line"), BREACHES, ids=[b[2] for b in BREACHES])
def test_a_breach_is_caught(copy: Path, contract: str, file: str, line: str) -> None:
    broken = copy / file
    before = broken.read_text(encoding="utf-8") if broken.exists() else None
    broken.write_text((before or "") + f"\n{line}\n", encoding="utf-8")
    try:
        said = lint(copy)
        assert f"{contract} BROKEN" in said, said
    finally:
        if before is None:
            broken.unlink()
        else:
            broken.write_text(before, encoding="utf-8")


def test_every_contract_has_a_breach() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert contracts == {breach[0] for breach in BREACHES}
