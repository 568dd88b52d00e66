"""Updates are put to the text library many at once, and heavy ones in steps."""

from __future__ import annotations

from random import Random

import pytest

from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue.texts.steps import APPLIED_BYTES_MAX, STRUCTS_PER_STEP, questions
from p2pvalue_protocol.documents.update_form import read_update

LETTERS = 10_000
EDITS = 1_000


def backwards(deletes: bool, rng: Random) -> tuple[list[bytes], bytes, str]:
    """Return a paste, one update that writes all over it from end to start, and the text then."""
    author, editor = SharedDocument("plain", 1_000), SharedDocument("plain", 2_000)
    pasted = author.edit([Edit(0, 0, "a" * LETTERS)])
    editor.apply(pasted)
    places = sorted(rng.sample(range(LETTERS), EDITS), reverse=True)
    (update,) = editor.edit([Edit(place, int(deletes), "x") for place in places])
    return pasted, update, editor.text


def steps_of(update: bytes) -> list[bytes]:
    return [step for _, (step,) in questions([update])]


@pytest.mark.parametrize("deletes", [False, True])
def test_a_heavy_update_says_the_same_in_steps(deletes: bool, rng: Random) -> None:
    pasted, update, text = backwards(deletes, rng)
    steps = steps_of(update)
    assert len(steps) == -(-EDITS // STRUCTS_PER_STEP) + deletes
    assert max(len(read_update(step).structs) for step in steps) == STRUCTS_PER_STEP
    reader = SharedDocument("plain", 3_000)
    reader.apply([*pasted, *steps])
    assert reader.text == text


def test_each_step_is_a_question_of_its_own_and_small_updates_share_one(rng: Random) -> None:
    pasted, update, _ = backwards(False, rng)
    steps = steps_of(update)
    asked = list(questions([*pasted, update, *pasted, update]))
    count = len(pasted)
    assert asked == [
        (0, pasted),
        *((count, [step]) for step in steps),
        (count + 1, pasted),
        *((2 * count + 1, [step]) for step in steps),
    ]


def test_what_cannot_be_read_is_asked_as_it_is(rng: Random) -> None:
    _, update, _ = backwards(False, rng)
    assert list(questions([update[:-1]])) == [(0, [update[:-1]])]


def test_a_question_has_an_end() -> None:
    updates = [b"\x00" * (APPLIED_BYTES_MAX // 4)] * 10
    assert [first for first, _ in questions(updates)] == [0, 4, 8]
    assert [update for _, given in questions(updates) for update in given] == updates
    assert list(questions([])) == []
