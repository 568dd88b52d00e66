"""No operation that was acknowledged or received is lost by kill -9, and no log is forked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

KILLS = 200
KILLS_IN_SYNC = 40


def killed(module: str, folder: Path, kills: int, seed: int) -> dict[str, int]:
    """What a module's kills left behind, in a process of its own that forks."""
    command = [sys.executable, "-m", module, str(folder), "--kills", str(kills)]
    command += ["--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    assert result["kills"] == kills
    return result


def test_nothing_acknowledged_is_lost_when_a_writer_is_killed(tmp_path: Path, seed: int) -> None:
    result = killed("tests.store.crash", tmp_path, KILLS, seed)
    assert result["operations"] > KILLS
    assert result["durable_untold"] > 0  # some kills fell between the disk and the telling


def test_two_that_sync_lose_nothing_and_become_equal_however_often_they_are_killed(
    tmp_path: Path, seed: int
) -> None:
    result = killed("tests.store.crash_sync", tmp_path, KILLS_IN_SYNC, seed)
    assert result["heads_of_own"] > 0
    assert result["heads_of_received"] > 0
