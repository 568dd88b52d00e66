"""Who may lose all, go, or come again: of the core is asked only what its pages promise."""

from __future__ import annotations

import pytest

from p2pvalue.sim import Event, Scenario, people
from p2pvalue.sim.campaign import run_plan
from p2pvalue.sim.plan import plan_of
from p2pvalue.sim.world import Report

LOST = Event(12_000, "recover", 0)  # the founder's machine, with its disk


def became(*events: Event, hostile: str = "", machines: int = 3) -> Report:
    writes = [Event(at_ms, "write", at_ms % 3, amount=2) for at_ms in range(4_000, 28_000, 501)]
    hostile_at = {str(machines - 1): hostile} if hostile else {}
    plan = (*sorted([*writes, *events], key=lambda event: event.at_ms),)
    scenario = Scenario("small", machines=(machines, machines), events=plan, hostile_at=hostile_at)
    return run_plan(plan_of(scenario, seed=5))


def test_a_founder_who_lost_all_comes_back_where_nobody_could_put_the_others_out() -> None:
    report = became(LOST)
    assert report.failures == ()
    assert report.deeds["recover"] == 1


def test_a_founder_is_spared_where_an_admin_could_put_all_others_out_meanwhile() -> None:
    report = became(Event(6_000, "promote", 0, other=2), LOST, hostile="coup")
    assert report.failures == ()
    assert report.deeds["recover"] == 0


def test_a_founder_is_spared_until_those_whom_an_admin_put_out_are_back() -> None:
    apart = Event(8_000, "cut", others=(1,), amount=2, for_ms=18_000)  # she takes herself for in
    coup = (Event(6_000, "promote", 0, other=3), Event(20_000, "remove", 0, other=3))
    report = became(apart, *coup, Event(20_500, "recover", 0), hostile="coup", machines=4)
    assert report.failures == ()
    assert report.deeds["recover"] == 1


def test_a_word_that_was_lost_with_a_disk_is_said_again() -> None:
    back = (Event(8_000, "remove", 0, other=1), Event(12_001, "readmit", 0, other=1))
    apart = Event(12_000, "cut", others=(0,), amount=1, for_ms=4_000)  # nobody hears of it
    report = became(*back, apart, Event(14_000, "recover", 0))
    assert report.failures == ()
    assert (report.deeds["readmit"], report.deeds["recover"]) == (1, 1)


def test_who_alone_could_let_the_founder_in_again_stays_until_she_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    going = (LOST, Event(12_001, "leave", 1), Event(12_001, "leave", 2))
    report = became(*going)
    assert report.failures == ()
    assert report.deeds["leave"] == 2
    monkeypatch.setattr(people, "has_company", lambda *_: True)
    assert "machine-00 is not in" in "\n".join(became(*going).failures)


def test_who_was_let_in_by_a_liar_in_vain_asks_somebody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apart = Event(16_000, "cut", others=(1, 3), amount=2, for_ms=13_000)
    joining = (apart, Event(17_000, "join", 1))
    report = became(*joining, hostile="equivocate", machines=4)
    assert report.failures == ()
    assert report.deeds["came in again"] == 1
    # To the liar alone, again and again.
    honest = {0, 2}
    monkeypatch.setattr(
        people.People, "asked_in_vain", lambda _, actor: honest if actor.number == 1 else set()
    )
    failures = "\n".join(became(*joining, hostile="equivocate", machines=4).failures)
    assert "machine-00 lacks a member" in failures
