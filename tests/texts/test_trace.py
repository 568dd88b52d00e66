"""A real document of two people, told apart letter by letter."""

from __future__ import annotations

import pytest

from p2pvalue.texts.authorship import apply_by_edit, runs_by_edit
from p2pvalue.texts.shared import SharedDocument
from tests.texts import trace


@pytest.mark.skipif(not trace.FILE.exists(), reason=f"{trace.FILE} is not here")
def test_the_runs_of_two_people_are_their_text() -> None:
    published = trace.read()
    shown = SharedDocument("plain", 9)
    updates = [(2 * typed.agent, False, typed.update) for typed in trace.played(published, (1, 2))]
    apply_by_edit(shown, updates)
    assert shown.text == published["endContent"]
    runs = runs_by_edit(shown, False)
    assert "".join(run.text for run in runs) == shown.text
    everything = runs_by_edit(shown, True)
    inserted = sum(len(patch[2]) for txn in published["txns"] for patch in txn["patches"])
    assert sum(len(run.text) for run in everything) == inserted
    by_agent = [sum(len(r.text) for r in everything if r.author == author) for author in (0, 2)]
    assert by_agent == [
        sum(len(p[2]) for txn in published["txns"] if txn["agent"] == a for p in txn["patches"])
        for a in (0, 1)
    ]
