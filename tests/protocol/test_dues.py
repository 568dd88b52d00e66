"""Among many things the earliest is known, whatever was set, moved and dropped before."""

from __future__ import annotations

from random import Random

import pytest

from p2pvalue_protocol.dues import Dues


@pytest.mark.parametrize("seed", range(20))
def test_the_earliest_and_what_is_due_are_what_a_look_at_all_would_find(seed: int) -> None:
    rng = Random(seed)
    dues, plain = Dues(), dict[int, int]()
    for now_ms in range(2_000):
        number = rng.randrange(12)
        due_ms = None if rng.random() < 0.2 else now_ms + rng.randrange(-5, 60)
        dues.set(number, due_ms)
        plain.pop(number, None)
        if due_ms is not None:
            plain[number] = due_ms
        assert dues.next_ms() == min(plain.values(), default=None), f"seed {seed} at {now_ms}"
        if rng.random() < 0.3:
            taken = sorted(n for n, due_ms in plain.items() if due_ms <= now_ms)
            assert dues.take(now_ms) == taken, f"seed {seed} at {now_ms}"
            for number in taken:
                del plain[number]


def test_times_that_were_moved_take_no_room_for_ever() -> None:
    dues = Dues()
    dues.set(1, 0)
    for moved_ms in range(100_000):
        dues.set(2, 1_000_000 - moved_ms if moved_ms % 2 else 2_000_000 + moved_ms)
    assert len(dues._heap) < 200
    assert dues.next_ms() == 0
