"""Garbage in cycles: what stays is looked at seldom, and what goes is found in the end."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from p2pvalue import collecting


class Knot:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave Python's collector as it was."""
    yield
    gc.callbacks.remove(collecting._put_aside)
    gc.unfreeze()


def test_what_outlives_a_full_collection_is_not_looked_at_by_the_next() -> None:
    collecting.begin_collecting()
    kept = [Knot() for _ in range(10_000)]
    gc.collect()
    assert gc.get_count()[2] == 0
    assert not any(isinstance(found, Knot) for found in gc.get_objects())
    assert len(kept) == 10_000


def test_a_young_knot_is_found_by_a_collection() -> None:
    collecting.begin_collecting()
    knot = weakref.ref(Knot())
    gc.collect()
    assert knot() is None


async def test_a_knot_that_was_put_aside_is_found_when_nothing_else_is_to_be_done(
    mock_clock: trio.testing.MockClock,
) -> None:
    collecting.begin_collecting()
    knot = Knot()
    found = weakref.ref(knot)
    gc.collect()
    del knot
    gc.collect()
    assert found() is not None, "it is aside"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(collecting.collect_in_quiet_moments)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(collecting.ALL_EVERY_S)
        await trio.testing.wait_all_tasks_blocked()
        assert found() is None
        nursery.cancel_scope.cancel()
