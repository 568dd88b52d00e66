"""What a line does to packets, without any network."""

from __future__ import annotations

import random

from tests.badnet.line import QUEUE_S_MAX, Direction, Line, Rhythm

PACKET_BYTES = 1000


def arrivals_s(line: Line, count: int, every_s: float, rng: random.Random) -> list[float | None]:
    direction = Direction(line, rng)
    return [direction.arrival_s(PACKET_BYTES, number * every_s) for number in range(count)]


def test_a_packet_takes_the_delay_of_its_line(rng: random.Random) -> None:
    assert arrivals_s(Line(delay_ms=40), 3, 1.0, rng) == [0.04, 1.04, 2.04]


def test_jitter_delays_but_never_lets_a_packet_overtake(rng: random.Random) -> None:
    arrived = arrivals_s(Line(delay_ms=10, jitter_ms=50), 1_000, 0.001, rng)
    times_s = [at for at in arrived if at is not None]
    assert times_s == sorted(times_s)
    late_s = [at - number * 0.001 for number, at in enumerate(times_s)]
    assert min(late_s) >= 0.01
    assert 0.03 < max(late_s) <= 0.0600001


def test_about_the_share_that_should_be_lost_is_lost(rng: random.Random) -> None:
    arrived = arrivals_s(Line(loss_share=0.1), 10_000, 0.001, rng)
    assert 800 < arrived.count(None) < 1_200


def test_a_narrow_line_sends_one_packet_after_the_other(rng: random.Random) -> None:
    arrived = arrivals_s(Line(kbit_per_s=64), 3, 0.0, rng)
    assert [round(at or 0.0, 6) for at in arrived] == [0.125, 0.25, 0.375]


def test_a_narrow_line_loses_what_its_buffer_cannot_hold(rng: random.Random) -> None:
    arrived = arrivals_s(Line(kbit_per_s=64), 100, 0.0, rng)
    carried = [at for at in arrived if at is not None]
    assert len(carried) == QUEUE_S_MAX * 64_000 / (PACKET_BYTES * 8) + 1


def test_a_way_flaps_in_its_rhythm() -> None:
    rhythm = Rhythm(begun_s=100.0, open_s=3.0, closed_s=2.0)
    seconds = range(100, 111)
    assert [s for s in seconds if rhythm.is_closed(s)] == [103, 104, 108, 109]


def test_a_way_without_open_time_stays_closed() -> None:
    rhythm = Rhythm(begun_s=100.0, open_s=0.0, closed_s=1.0)
    assert all(rhythm.is_closed(100.0 + n / 10) for n in range(50))
