"""Every check of the simulator can fail: break a promise on purpose, and see it noticed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from p2pvalue.sim import Event, Plan, Scenario, needs
from p2pvalue.sim.campaign import run_plan
from p2pvalue.sim.disk import MemoryDisk
from p2pvalue.sim.files import Files
from p2pvalue.sim.network import Link, Network
from p2pvalue.sim.people import People
from p2pvalue.sim.plan import plan_of
from p2pvalue.store import Store
from p2pvalue_protocol import writing
from p2pvalue_protocol.inputs import FrameReceived
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.needs.acts import Act
from p2pvalue_protocol.operation import Core
from p2pvalue_protocol.replica import Replica

WRITES = tuple(Event(at_ms, "write", at_ms % 4, amount=2) for at_ms in range(4_000, 28_000, 501))


def plan(*events: Event) -> Plan:
    """Four machines that write all the time, and what befalls them."""
    scenario = Scenario("small", machines=(4, 4), events=(*WRITES, *events))
    return plan_of(scenario, seed=5)


CALM = plan()
CRASHES = plan(*(Event(at_ms, "crash", 1) for at_ms in (10_000, 20_000)))
REMOVAL = plan(
    Event(12_000, "cut", others=(1, 2), amount=2, for_ms=12_000), Event(13_000, "remove", 0, 2)
)


def failures_of(plan: Plan) -> str:
    return "\n".join(run_plan(plan).failures)


@pytest.mark.parametrize("plan", [CALM, CRASHES, REMOVAL], ids=["calm", "crashes", "removal"])
def test_the_worlds_that_are_broken_here_are_sound(plan: Plan) -> None:
    assert failures_of(plan) == ""


def test_a_disk_that_forgets_everything_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wipe(disk: MemoryDisk) -> None:
        disk._store = MemoryDisk()._store

    monkeypatch.setattr(MemoryDisk, "kill", wipe)
    assert "machine-01 lost what was acknowledged" in failures_of(CRASHES)


def test_a_disk_that_goes_back_in_time_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    older: dict[int, MemoryDisk] = {}

    def go_back(disk: MemoryDisk) -> None:
        disk._store = older.setdefault(id(disk), disk.copy()).copy()._store

    monkeypatch.setattr(MemoryDisk, "kill", go_back)
    failures = failures_of(CRASHES)
    assert "machine-01 came back with other heads of its own logs" in failures
    assert "machine-01 lost what was acknowledged" in failures
    assert "holds a fork of an honest log" in failures


def test_what_depends_on_the_order_of_arrival_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: Iterator[int] = count()
    visible = Membership.visible

    def moody(membership: Membership, *asked: object) -> bool:
        return next(turns) % 7 != 0 and visible(membership, *asked)  # type: ignore[arg-type]  # as asked

    monkeypatch.setattr(Membership, "visible", moody)
    assert "sees something else than what it holds" in failures_of(CALM)


def test_a_removal_that_hides_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Membership, "visible", lambda *_: True)
    assert "shows what counts no more" in failures_of(REMOVAL)


def test_a_removal_that_leaves_the_keys_as_they_are_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Membership, "uncovered", lambda *_: False)
    assert "machine-02 reads what is not for it" in failures_of(REMOVAL)


def test_a_file_that_does_not_come_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = plan(Event(10_000, "share", 1), Event(11_000, "share", 2))
    assert failures_of(shared) == ""
    monkeypatch.setattr(Files, "look", lambda _: None)
    assert "chunks that others have" in failures_of(shared)


def test_a_need_that_stands_elsewhere_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = needs._opened
    asked: list[Store] = []

    def forgetful(copy: Replica, store: Store, subject: bytes) -> Iterator[Act]:
        asked.append(store)
        said = list(opened(copy, store, subject))
        return iter(said if store is asked[0] else said[1:])

    monkeypatch.setattr(needs, "_opened", forgetful)
    assert "finds a need elsewhere than the first does" in failures_of(CALM)


def test_who_says_too_little_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(People, "write_what_is_missing", lambda *_: 0)
    assert "nobody wrote the last" in failures_of(CALM)


def test_a_text_in_the_clear_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_letter(secret: bytes, core: Core, plaintext: bytes, salt: bytes) -> bytes:
        return salt + plaintext

    monkeypatch.setattr(writing, "seal_payload", open_letter)
    assert "in the clear" in failures_of(CALM)


def test_blame_among_the_honest_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: Iterator[int] = count()
    arrive = Network._arrive

    def spoil(network: Network, link: Link, receiver: int, arrival: FrameReceived) -> None:
        if next(turns) % 50 == 49:
            arrival = FrameReceived(arrival.session, arrival.frame[:-1])
        arrive(network, link, receiver, arrival)

    monkeypatch.setattr(Network, "_arrive", spoil)
    assert "blamed machine-" in failures_of(CALM)


def test_a_defect_of_the_core_is_a_failure_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise AssertionError("a defect made on purpose")

    monkeypatch.setattr(Membership, "keeps_of", stumble)
    assert "AssertionError in stumble: a defect made on purpose" in failures_of(CALM)
