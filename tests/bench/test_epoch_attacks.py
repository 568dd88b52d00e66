"""Epochs that wrap many others cost little, in whatever order they come.

Counted, not timed: the lines of Python that are run.
"""

from __future__ import annotations

from p2pvalue_protocol.epoch_records import EpochRecord, EpochRecords
from p2pvalue_protocol.kinds.epoch import WRAPS_MAX, Wrap
from p2pvalue_protocol.sealing import SALT_BYTES
from tests.bench.lines import lines_of

MANY = 200
GROWTH_MAX = 2.6  # of the lines, for twice as many epochs


def epoch(number: int, wrapped: range) -> EpochRecord:
    wraps = tuple(Wrap(name_of(older), bytes(SALT_BYTES), bytes(48)) for older in wrapped)
    return EpochRecord(name_of(number), bytes(32), number, 1, bytes(32), (), wraps)


def name_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


def cost_of_the_missing_one(count: int) -> int:
    """Let the last of a long chain come when so many that hang above it are here."""
    records = EpochRecords(())
    for number in range(count):
        records.insert(epoch(number, range(max(0, number - 1), number)))
    for number in range(count + 1, 2 * count):
        records.insert(epoch(number, range(max(count, number - WRAPS_MAX), number)))
    lines = lines_of(lambda: records.insert(epoch(count, range(count - 1, count))))
    assert [one.epoch for one in records.deepest_first()] == [
        name_of(number) for number in reversed(range(2 * count))
    ]
    return lines


def test_what_hangs_above_an_epoch_that_was_missing_is_counted_anew_once() -> None:
    assert cost_of_the_missing_one(2 * MANY) <= GROWTH_MAX * cost_of_the_missing_one(MANY)
