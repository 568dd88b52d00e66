"""A text as the runs that people wrote, with what was deleted between them and by whom.

Positions and lengths are UTF-8 bytes, as the text library tells them. Who wrote or deleted is said
by the number of an edit, which is even. What takes an edit back goes by its number plus one, and
what does it again by its number: text that comes back is the text that went, with its author.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from p2pvalue.texts.edits import Edit

NOBODY: Final = -1
_JOINED_CHARACTERS_MAX: Final = 512  # longer runs are not copied for each key
_CHUNK_RUNS_MAX: Final = 128


class Run(NamedTuple):
    """Characters in a row by one author; `deleter` is NOBODY while they are shown.

    Those that came back were `once` deleted by these. If it was elsewhere, `mover` answers for it:
    nobody is said to have written what another put there.
    """

    text: str
    author: int
    deleter: int = NOBODY
    once: tuple[int, ...] = ()
    mover: int = NOBODY


class _Chunk:
    """Some runs in a row, and how many bytes of them are shown."""

    __slots__ = ("runs", "shown")

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs
        self.shown = sum(_size(run.text) for run in runs if run.deleter == NOBODY)


class Attribution:
    """The runs of one text; a change costs about the square root of their number."""

    def __init__(self) -> None:
        self._chunks = [_Chunk([])]

    def change(self, delta: Iterable[dict[str, Any]], number: int, *, is_return: bool) -> None:
        """Follow one change of the text by an edit; ~10 µs for a key.

        `is_return` says that it takes something back or does it again. Raises ValueError if the
        change does not fit the text.
        """
        at = 0
        for step in delta:
            if "retain" in step:
                at += int(step["retain"])
            elif "delete" in step:
                self._delete(at, int(step["delete"]), number)
            elif not isinstance(step["insert"], str):
                raise ValueError("what is no text was inserted")
            else:
                text = step["insert"]
                if not (is_return and self._return(at, text, number)):
                    self._insert(at, Run(text, number))
                at += _size(text)

    def runs(self, *, deleted: bool) -> Iterator[Run]:
        """Yield the runs in the order of the text, as long as can be; with what was deleted."""
        last: Run | None = None
        for run in self._all():
            if run.deleter != NOBODY and not deleted:
                continue
            author = run.author if run.mover == NOBODY else run.mover
            if last is not None and (last.author, last.deleter) == (author, run.deleter):
                last = last._replace(text=last.text + run.text)
            else:
                if last is not None:
                    yield last
                last = Run(run.text, author, run.deleter)
        if last is not None:
            yield last

    def turned(self, number: int, *, is_again: bool) -> list[Edit]:
        """Return the edits that take back the edit of a number, or do it again; O(n).

        None if nothing of it is left. Positions are code points.
        """
        edits: list[Edit] = []
        position = 0
        for run in self._all():
            comes = _comes(run, number, is_again)
            goes = run.deleter == NOBODY and _goes(run, number, is_again)
            if comes or goes:
                piece = Edit(position, 0 if comes else len(run.text), run.text if comes else "")
                edits.append(piece)
            if comes or (run.deleter == NOBODY and not goes):
                position += len(run.text)
        return _joined(edits)

    def _all(self) -> Iterator[Run]:
        return (run for chunk in self._chunks for run in chunk.runs)

    # --- changing

    def _insert(self, at: int, new: Run) -> None:
        number, index, offset = self._find(at)
        chunk = self._chunks[number]
        runs = chunk.runs
        chunk.shown += _size(new.text)
        if offset:
            runs[index : index + 1] = _cut(runs[index], offset)
            index += 1
        before = runs[index - 1] if index else None
        if (
            before is not None
            and before[1:] == new[1:]
            and len(before.text) < _JOINED_CHARACTERS_MAX
        ):
            runs[index - 1] = before._replace(text=before.text + new.text)
            return
        runs.insert(index, new)
        self._halve(number)

    def _delete(self, at: int, length: int, deleter: int) -> None:
        while length:
            number, index, offset = self._find(at)
            chunk = self._chunks[number]
            if index == len(chunk.runs):
                raise ValueError("a change reaches out of the text")
            kept, rest = _cut(chunk.runs[index], offset)
            gone, after = _cut(rest, min(length, _size(rest.text)))
            parts = (kept, gone._replace(deleter=deleter), after)
            chunk.runs[index : index + 1] = [part for part in parts if part.text]
            chunk.shown -= _size(gone.text)
            length -= _size(gone.text)
            self._halve(number)

    def _find(self, at: int) -> tuple[int, int, int]:
        """Return chunk, run in it and offset there of the byte shown at a position, or the end."""
        for number, chunk in enumerate(self._chunks):
            if at < chunk.shown:
                for index, run in enumerate(chunk.runs):
                    size = _size(run.text) if run.deleter == NOBODY else 0
                    if at < size:
                        return number, index, at
                    at -= size
            at -= chunk.shown
        if at:
            raise ValueError("a change reaches out of the text")
        return len(self._chunks) - 1, len(self._chunks[-1].runs), 0

    def _halve(self, number: int) -> None:
        runs = self._chunks[number].runs
        if len(runs) > _CHUNK_RUNS_MAX:
            middle = len(runs) // 2
            parts = [_Chunk(runs[:middle]), _Chunk(runs[middle:])]
            self._chunks[number : number + 1] = parts

    # --- coming back

    def _return(self, at: int, text: str, number: int) -> bool:
        """Bring back what the counterpart of `number` deleted, if that is the text; O(n)."""
        source = number ^ 1
        buried, places, position = "", [], 0
        for run in self._all():
            if run.deleter == source:
                places += [position] * len(run.text)
                buried += run.text
            elif run.deleter == NOBODY:
                position += _size(run.text)
        starts = [s for s in range(len(buried)) if buried.startswith(text, s)]
        here = [s for s in starts if places[s] == at == places[s + len(text) - 1]]
        if not starts:
            return False
        start = (here or starts)[0]
        self._dig(number, start, start + len(text), None if here else at)
        return True

    def _dig(self, number: int, start: int, end: int, at: int | None) -> None:
        """Show a part of what `number` takes back again, where it is, or moved to a position."""
        source = number ^ 1
        runs, moved, passed = [], [], 0
        for run in self._all():
            if run.deleter != source:
                runs.append(run)
                continue
            first, last = max(0, start - passed), max(0, end - passed)
            passed += len(run.text)
            once = tuple(sorted({*run.once, source}))
            shown = run._replace(text=run.text[first:last], deleter=NOBODY, once=once)
            rest = [run._replace(text=run.text[:first]), run._replace(text=run.text[last:])]
            if at is not None:
                moved.append(shown._replace(mover=number))
                shown = shown._replace(text="")
            runs += [part for part in (rest[0], shown, rest[1]) if part.text]
        size = _CHUNK_RUNS_MAX // 2
        groups = [runs[first : first + size] for first in range(0, len(runs), size)]
        self._chunks = [_Chunk(group) for group in groups] or [_Chunk([])]
        for run in moved:
            assert at is not None
            if run.text:
                self._insert(at, run)
                at += _size(run.text)


def _comes(run: Run, number: int, is_again: bool) -> bool:
    """Whether a run that is not shown comes back; what an edit wrote and deleted does not."""
    if is_again:
        return run.deleter == number + 1
    return run.deleter == number != run.author


def _goes(run: Run, number: int, is_again: bool) -> bool:
    if is_again:
        return number in run.once or run.author == number + 1
    return run.author == number


def _joined(edits: Iterable[Edit]) -> list[Edit]:
    joined: list[Edit] = []
    for edit in edits:
        last = joined[-1] if joined else None
        if last is not None and last.position + len(last.inserted) == edit.position:
            deleted, inserted = last.deleted + edit.deleted, last.inserted + edit.inserted
            joined[-1] = Edit(last.position, deleted, inserted)
        else:
            joined.append(edit)
    return joined


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _cut(run: Run, offset: int) -> tuple[Run, Run]:
    data = run.text if run.text.isascii() else run.text.encode()
    first, rest = data[:offset], data[offset:]
    if isinstance(first, bytes) and isinstance(rest, bytes):
        first, rest = first.decode(), rest.decode()
    return run._replace(text=str(first)), run._replace(text=str(rest))
