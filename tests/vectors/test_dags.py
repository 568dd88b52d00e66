"""Small histories of acts have the states that were agreed on, by the rules and by what runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dags.running import running_state_of
from tests.dags.state import state_of
from tests.dags.written import read_dag, write_dag, write_state
from tests.vectors.files import VECTORS, vectors_of

DAGS = vectors_of("dags")


@pytest.mark.parametrize("vector", DAGS, ids=lambda vector: vector["id"])
def test_a_history_has_its_state(vector: dict[str, Any]) -> None:
    dag = read_dag(vector["input"])
    assert write_state(running_state_of(dag)) == vector["expect"]
    assert write_state(state_of(dag)) == vector["expect"]
    assert write_dag(dag) == vector["input"]


def test_the_command_prints_the_states_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "dags.json"
    file.write_text(json.dumps({"format": 1, "dags": [v["input"] for v in DAGS]}))
    command = [sys.executable, "-m", "tests.dags", str(file)]
    root = VECTORS.parents[1]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == {"format": 1, "states": [v["expect"] for v in DAGS]}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 2, "dags": []}', '{"format": 1, "dags": [{"events": []}]}']
)
def test_the_command_refuses_what_is_no_file_of_dags(tmp_path: Path, text: str) -> None:
    file = tmp_path / "dags.json"
    file.write_text(text)
    command = [sys.executable, "-m", "tests.dags", str(file)]
    root = VECTORS.parents[1]
    outcome = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert "holds no DAGs of this format" in outcome.stderr
