"""A large paste that others edited opens again in little more memory than it has bytes.

A state lists its clients from the highest to the lowest: what was written inside the paste of a low
client is read before the paste.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue.texts.workers import TextWorkers
from p2pvalue_protocol.documents.update_form import STRING_UNITS_MAX, read_update

PASTED = 1_000_000
EDITS = 4_096
LOW, HIGH, READER = 1_000, 2**52, 9
GROWTH_KB_MAX = 32_000


def edited_inside(pasting: int, editing: int, rng: Random) -> tuple[bytes, str]:
    """Return a state and its text: a paste by one client, and edits in it by another."""
    author, editor = SharedDocument("plain", pasting), SharedDocument("plain", editing)
    pasted = author.edit([Edit(0, 0, "a" * PASTED)])
    for update in pasted:
        assert max(struct.length for struct in read_update(update).structs) <= STRING_UNITS_MAX
    editor.apply(pasted)
    editor.edit([Edit(rng.randrange(PASTED), 0, "x") for _ in range(EDITS)])
    return editor.encoded(), editor.text


def most_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize(("pasting", "editing"), [(LOW, HIGH), (HIGH, LOW)])
async def test_a_large_paste_that_was_edited_opens_in_little_memory(
    pasting: int, editing: int, rng: Random
) -> None:
    state, text = edited_inside(pasting, editing, rng)
    workers = TextWorkers()
    try:
        (await workers.open("plain", READER)).close()
        assert workers.pid is not None
        before = most_kb(workers.pid)
        document = await workers.open("plain", READER, state)
        assert most_kb(workers.pid) - before < GROWTH_KB_MAX
        assert await document.text() == text
    finally:
        await workers.close()
