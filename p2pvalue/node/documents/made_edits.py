"""What people did to a document, edit by edit, and which of their edits are taken back.

An edit is a text saved or a stretch of typing: updates in a row in one session of one log (spec:
kinds/document-update, "Edits"). It is named by its last update. Which updates go together follows
from the updates that count, so all who hold the same see the same edits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from p2pvalue_protocol.documents.looking_back import Letters
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.document import DocumentUpdate

PAUSE_MS_MAX: Final = 10_000
"""Who types on after a longer pause begins another edit."""
TYPING_MS_MAX: Final = 60_000
"""So does who has typed for so long."""


@dataclass(slots=True)
class MadeEdit:
    """One edit; `first_seq` and the seq of `last` are where its updates are in the log."""

    log: int
    session: int
    member: bytes
    first_seq: int
    since_ms: int
    last: Order
    undoes: bytes | None
    updates: int = 0
    inserted: int = 0
    deleted: int = 0

    @property
    def op_id(self) -> bytes:
        """The id by which it is known."""
        return self.last.op_id


class Gathering:
    """Gathers updates into edits; those of a log come in its order."""

    def __init__(self) -> None:
        self._edits: list[MadeEdit] = []
        self._newest: dict[int, MadeEdit] = {}  # by log
        self._typing: dict[tuple[int, int], MadeEdit] = {}  # by log and session

    def add(
        self, log: int, order: Order, member: bytes, update: DocumentUpdate, letters: Letters
    ) -> None:
        """Add an update that counts."""
        edit = self._goes_on_with(log, order, update)
        if edit is None:
            begun = order.seq, order.time, order
            edit = MadeEdit(log, update.session, member, *begun, update.undoes)
            self._edits.append(edit)
            if update.undoes is not None:
                self._typing = {key: at for key, at in self._typing.items() if key[0] != log}
            elif update.session:
                self._typing[log, update.session] = edit
        self._newest[log] = edit
        edit.last = order
        edit.updates += 1
        edit.inserted += letters.inserted
        edit.deleted += letters.deleted

    def _goes_on_with(self, log: int, order: Order, update: DocumentUpdate) -> MadeEdit | None:
        newest = self._newest.get(log)
        if update.continues:
            is_same = newest is not None and newest.session == update.session
            return newest if is_same else None
        typing = self._typing.get((log, update.session))
        if typing is None or update.undoes is not None:
            return None
        is_soon = order.time - typing.last.time <= PAUSE_MS_MAX
        return typing if is_soon and order.time - typing.since_ms <= TYPING_MS_MAX else None

    def edits(self) -> list[MadeEdit]:
        """Return the edits so far, those first that ended first."""
        return sorted(self._edits, key=lambda edit: edit.last)


class Whose:
    """Says which of some edits an update is part of."""

    def __init__(self, edits: Sequence[MadeEdit]) -> None:
        self._numbers: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for number, edit in enumerate(edits):
            self._numbers.setdefault((edit.log, edit.session), []).append((edit.first_seq, number))
        for numbers in self._numbers.values():
            numbers.sort()
        self._edits = edits

    def number(self, log: int, session: int, seq: int) -> int | None:
        """Return the number of the edit; None if the update is part of none."""
        numbers = self._numbers.get((log, session), [])
        at = bisect_right(numbers, seq, key=lambda known: known[0]) - 1
        if at < 0 or self._edits[numbers[at][1]].last.seq < seq:
            return None
        return numbers[at][1]


def targets(edits: Sequence[MadeEdit]) -> list[int | None]:
    """Return, for each of `edits` as `Gathering` gives them, which of them it undoes, if any."""
    found: list[int | None] = [None] * len(edits)
    returns = [number for number, edit in enumerate(edits) if edit.undoes is not None]
    named = {edits[number].undoes for number in returns}
    numbers = {
        (edit.log, edit.last.op_id): number
        for number, edit in enumerate(edits)
        if edit.last.op_id in named
    }
    for number in returns:
        target = numbers.get((edits[number].log, edits[number].undoes or b""))
        found[number] = target if target is not None and target < number else None
    return found


class Credit(NamedTuple):
    """By which number an edit goes in `p2pvalue.texts.attribution`, and whether it is a return."""

    number: int
    is_return: bool


def credits_of(edits: Sequence[MadeEdit]) -> list[Credit]:
    """Return how each edit goes: what takes back or does again goes by what it is about."""
    found: list[Credit] = []
    for number, target in enumerate(targets(edits)):
        number_of = 2 * number if target is None else found[target].number ^ 1
        found.append(Credit(number_of, target is not None))
    return found


class Standing(NamedTuple):
    """What can be taken back, newest first, and what can be done again; numbers of edits.

    `undone` has for each edit that can be done again the edit that took it back.
    """

    done: list[int]
    undone: dict[int, int]


def taken_back(edits: Sequence[MadeEdit]) -> set[int]:
    """Return the numbers of the edits that are taken back and not done again."""
    found: set[int] = set()
    for number, target in reversed(list(enumerate(targets(edits)))):
        if target is not None and number not in found:
            found.add(target)
    return found


def standing(edits: Sequence[MadeEdit], log: int | None) -> Standing:
    """Return how the edits of one log stand."""
    undoes, is_back = targets(edits), taken_back(edits)
    found = Standing([], {})
    has_written = False
    for number in reversed(range(len(edits))):
        target = undoes[number]
        if edits[number].log != log:
            continue
        if target is None:
            has_written = True  # what was taken back before is not done again, as in every editor
            if number not in is_back:
                found.done.append(number)
        elif number not in is_back and undoes[target] is None and not has_written:
            found.undone[target] = number
    return found
