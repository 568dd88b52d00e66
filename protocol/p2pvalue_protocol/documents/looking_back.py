"""What looking back at a document asks of its facts: who is in a past, how large an update is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.op_ids import MARK_BYTES
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.update_form import STRING, read_update

_DIGITS: Final = frozenset("0123456789abcdef")


class Letters(NamedTuple):
    """How many code points an update inserts and deletes; what it does both to counts as neither.

    In a rich document, marks and blocks that are deleted count as letters.
    """

    inserted: int
    deleted: int


def ids_like(facts: Facts, digits: str) -> Iterator[bytes]:
    """Yield the ids of updates that were judged and begin with such hexadecimal digits.

    Few are asked for: those whose kept bytes begin so. None begins with what are no digits.
    """
    digits = digits.strip().lower()
    if not _DIGITS.issuperset(digits):
        return
    whole = min(len(digits) // 2, MARK_BYTES)
    beginning = bytes.fromhex(digits[: 2 * whole])
    for branch in facts.branches.values():
        marks = branch.ids.marks
        at = marks.find(beginning)
        while 0 <= at < len(marks):
            place, beside = divmod(at, MARK_BYTES)
            if not beside and branch.ids[place].hex().startswith(digits):
                yield branch.ids[place]
            at = marks.find(beginning, at + 1)


def through(facts: Facts, heads: Iterable[bytes]) -> dict[int, int]:
    """Return what some updates and their pasts are: by branch, the seq of the last one in it.

    Raises KeyError for an update that was not judged. Costs the branches, not the updates.
    """
    counts: dict[int, int] = {}
    for head in heads:
        branch, place = facts.find(head)
        for number, count in (*branch.known_at(place).items(), (branch.number, place + 1)):
            counts[number] = max(count, counts.get(number, 0))
    return {number: facts.branches[number].ids.seqs[count - 1] for number, count in counts.items()}


def is_effective(facts: Facts, placement: Placement) -> bool:
    """Return whether an update was judged and breaks no rule."""
    try:
        branch, place = facts.place_of(placement)
    except KeyError:
        return False
    return bool(branch.is_valid[place])


def letters_of(facts: Facts, placement: Placement, data: bytes) -> Letters:
    """Return how much an update that counts, with these bytes, inserts and deletes; ~15 µs."""
    update = read_update(data)
    strings = (s for s in update.structs if s.content == STRING and not s.is_keyed)
    inserted = sum(struct.length - len(struct.lows) for struct in strings)
    if not update.deletions:
        return Letters(inserted, 0)
    past = facts.past_at(placement, update)
    deleted = 0
    for client, ranges in update.deletions:
        for start, length in ranges:
            for strand, first, end in past.parts(client, start, start + length) or ():
                last = min(end, past.first) if strand is past.writing else end
                deleted += sum(clock not in strand.lows for clock in range(first, last))
    return Letters(inserted, deleted)
