"""A daemon outlives the process that holds its texts, and that process does not outlive it."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from tests.patience import WAIT_S
from tests.system.person import Person, people


def text_process(person: Person) -> int:
    """The process that holds the texts of a person's daemon."""
    assert person.process is not None
    tasks = Path(f"/proc/{person.process.pid}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    (found,) = [child for child, command in commands.items() if b"p2pvalue.texts.worker" in command]
    return found


def saved(person: Person, text: str) -> str:
    """Save a file that was opened as the document is; return what it says then."""
    shown = person.ask("GET", "/documents/Plan")
    saved = person.ask("PUT", "/documents/Plan", text=text, base_version=shown["version"])
    assert not saved["skipped"]
    return f"{shown['text']} -> {saved['text']}"


def test_a_kill_of_either_process_costs_no_word(tmp_path: Path) -> None:
    with people(tmp_path, "Ana") as (ana,):
        ana.found("Garden")
        ana.ask("POST", "/documents", title="Plan", text="abc")
        assert saved(ana, "abc") == "abc -> abc"
        before = text_process(ana)
        its_end = os.pidfd_open(before)
        os.kill(before, signal.SIGKILL)
        select.select([its_end], [], [], WAIT_S)
        os.close(its_end)
        assert saved(ana, "1abc") == "abc -> 1abc"
        after = text_process(ana)
        assert after != before
        its_end = os.pidfd_open(after)
        ana.kill()
        ready, _, _ = select.select([its_end], [], [], WAIT_S)
        os.close(its_end)
        assert ready, "it outlives the daemon that was killed"
        ana.start()
        ana.until_up()
        assert saved(ana, "21abc") == "1abc -> 21abc"
        its_end = os.pidfd_open(text_process(ana))
        ana.stop()
        ready, _, _ = select.select([its_end], [], [], WAIT_S)
        os.close(its_end)
        assert ready, "it outlives the daemon that was stopped"
