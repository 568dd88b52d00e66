"""A node reminds of what waits for somebody to decide, and names the command that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from p2pvalue import types as t
from p2pvalue.node.reminders import reminders

if TYPE_CHECKING:
    from p2pvalue.node.community import Community
    from p2pvalue.node.context import State

NOW_MS = 1_800_000_000_000


class People(NamedTuple):
    gone: list[t.MemberView]

    def former(self) -> list[t.MemberView]:
        return self.gone


class Asking(NamedTuple):
    names: list[str]

    def all(self) -> list[t.RequestView]:
        return [t.RequestView(request="9" * 64, name=n, text="", time=1) for n in self.names]


class Straw(NamedTuple):
    people: People
    requests: Asking


def reminded(
    gone: list[t.MemberView] | None = None,
    asking: list[str] | None = None,
    state: State = "active",
) -> list[str]:
    straw = Straw(People(gone or []), Asking(asking or []))
    return reminders(cast("Community", straw), state, NOW_MS)


def out(**fields: object) -> t.MemberView:
    view = t.MemberView(
        member="b" * 64, name="Bo", rank=None, devices=[], is_me=False, state="removed"
    )
    return msgspec.structs.replace(view, **fields)


def test_nothing_to_decide_is_nothing_to_say() -> None:
    assert reminded([out(), out(state="left"), out(until=NOW_MS + 1)]) == []


def test_a_term_that_is_over_is_told() -> None:
    [told] = reminded([out(until=NOW_MS)])
    assert "the term of Bo's removal is over" in told
    assert "p2pvalue member readmit bbbbbbbb" in told


def test_who_was_put_out_is_told_by_whom_and_why() -> None:
    own = out(is_me=True, removed_by="Ana", reason="spam")
    [told] = reminded([out(removed_by="Eve"), own], state="removed")
    assert told.startswith("you were put out by Ana (spam): ")


def test_a_member_whose_device_alone_was_put_out_is_not_told_that_she_was() -> None:
    assert reminded([out()], state="removed") == []


def test_an_admission_that_was_voided_is_told_with_its_remedy() -> None:
    [told] = reminded([out(state="voided")])
    assert "`p2pvalue member readmit bbbbbbbb` heals that" in told


def test_requests_are_told_by_name() -> None:
    [told] = reminded(asking=["Eve", "Fay", "Gil", "Hal", "Ivo"])
    assert told == "waiting to be let in: Eve, Fay, Gil and 2 more: `p2pvalue request list`"


def test_who_is_out_is_told_what_is_left_to_her() -> None:
    straw = cast("Community", Straw(People([out(is_me=True)]), Asking(["Eve"])))
    assert "stays to be read" in reminders(straw, "removed", NOW_MS)[0]
    assert "new link" in reminders(straw, "left", NOW_MS)[0]
