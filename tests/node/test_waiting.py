"""A join says what it waits for, truly and in words."""

from __future__ import annotations

from p2pvalue.node.members.waiting import RETRY_S_FIRST, RETRY_S_MAX, JoinWait, waiting_words


def words(wait: JoinWait, now_s: float = 0.0) -> str:
    return waiting_words(wait.view(now_s), "Garden")


def test_a_join_that_reaches_nobody_says_what_was_tried_and_when_again() -> None:
    wait = JoinWait()
    assert words(wait) == "the network to start"
    wait.calls(3, 100.0)
    assert words(wait) == "a member of Garden to answer: calling 3 addresses"
    wait.missed("nobody there")
    wait.retry_s = 16.0
    wait.waits(100.0, lambda: 0.5)
    assert words(wait, 104.0) == (
        "a member of Garden to come online: 3 addresses tried, last 4 s ago, next try in 12 s"
    )
    assert wait.view(104.0).errors == ["nobody there"]


def test_a_new_try_forgets_the_errors_of_the_last_but_not_what_was_answered() -> None:
    wait = JoinWait()
    wait.calls(1, 0.0)
    wait.missed("away")
    wait.answered("peer", "refused", "this invite was already used")
    wait.calls(1, 5.0)
    assert wait.view(5.0).errors == []
    assert "this invite was already used" in words(wait, 5.0)


def test_tries_grow_rarer_up_to_a_minute_and_are_never_in_step() -> None:
    slow, fast = JoinWait(), JoinWait()
    waits = [slow.waits(0.0, lambda: 0.99) for _ in range(10)]
    assert waits == sorted(waits)
    assert waits[0] < RETRY_S_FIRST * 1.25
    assert RETRY_S_MAX < waits[-1] < RETRY_S_MAX * 1.25
    assert fast.waits(0.0, lambda: 0.0) < waits[0]


def test_a_change_of_circumstances_makes_the_next_tries_quick_again() -> None:
    wait = JoinWait()
    for _ in range(10):
        wait.waits(0.0, lambda: 0.5)
    wait.hurries()
    assert wait.waits(0.0, lambda: 0.5) == RETRY_S_FIRST


def test_members_asked_are_counted_once_each() -> None:
    wait = JoinWait()
    for peer_id in ("a", "b", "a"):
        wait.answered(peer_id, "asked")
    assert words(wait) == "approval: asked 2 members of Garden"
