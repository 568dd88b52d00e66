"""The main job, as `make demo` runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.demo.recording import BEGINNING, invented

RUN = Path(__file__).with_name("run.py")


def test_two_authors_cut_off_from_each_other_end_with_one_text_on_three_daemons() -> None:
    # A part of the recording: `make demo` plays all of it.
    command = [sys.executable, str(RUN), "--edits", "4000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "EQUAL on all three" in done.stdout
    assert "apart, Ana and Ben see 2 different texts" in done.stdout


def test_without_the_recording_each_author_types_a_whole_text_of_ours() -> None:
    script = invented()
    for number, intentions in enumerate(script.authors):
        assert intentions[0].left == BEGINNING
        typed = "".join(intention.text for intention in intentions)
        writers = {script.writer_of[n] for i in intentions for n in i.inserted}
        assert len(typed) > 1_000
        assert writers == {number}
