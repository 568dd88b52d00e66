"""Runs by edit are those that a plain list of characters gives."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest

from p2pvalue.texts import attribution
from p2pvalue.texts.attribution import NOBODY, Attribution, Run
from p2pvalue.texts.authorship import apply_by_edit, edits_turning, runs_by_edit
from p2pvalue.texts.broken import TextBroken
from p2pvalue.texts.edits import Edit, edited
from p2pvalue.texts.shared import SharedDocument

ANA, EVA, KIM = 0, 2, 4
WORDS = ["tea", "é", "日本語", "😀", "שלום", "👩‍👩‍👧", "\n", " "]


class Desk:
    """A text that one program edits, and the same text read by edit."""

    def __init__(self) -> None:
        self.writer = SharedDocument("plain", 1)
        self.shown = SharedDocument("plain", 9)

    def edit(self, number: int, *edits: Edit, is_return: bool = False) -> str:
        updates = self.writer.edit(edits)
        apply_by_edit(self.shown, [(number, is_return, update) for update in updates])
        return self.shown.text

    def turn(self, number: int, *, is_again: bool) -> str:
        edits = edits_turning(self.shown, number, is_again)
        expected = edited(self.shown.text, edits)
        credit = number if is_again else number + 1
        assert self.edit(credit, *edits, is_return=True) == expected
        return expected


def test_who_wrote_and_who_deleted_each_run_is_told() -> None:
    desk = Desk()
    desk.edit(ANA, Edit(0, 0, "日本😀 שלום"))
    assert desk.edit(EVA, Edit(2, 1, "🍵"), Edit(8, 0, "!")) == "日本🍵 שלום!"
    assert runs_by_edit(desk.shown, False) == [
        Run("日本", ANA),
        Run("🍵", EVA),
        Run(" שלום", ANA),
        Run("!", EVA),
    ]
    assert runs_by_edit(desk.shown, True) == [
        Run("日本", ANA),
        Run("😀", ANA, EVA),
        Run("🍵", EVA),
        Run(" שלום", ANA),
        Run("!", EVA),
    ]


def test_what_comes_back_is_its_authors_again() -> None:
    desk = Desk()
    desk.edit(ANA, Edit(0, 0, "日本 שלום"))
    desk.edit(EVA, Edit(0, 3, "🍵 "))
    assert desk.turn(EVA, is_again=False) == "日本 שלום"
    assert runs_by_edit(desk.shown, False) == [Run("日本 שלום", ANA)]
    assert desk.turn(EVA, is_again=True) == "🍵 שלום"
    assert desk.turn(ANA, is_again=False) == "🍵 "
    assert edits_turning(desk.shown, ANA, is_again=False) == []
    assert desk.turn(ANA, is_again=True) == "🍵 שלום"
    assert desk.turn(EVA, is_again=False) == "日本 שלום"


def test_for_what_comes_back_elsewhere_or_is_other_text_who_brings_it_answers() -> None:
    desk = Desk()
    desk.edit(ANA, Edit(0, 0, "tea and 日本"))
    desk.edit(EVA, Edit(0, 4, ""))
    desk.edit(EVA + 1, Edit(6, 0, "tea "), is_return=True)
    assert runs_by_edit(desk.shown, True) == [Run("and 日本", ANA), Run("tea ", EVA + 1)]
    desk.edit(EVA, Edit(0, 4, ""))
    desk.edit(EVA + 1, Edit(0, 0, "what"), is_return=True)
    back = [Run("what", EVA + 1), Run("日本", ANA), Run("tea ", EVA + 1)]
    assert runs_by_edit(desk.shown, False) == back
    assert desk.turn(EVA, is_again=True) == "日本"
    assert desk.turn(EVA, is_again=False) == "and what日本tea "
    assert desk.turn(ANA, is_again=False) == "what"


def test_an_edit_that_is_taken_back_brings_nothing_that_it_wrote_and_deleted_itself() -> None:
    desk = Desk()
    desk.edit(ANA, Edit(0, 0, "tea"))
    desk.edit(ANA, Edit(0, 1, ""))
    assert desk.turn(ANA, is_again=False) == ""


def test_runs_are_those_of_a_list_of_characters(
    rng: Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribution, "_CHUNK_RUNS_MAX", 6)
    monkeypatch.setattr(attribution, "_JOINED_CHARACTERS_MAX", 5)
    desk = Desk()
    expected: list[tuple[str, int, int]] = []  # of all characters that ever were
    for _ in range(300):
        author = rng.choice([ANA, EVA, KIM])
        length = len(desk.shown.text)
        start = rng.randint(0, length)
        deleted = min(rng.choice([0, 0, 0, 1, 9]), length - start)
        edit = Edit(start, deleted, "".join(rng.choices(WORDS, k=rng.randint(0, 3))))
        desk.edit(author, edit)
        _edit_list(expected, edit, author)
    runs = runs_by_edit(desk.shown, False)
    assert "".join(run.text for run in runs) == desk.shown.text
    found = [(c, run.author) for run in runs for c in run.text]
    assert found == [(c, author) for c, author, deleter in expected if deleter == NOBODY]
    assert all(a[1:] != b[1:] for a, b in pairwise(runs))
    everything = [(c, *run[1:3]) for run in runs_by_edit(desk.shown, True) for c in run.text]
    assert sorted(everything) == sorted(expected)


def _edit_list(characters: list[tuple[str, int, int]], edit: Edit, author: int) -> None:
    shown = [at for at, (_, _, deleter) in enumerate(characters) if deleter == NOBODY]
    for at in shown[edit.position : edit.position + edit.deleted]:
        characters[at] = (*characters[at][:2], author)
    at = shown[edit.position - 1] + 1 if edit.position else 0
    characters[at:at] = [(c, author, NOBODY) for c in edit.inserted]


def test_a_change_that_does_not_fit_the_text_breaks_it() -> None:
    runs = Attribution()
    beyond: list[list[dict[str, Any]]] = [[{"retain": 3}, {"insert": "x"}], [{"delete": 1}]]
    for delta in beyond:
        with pytest.raises(ValueError, match="out of the text"):
            runs.change(delta, ANA, is_return=False)
    with pytest.raises(ValueError, match="no text"):
        runs.change([{"insert": object()}], ANA, is_return=False)
    seen, written = SharedDocument("plain", 1), SharedDocument("plain", 2)
    (before,) = written.edit([Edit(0, 0, "tea")])
    (after,) = written.edit([Edit(3, 0, "!")])
    seen.apply([before])
    with pytest.raises(TextBroken, match="out of the text"):
        apply_by_edit(seen, [(ANA, False, after)])


def test_a_document_that_nobody_wrote_has_no_runs() -> None:
    assert runs_by_edit(SharedDocument("plain", 1), True) == []
