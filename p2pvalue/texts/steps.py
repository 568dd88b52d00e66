"""How updates are put to the process of texts: many small ones at once, a heavy one in steps.

The library looks for a place in a long string from its beginning. One update that writes all over
megabytes, from their end to their start, takes it many seconds: in one question, it would depend on
the machine whether it is ever shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from p2pvalue_protocol.documents.numbers import read_number
from p2pvalue_protocol.documents.update_form import Update, read_update, write_update
from p2pvalue_protocol.documents.verdict import UpdateInvalid

APPLIED_BYTES_MAX: Final = 250_000  # then others' questions come between
HEAVY_BYTES: Final = 2_048
STRUCTS_PER_STEP: Final = 32


def questions(updates: Sequence[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield what to apply at once, in order, with the number of the update that it begins with.

    Steps are made as they are asked for: others have their turn between them.
    """
    first, given, size = 0, list[bytes](), 0
    for at, data in enumerate(updates):
        heavy = _heavy(data)
        if heavy is None:
            given.append(data)
            size += len(data)
        if given and (heavy is not None or size >= APPLIED_BYTES_MAX):
            yield first, given
            first, given, size = at + 1, [], 0
        if heavy is not None:
            yield from ((at, [step]) for step in _steps(heavy))
            first = at + 1
    if given:
        yield first, given


def _heavy(data: bytes) -> Update | None:
    """Return what an update says if it is heavy."""
    # Its sections are counted first, and then the structs of the first of them.
    if len(data) < HEAVY_BYTES or data[0] == 0:
        return None
    try:
        if read_number(data, 1)[0] <= STRUCTS_PER_STEP:
            return None
        return read_update(data)
    except UpdateInvalid:
        return None  # the library is to say what it thinks of it


def _steps(update: Update) -> Iterator[bytes]:
    """Yield updates of few structs each that, one after the other, say the same."""
    clock = update.first_clock
    for at in range(0, len(update.structs), STRUCTS_PER_STEP):
        some = update.structs[at : at + STRUCTS_PER_STEP]
        step = Update(update.client, clock, some, ())
        clock = step.end_clock
        yield write_update(step)
    if update.deletions:
        yield write_update(Update(-1, -1, (), update.deletions))
