"""Words in a rich document brought to read otherwise, letter by letter and mark by mark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pycrdt

from p2pvalue.texts import schema
from p2pvalue.texts.blocks import Attributes, Run, Words, words
from p2pvalue.texts.difference import edits_between
from p2pvalue.texts.rich_tree import (
    Bursts,
    delete_letters,
    format_letters,
    insert_letters,
    offsets_of,
    read_words,
)
from p2pvalue.texts.said import known_marks


class _Stretch(NamedTuple):
    """Letters `start` to `end` of a text became those from `new_start` to `new_end` of another."""

    start: int
    end: int
    new_start: int
    new_end: int


def change_words(live: pycrdt.XmlText, read: Words, new: Words, bursts: Bursts) -> None:
    """Bring the difference between what was read of some words and `new` into them.

    Marks that Markdown cannot say stay on the letters that stay, and go on in what is written
    behind them.
    """
    actual = read_words(live)
    if read.text != actual.text:  # spaces that Markdown does not show
        read = Words(tuple(Run(run.text, known_marks(run.marks)) for run in actual.runs))
    offsets = offsets_of(live)
    written = _stretches(read.text, new.text)
    at = new_at = 0
    for stretch in [*written, _Stretch(len(read.text), 0, len(new.text), 0)]:
        for start, end, marks in _formats(read, at, new, new_at, stretch.start - at):
            format_letters(live, offsets[start : end + 1], marks, bursts)
        at, new_at = stretch.end, stretch.new_end
    for stretch in reversed(written):
        delete_letters(live, offsets[stretch.start : stretch.end + 1], bursts)
        before = _marks_at(actual, stretch.start - 1)
        shown = _marks_at(read, stretch.start - 1)
        to = offsets[stretch.start]
        for run in _runs_between(new, stretch.new_start, stretch.new_end):
            marks = _continued(run.marks, before, shown)
            insert_letters(live, to, Run(run.text, marks), bursts)
            to += len(run.text.encode())


def carried(old: Words, new: Words) -> Words:
    """Return new words with the marks that Markdown cannot say of the same letters in old ones."""
    runs: list[Run] = []
    at = new_at = 0
    for stretch in [*_stretches(old.text, new.text), _Stretch(len(old.text), 0, len(new.text), 0)]:
        for run in _runs_between(old, at, stretch.start):
            end = new_at + len(run.text)
            for text, marks in _runs_between(new, new_at, end):
                runs.append(Run(text, {**_unsaid(run.marks, marks), **marks}))
            new_at = end
        runs += _runs_between(new, stretch.new_start, stretch.new_end)
        at, new_at = stretch.end, stretch.new_end
    return words(runs)


def _unsaid(had: Attributes, has: Attributes) -> dict[str, Any]:
    """Return of marks what Markdown cannot say, for letters with others; code stands alone."""
    if schema.CODE in has:
        return {}
    return {name: said for name, said in had.items() if name not in schema.MARKS}


def _stretches(old: str, new: str) -> list[_Stretch]:
    found = []
    moved = 0
    for position, deleted, inserted in edits_between(old, new):
        start = position - moved
        found.append(_Stretch(start, start + deleted, position, position + len(inserted)))
        moved += len(inserted) - deleted
    return found


def _continued(marks: Attributes, before: Attributes, shown: Attributes) -> dict[str, Any]:
    """Return the marks of new letters behind such ones: with what Markdown did not show of them."""
    said = {
        name: before[name] if name in before and shown.get(name) == value else value
        for name, value in marks.items()
    }
    return _unsaid(before, marks) | said


def _formats(
    old: Words, start: int, new: Words, new_start: int, length: int
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield which of the letters that stay get which marks; None takes a mark away."""
    ends = {*_ends(old, start, length), *_ends(new, new_start, length)}
    at = 0
    for end in sorted(ends):
        had, has = _marks_at(old, start + at), _marks_at(new, new_start + at)
        marks = {name: has.get(name) for name in schema.MARKS if had.get(name) != has.get(name)}
        if marks:
            yield start + at, start + end, marks
        at = end


def _ends(text: Words, start: int, length: int) -> Iterator[int]:
    """Yield where runs end among so many letters, counted from the first of them."""
    at = -start
    for run in text.runs:
        at += len(run.text)
        if 0 < at < length:
            yield at
    if length > 0:
        yield length


def _marks_at(text: Words, position: int) -> Attributes:
    """Return the marks of one letter; none before the first."""
    if position >= 0:
        for run in text.runs:
            if position < len(run.text):
                return run.marks
            position -= len(run.text)
    return {}


def _runs_between(text: Words, start: int, end: int) -> Iterator[Run]:
    for run in text.runs:
        part = run.text[max(0, start) : max(0, end)]
        if part:
            yield Run(part, run.marks)
        start, end = start - len(run.text), end - len(run.text)
