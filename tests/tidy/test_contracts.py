"""Each import contract is broken on purpose, to see that it still catches something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.tidy.tree import PACKAGES, ROOT

CORE = "protocol/p2pvalue_protocol"


class Breach(NamedTuple):
    """A line that breaks a contract, and how the report names it."""

    contract: str
    file: str
    line: str
    reported: str


BREACHES = [
    Breach(
        "packages are layered",
        f"{CORE}/limits.py",
        "import p2pvalue.types",
        "p2pvalue_protocol.limits -> p2pvalue.types",
    ),
    Breach(
        "rooms are layered",
        "p2pvalue/store/interface.py",
        "import p2pvalue.network.interface",
        "p2pvalue.store.interface -> p2pvalue.network.interface",
    ),
    Breach("rooms are layered", "p2pvalue/unplaced.py", "import typing", "p2pvalue.unplaced"),
    Breach(
        "the core's modules are ordered",
        f"{CORE}/effects.py",
        "import p2pvalue_protocol.replica",
        "p2pvalue_protocol.effects -> p2pvalue_protocol.replica",
    ),
    Breach(
        "the core's modules are ordered",
        f"{CORE}/utils.py",
        "import typing",
        "p2pvalue_protocol.utils",
    ),
    Breach(
        "kinds do not know each other",
        f"{CORE}/kinds/pledge.py",
        "import p2pvalue_protocol.kinds.need",
        "p2pvalue_protocol.kinds.pledge -> p2pvalue_protocol.kinds.need",
    ),
    Breach(
        "the core does no I/O, reads no clock, draws no randomness, logs nothing",
        f"{CORE}/ids.py",
        "import time",
        "p2pvalue_protocol.ids -> time",
    ),
    Breach(
        "the node alone knows both store and network",
        "p2pvalue/api/schema.py",
        "import p2pvalue.store.interface",
        "p2pvalue.api.schema -> p2pvalue.store.interface",
    ),
    Breach(
        "in the node, what is done knows nothing of who is told, and of who counts it",
        "p2pvalue/node/needs/pledges.py",
        "import p2pvalue.node.value.thanks",
        "p2pvalue.node.needs.pledges -> p2pvalue.node.value.thanks",
    ),
    Breach(
        "the simulator runs the core, never the shell",
        "p2pvalue/sim/world.py",
        "import trio",
        "p2pvalue.sim.world -> trio",
    ),
    Breach(
        "the texts room alone knows the text library",
        "p2pvalue/node/documents/documents.py",
        "import pycrdt",
        "p2pvalue.node.documents.documents -> pycrdt",
    ),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the contracts say about a copy of the packages that has every breach."""
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for breach in BREACHES:
        with (folder / breach.file).open("a", encoding="utf-8") as file:
            file.write(f"\n{breach.line}\n")
    path = os.pathsep.join(str(folder / room) for room in ("", "protocol", "cli"))
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    outcome = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return outcome.stdout + outcome.stderr


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.reported)
def test_a_breach_is_caught(report: str, breach: Breach) -> None:
    assert f"{breach.contract} BROKEN" in report, report
    assert breach.reported in report, report


def test_every_contract_has_a_breach() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert contracts == {breach.contract for breach in BREACHES}
