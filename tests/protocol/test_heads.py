"""Comparing heads costs what differs, not what is held."""

from __future__ import annotations

import random

import pytest

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import EVERYTHING
from p2pvalue_protocol.comparison import Comparison, _ask_frames, _heads_frames
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.heads import HeadIndex, head_hash, heads_key
from p2pvalue_protocol.ids import CONTENT, Reference
from tests.protocol.replicas import founded

KEY = heads_key((bytes(32), bytes(32)))


class Held:
    """Heads without logs behind them."""

    def __init__(self, heads: set[Reference]) -> None:
        self.all = heads
        self.heads_version = 1

    def heads(self) -> list[Reference]:
        return sorted(self.all, key=lambda head: (head.device, head.log_class, head.op_id))

    def seal(self) -> None:
        pass

    def change(self, old: Reference, new: Reference) -> None:
        self.all = self.all - {old} | {new}
        self.heads_version += 1


class Pair:
    """Two comparisons that talk until nothing is left to say."""

    def __init__(self, first: Held, second: Held) -> None:
        self.held = (first, second)
        self.claims: tuple[set[Reference], set[Reference]] = (set(), set())
        self.bytes = 0
        self.frames: list[f.Frame] = []
        self.ends = tuple(
            Comparison(
                held,
                KEY,
                is_initiator=side == 0,
                gives=lambda: EVERYTHING,
                claim=self.claims[side].update,
            )
            for side, held in enumerate(self.held)
        )
        for side, frames in enumerate([end.open() for end in self.ends]):
            self.say(side, frames)

    def say(self, side: int, frames: list[f.Frame]) -> None:
        """Deliver frames of one side, and the answers, and the answers to those."""
        for frame in frames:
            self.bytes += len(f.encode_frame(frame))
            self.frames.append(frame)
            end = self.ends[1 - side]
            match frame:
                case f.Heads():
                    answer = end.on_heads(frame)
                case f.Buckets():
                    answer = end.on_buckets(frame)
                case f.Sums():
                    answer = end.on_sums(frame)
                case f.Ask():
                    answer = end.on_ask(frame)
                case _:
                    raise AssertionError(frame)
            self.say(1 - side, answer)

    def assert_each_knows_what_it_lacks(self) -> None:
        """Check that either side was told every head that only the other has."""
        for side in (0, 1):
            lacking = self.held[1 - side].all - self.held[side].all
            assert lacking <= self.claims[side]


def heads(count: int, rng: random.Random) -> set[Reference]:
    return {
        Reference(rng.randbytes(32), rng.randrange(2), rng.randrange(10_000), rng.randbytes(32))
        for _ in range(count)
    }


def moved(head: Reference, rng: random.Random) -> Reference:
    return Reference(head.device, head.log_class, head.seq + 1, rng.randbytes(32))


