"""What changes whole files is done or not done, whenever the process is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

KILLS = 60


def test_what_changes_whole_files_is_done_or_not_done_after_a_kill(
    tmp_path: Path, seed: int
) -> None:
    command = [sys.executable, "-m", "tests.node.crash", str(tmp_path)]
    done = subprocess.run(
        [*command, "--kills", str(KILLS), "--seed", str(seed)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["kills"] == KILLS
    assert sum(count for name, count in result.items() if name.endswith("_done")) > 0
