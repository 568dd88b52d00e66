"""No acknowledged operation is lost by kill -9, and the log goes on without a fork."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path

KILLS = 200


def test_nothing_acknowledged_is_lost_when_a_writer_is_killed(tmp_path: Path) -> None:
    seed = secrets.token_hex(4)
    print(f"seed {seed}")
    command = [sys.executable, "-m", "tests.store.crash", str(tmp_path)]
    done = subprocess.run(
        [*command, "--kills", str(KILLS), "--seed", seed], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["kills"] == KILLS
    assert result["operations"] > KILLS
    assert result["durable_untold"] > 0  # some kills fell between the disk and the telling
