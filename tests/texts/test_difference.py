from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue.texts import difference
from p2pvalue.texts.difference import edits_between
from p2pvalue.texts.edits import Edit


def applied(text: str, edits: list[Edit]) -> str:
    for position, deleted, inserted in edits:
        assert 0 <= position <= position + deleted <= len(text)
        text = text[:position] + inserted + text[position + deleted :]
    return text


texts = st.text(alphabet="ab \n\r\u2028é😀", max_size=60)


@given(texts, texts)
def test_the_edits_turn_one_text_into_the_other(old: str, new: str) -> None:
    assert applied(old, edits_between(old, new)) == new


@given(texts)
def test_equal_texts_have_no_edits(text: str) -> None:
    assert edits_between(text, text) == []


def test_a_changed_word_leaves_the_rest_of_its_line_alone() -> None:
    old = "one\nthe old roof leaks\nthree\n"
    edits = edits_between(old, "one\nthe new roof leaked\nthree\n")
    assert edits == [Edit(8, 3, "new"), Edit(21, 1, "ed")]


def test_a_letter_put_into_a_word_is_one_letter() -> None:
    assert edits_between("a helo b", "a hello b") == [Edit(5, 0, "l")]


def test_a_moved_paragraph_does_not_touch_the_others() -> None:
    lines = [f"line {number} of the plan\n" for number in range(200)]
    moved = lines[:50] + lines[60:150] + lines[50:60] + lines[150:]
    edits = edits_between("".join(lines), "".join(moved))
    touched = sum(edit.deleted + len(edit.inserted) for edit in edits)
    assert touched == 2 * len("".join(lines[50:60]))


def test_changes_far_apart_in_a_long_text_stay_apart(rng: random.Random) -> None:
    lines = [f"{rng.random()}\n" * rng.randint(1, 2) for _ in range(1_500)]
    changed = [*lines[:10], "new\n", *lines[10:1_400], *lines[1_401:]]
    old, new = "".join(lines), "".join(changed)
    edits = edits_between(old, new)
    assert applied(old, edits) == new
    assert sum(edit.deleted + len(edit.inserted) for edit in edits) < 60


def test_texts_that_would_take_long_to_compare_become_one_replacement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("difflib would run for minutes")

    old = "".join(f"{number % 110}\n" for number in range(30_000))
    new = "".join(f"{number % 109}\n" for number in range(30_000))
    monkeypatch.setattr(difference, "SequenceMatcher", unwanted)
    edits = edits_between(old, new)
    assert len(edits) == 1
    assert applied(old, edits) == new
