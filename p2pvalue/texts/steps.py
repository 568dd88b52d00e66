"""How updates are put to the process of texts: many small ones at once, a heavy one in steps.

The library looks for a place in a long string from its beginning. One update that writes all over
megabytes, from their end to their start, takes it many seconds: in one question, it would depend on
the machine whether it is ever shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from p2pvalue_protocol.documents.update_form import Update, read_update, write_update
from p2pvalue_protocol.documents.verdict import UpdateInvalid

APPLIED_BYTES_MAX: Final = 250_000  # then others' questions come between
HEAVY_BYTES: Final = 2_048
STRUCTS_PER_STEP: Final = 32


def questions(updates: Sequence[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield what to apply at once, in order, with the number of the update that it begins with."""
    first, given, size = 0, list[bytes](), 0
    for at, update in enumerate(updates):
        steps = in_steps(update)
        if len(steps) == 1:
            given.append(update)
            size += len(update)
        if given and (len(steps) > 1 or size >= APPLIED_BYTES_MAX):
            yield first, given
            first, given, size = at + 1, [], 0
        if len(steps) > 1:
            yield from ((at, [step]) for step in steps)
            first = at + 1
    if given:
        yield first, given


def in_steps(data: bytes) -> list[bytes]:
    """Return updates of few structs each that, one after the other, say what a heavy one says."""
    if len(data) < HEAVY_BYTES:
        return [data]
    try:
        update = read_update(data)
    except UpdateInvalid:
        return [data]  # the library is to say what it thinks of it
    structs, clock = update.structs, update.first_clock
    if len(structs) <= STRUCTS_PER_STEP:
        return [data]
    steps = []
    for at in range(0, len(structs), STRUCTS_PER_STEP):
        some = structs[at : at + STRUCTS_PER_STEP]
        steps.append(Update(update.client, clock, some, ()))
        clock = steps[-1].end_clock
    if update.deletions:
        steps.append(Update(-1, -1, (), update.deletions))
    return [write_update(step) for step in steps]