@pytest.mark.parametrize(
    "counts", [(0, 0), (3, 0), (0, 500), (64, 64), (65, 64), (65, 65), (900, 2_000)]
)
def test_each_side_learns_what_it_lacks(counts: tuple[int, int], rng: random.Random) -> None:
    common = heads(min(counts) // 2, rng)
    first, second = (common | heads(count - len(common), rng) for count in counts)
    Pair(Held(first), Held(second)).assert_each_knows_what_it_lacks()


@pytest.mark.parametrize("count", [0, 64, 65])
def test_up_to_64_heads_are_listed_at_once(count: int, rng: random.Random) -> None:
    pair = Pair(Held(heads(count, rng)), Held(set()))
    first = pair.frames[0]
    assert isinstance(first, f.Heads)
    assert (first.is_complete, len(first.heads)) == ((1, count) if count <= 64 else (0, 0))


def test_ten_changes_among_ten_thousand_logs_cost_ten_kilobytes(rng: random.Random) -> None:
    common = heads(10_000, rng)
    changed = rng.sample(sorted(common), 10)
    second = (common - set(changed)) | {moved(head, rng) for head in changed}
    pair = Pair(Held(common), Held(second))
    pair.assert_each_knows_what_it_lacks()
    assert pair.bytes < 10_000


def test_ten_thousand_equal_logs_cost_two_fingerprints(rng: random.Random) -> None:
    common = heads(10_000, rng)
    pair = Pair(Held(common), Held(set(common)))
    assert pair.bytes < 50
    assert all(end.is_equal for end in pair.ends)


def test_after_the_first_comparison_only_changes_are_told(rng: random.Random) -> None:
    common = heads(2_000, rng)
    first, second = Held(common | heads(1, rng)), Held(common | heads(1, rng))
    pair = Pair(first, second)
    before = pair.bytes
    old = min(common)
    new = moved(old, rng)
    first.change(old, new)
    pair.say(0, pair.ends[0].tell())
    assert new in pair.claims[1]
    assert pair.bytes - before < 150


def test_more_heads_than_one_listing_holds_are_told_in_parts(rng: random.Random) -> None:
    many = Held(heads(limits.HEADS_TOLD_MAX + 100, rng))
    pair = Pair(Held(set()), many)
    assert len(pair.claims[0]) == limits.HEADS_TOLD_MAX
    assert pair.ends[1].has_news()
    pair.say(1, pair.ends[1].tell())
    pair.assert_each_knows_what_it_lacks()
    assert not pair.ends[1].has_news()


def test_sums_of_many_heads_fill_several_frames_and_none_is_lost(
    rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SUMS_PER_FRAME_MAX", 7)
    first, second = heads(100, rng), heads(100, rng)
    pair = Pair(Held(first), Held(second))
    pair.assert_each_knows_what_it_lacks()
    shown = [frame for frame in pair.frames if isinstance(frame, f.Sums)]
    counts = [sum(len(one.sums) for one in frame.buckets) // f.SUM_BYTES for frame in shown]
    assert max(counts) == 7
    assert sum(counts) == 100
    assert [frame.is_last for frame in shown] == [0] * (len(shown) - 1) + [1]


def test_sums_without_end_are_refused(rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SUMS_MAX", 100)
    comparison = Comparison(
        Held(heads(100, rng)),
        KEY,
        is_initiator=True,
        gives=lambda: EVERYTHING,
        claim=lambda heads: None,
    )
    comparison.compare()
    for count in (60, 40):
        sums = f.BucketSums(0, rng.randbytes(f.SUM_BYTES * count))
        assert comparison.on_sums(f.Sums(0, [sums])) == []
    with pytest.raises(Refused) as refused:
        comparison.on_sums(f.Sums(0, [f.BucketSums(0, rng.randbytes(f.SUM_BYTES))]))
    assert refused.value.reason is Reason.OVER_LIMIT


def test_auth_logs_are_told_first(rng: random.Random) -> None:
    pair = Pair(Held(set()), Held(heads(2_000, rng)))
    told = [
        entry.log_class
        for frame in pair.frames
        if isinstance(frame, f.Heads)
        for entry in frame.heads
    ]
    assert told == sorted(told)


def test_a_fingerprint_depends_on_every_field_and_on_the_key(rng: random.Random) -> None:
    head = min(heads(1, rng))
    others = [
        Reference(rng.randbytes(32), head.log_class, head.seq, head.op_id),
        Reference(head.device, 1 - head.log_class, head.seq, head.op_id),
        Reference(head.device, head.log_class, head.seq + 1, head.op_id),
        Reference(head.device, head.log_class, head.seq, rng.randbytes(32)),
    ]
    fingerprints = {HeadIndex([each], KEY).fingerprint for each in (head, *others)}
    assert len(fingerprints) == 5
    other_key = heads_key((bytes(32), b"\x01" * 32))
    assert HeadIndex([head], other_key).fingerprint not in fingerprints
    assert len({head_hash(each) for each in (head, *others)}) == 5


def test_who_has_a_head_has_what_is_before_it_unless_the_log_is_forked(rng: random.Random) -> None:
    device, early, late, twin = (rng.randbytes(32) for _ in range(4))
    before, head = Reference(device, CONTENT, 3, early), Reference(device, CONTENT, 9, late)
    branch = Reference(device, CONTENT, 5, twin)
    assert HeadIndex([head], KEY).holds(before)
    assert HeadIndex([head], KEY).holds(head)
    assert not HeadIndex([before], KEY).holds(head)
    assert not HeadIndex([branch, head], KEY).holds(before)
    assert HeadIndex([branch, head], KEY).holds(branch)


def test_a_peer_holds_what_precedes_its_claim_in_a_log_that_is_held_here(
    rng: random.Random,
) -> None:
    [head] = heads(1, rng)
    [unknown] = heads(1, rng)
    comparison = Comparison(
        Held({head}), KEY, is_initiator=True, gives=lambda: EVERYTHING, claim=lambda told: None
    )
    comparison.open()
    assert not comparison.peer_holds(head)
    claims = [f.head_entry(each) for each in (moved(head, rng), moved(unknown, rng))]
    comparison.on_heads(f.Heads(b"", 0, claims))
    assert comparison.peer_holds(head)
    assert not comparison.peer_holds(unknown)
    assert not comparison.peer_holds(moved(moved(head, rng), rng))
    comparison.on_heads(f.Heads(b"", 0, [f.head_entry(unknown)]))
    assert not comparison.peer_holds(unknown)


def test_of_a_forked_log_a_claim_says_nothing_about_what_is_before_it(rng: random.Random) -> None:
    [head] = heads(1, rng)
    twin = moved(head, rng)
    claim = moved(twin, rng)
    for held, is_held in (({head}, True), ({head, twin}, False)):
        comparison = Comparison(
            Held(held), KEY, is_initiator=True, gives=lambda: EVERYTHING, claim=lambda told: None
        )
        comparison.open()
        comparison.on_heads(f.Heads(b"", 0, [f.head_entry(claim)]))
        assert comparison.peer_holds(claim)
        assert comparison.peer_holds(head) == is_held


def test_more_heads_than_fit_are_told_by_their_sum_and_compared_once_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "HEADS_WITHOUT_BUCKETS_MAX", 0)
    ana = founded()
    ana.say("one")
    told: list[Reference] = []
    comparison = Comparison(
        ana.replica,
        heads_key((bytes(32), bytes(32))),
        is_initiator=True,
        gives=lambda: EVERYTHING,
        claim=told.extend,
    )
    [opening] = comparison.open()
    assert isinstance(opening, f.Heads)
    assert (bool(opening.fingerprint), opening.heads) == (True, [])
    assert comparison.tell() == []  # the peer does not know yet what it would add to
    [buckets] = comparison.compare()
    assert isinstance(buckets, f.Buckets)
    assert comparison.compare() == []


def test_a_listing_of_any_length_ends_with_its_fingerprint_alone() -> None:
    heads = [Reference(n.to_bytes(32, "big"), CONTENT, 0, bytes(32)) for n in range(1_700)]
    for count in (0, 1, 799, 800, 801, 1_200, 1_600, 1_601, 1_700):
        frames = [each for each in _heads_frames(heads[:count], KEY) if isinstance(each, f.Heads)]
        assert [bool(frame.fingerprint) for frame in frames] == [False] * (len(frames) - 1) + [True]
        told = [f.reference_of(entry) for frame in frames for entry in frame.heads]
        assert told == heads[:count]


def test_sums_of_any_number_are_asked_for_and_the_last_frame_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "SUMS_PER_FRAME_MAX", 8)
    sums = [number.to_bytes(8, "big") for number in range(26)]
    for count in range(27):
        asks = [each for each in _ask_frames(sums[:count]) if isinstance(each, f.Ask)]
        assert [ask.is_last for ask in asks] == [0] * (len(asks) - 1) + [1]
        assert b"".join(ask.sums for ask in asks) == b"".join(sums[:count])


@pytest.mark.parametrize("is_initiator", [True, False])
def test_of_two_with_many_heads_who_called_compares(is_initiator: bool, rng: random.Random) -> None:
    one = Comparison(
        Held(heads(100, rng)),
        KEY,
        is_initiator=is_initiator,
        gives=lambda: EVERYTHING,
        claim=lambda _: None,
    )
    one.open()
    answer = one.on_heads(f.Heads(b"other" + bytes(11), 0, []))
    assert any(isinstance(frame, f.Buckets) for frame in answer) == is_initiator
    assert one.awaits_sums == is_initiator
