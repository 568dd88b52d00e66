"""Rates are kept over any stretch of time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from p2pvalue.network.limits import TokenBucket


def test_a_burst_leaves_at_once_and_then_the_rate_holds() -> None:
    bucket = TokenBucket(5.0, 20, now_s=0.0)
    assert sum(bucket.take(0.0) for _ in range(100)) == 20
    assert bucket.wait_s(0.0) == 0.2
    assert sum(bucket.take(1.0) for _ in range(100)) == 5


def test_after_silence_the_burst_is_back() -> None:
    bucket = TokenBucket(5.0, 20, now_s=0.0)
    for _ in range(20):
        bucket.take(0.0)
    assert not bucket.is_full(3.9)
    assert bucket.is_full(4.1)


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_no_pattern_gets_more_than_burst_plus_rate(pauses_s: list[float]) -> None:
    bucket, now_s, taken = TokenBucket(10.0, 5, now_s=0.0), 0.0, 0
    for pause_s in pauses_s:
        now_s += pause_s
        taken += bucket.take(now_s)
    assert taken <= 5 + 10.0 * now_s + 1e-6
