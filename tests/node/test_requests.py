"""Requests to be let in wait for a person's answer, and a crowd of strangers takes little room."""

from __future__ import annotations

from p2pvalue.node.members.requests import REQUESTS_MAX, Asked, PendingRequests
from p2pvalue.store import MemoryStore

GARDEN = b"g" * 32


def asked(number: int, text: str = "let me in", time_ms: int = 0) -> Asked:
    root = number.to_bytes(32, "big")
    return Asked(root, root, f"newcomer {number}", text, time_ms or 1_000 + number)


def test_a_request_is_kept_once_and_its_newest_words_count() -> None:
    pending = PendingRequests(MemoryStore(), GARDEN)
    assert pending.put(asked(1, "hello")) == "new"
    assert pending.put(asked(1, "please", time_ms=9_999)) == "known"
    [kept] = pending.all()
    assert (kept.text, kept.time_ms) == ("please", 1_001)


def test_requests_are_there_after_a_restart_oldest_first() -> None:
    store = MemoryStore()
    for number in (3, 1, 2):
        PendingRequests(store, GARDEN).put(asked(number))
    assert [a.name for a in PendingRequests(store, GARDEN).all()] == [
        "newcomer 1",
        "newcomer 2",
        "newcomer 3",
    ]
    assert PendingRequests(store, b"h" * 32).all() == []


def test_a_no_is_remembered_for_the_next_time() -> None:
    pending = PendingRequests(MemoryStore(), GARDEN)
    pending.put(asked(1))
    pending.decline(asked(1).root)
    assert pending.put(asked(1, "pretty please")) == "known"
    assert pending.is_declined(asked(1).root)
    assert not pending.is_declined(asked(2).root)


def test_a_crowd_pushes_nobody_out_but_those_who_had_their_answer() -> None:
    pending = PendingRequests(MemoryStore(), GARDEN)
    for number in range(REQUESTS_MAX):
        assert pending.put(asked(number)) == "new"
    assert pending.put(asked(REQUESTS_MAX)) == "full"
    pending.decline(asked(0).root)
    assert pending.put(asked(REQUESTS_MAX)) == "new"
    assert len(pending.all()) == REQUESTS_MAX
    assert asked(1) in pending.all()
