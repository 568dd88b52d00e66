"""A machine that lacks something is told in one line what to type."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.patience import LONGEST_FIRST
from tests.tidy.tree import ROOT


def setup_says(folder: Path, python: str) -> str:
    """What `make` prints when it cannot set up `.venv`; nothing is installed."""
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    command = ["make", "--silent", f"PYTHON={python}", "test"]
    fresh = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    outcome = subprocess.run(
        command, cwd=folder, env=fresh, capture_output=True, text=True, check=False
    )
    assert outcome.returncode != 0
    assert not (folder / ".venv").exists()
    return outcome.stdout


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("version_info", "sudo apt install python3.13 python3.13-venv && make PYTHON=python3.13"),
        ("maxsize", "sudo apt install rpi-imager && rpi-imager"),
        ("ensurepip", "sudo apt install python3-venv"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(tmp_path: Path, missing: str, told: str) -> None:
    python = tmp_path / "python"
    # Answers every question of the set-up with yes, but the one about what is missing.
    python.write_text(f'#!/bin/sh\ncase "$2" in *{missing}*) exit 1;; esac\n', encoding="utf-8")
    python.chmod(0o755)
    lines = setup_says(tmp_path, str(python)).splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(told)


def test_a_machine_without_python_is_told_so(tmp_path: Path) -> None:
    lines = setup_says(tmp_path, str(tmp_path / "nowhere")).splitlines()
    assert lines == ["python3 is missing. Install it: sudo apt install python3 python3-venv"]


@pytest.mark.parametrize("version", ["3.10", "3.14"])
def test_other_versions_of_python_are_refused(tmp_path: Path, version: str) -> None:
    question = next(
        line.split("'")[1]
        for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
        if "version_info" in line
    )
    pretended = question.replace("sys.version_info[:2]", str(tuple(map(int, version.split(".")))))
    assert pretended != question
    with pytest.raises(SystemExit) as stopped:
        exec(pretended)
    assert stopped.value.code is True


def test_what_waits_longest_begins_first(request: pytest.FixtureRequest) -> None:
    waits = [item.nodeid.startswith(LONGEST_FIRST) for item in request.session.items]
    assert waits == sorted(waits, reverse=True)
