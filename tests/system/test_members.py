"""Letting in, putting out, coming back and leaving, between real daemons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.system.person import Person, Refused, gathered, people


def community(person: Person) -> Any:
    return person.ask("GET", "/community")


def members(person: Person, **fields: Any) -> dict[str, Any]:
    """Members by name."""
    return {m["name"]: m for m in person.ask("GET", "/members", **fields)}


def former(person: Person, name: str) -> Any:
    """A member, or who was one; with nothing to tell if there is none of that name."""
    nobody = {"state": "", "reason": ""}
    return members(person, former="true").get(name, nobody)


def until_joining(person: Person, **wanted: Any) -> Any:
    """Return how a join goes once it goes as wanted."""

    def look() -> Any:
        joining = community(person)["joining"]
        is_so = joining is not None and all(joining[k] == v for k, v in wanted.items())
        return joining if is_so else None

    return person.until(look, f"a join with {wanted}")


def until_waiting_for(person: Person, words: str) -> None:
    person.until(lambda: words in community(person)["waiting_for"], words)


def until_state(person: Person, state: str) -> None:
    person.until(lambda: community(person)["state"] == state, f"being {state}")


def until_named(person: Person, *names: str) -> None:
    person.until(lambda: set(names) == set(members(person)), f"the members {names}")


def test_a_join_says_what_it_waits_for_and_goes_on_at_once(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben") as (ana, ben):
        ana.found("Garden")
        link = ana.invite()
        ana.stop()
        ben.join(link)
        joining = until_joining(ben, stage="away")
        assert joining["addresses_tried"] == 1
        assert joining["errors"]
        assert "to come online: 1 address tried, last " in community(ben)["waiting_for"]
        assert any(
            "joining, waiting for a member" in c["detail"] for c in ben.ask("GET", "/doctor")
        )
        ana.start()
        until_state(ben, "active")
        assert community(ben)["joining"] is None


def test_a_link_that_helps_nobody_any_more_says_so(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben", "Cleo") as (ana, ben, cleo):
        ana.found("Garden")
        used, withdrawn = ana.invite(uses=1), ana.invite(uses=5)
        [invite] = [i for i in ana.ask("GET", "/invites") if i["uses"] == 5]
        ana.ask("POST", f"/invites/{invite['invite']}/revoke")
        ben.join(used)
        until_state(ben, "active")
        for link, words in ((used, "already used"), (withdrawn, "withdrawn")):
            cleo.join(link)
            joining = until_joining(cleo, is_final=True)
            until_waiting_for(cleo, words)
            assert joining["stage"] == "refused"
        cleo.join(ana.invite())  # the same device goes on with a better link
        until_state(cleo, "active")
        states = {i["uses"]: i["state"] for i in ana.ask("GET", "/invites")}
        assert (states[1], states[5]) == ("used-up", "withdrawn")


def test_who_asks_is_let_in_by_a_person(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben", "Cleo") as (ana, ben, cleo):
        ana.found("Garden", join="request")
        link = ana.ask("GET", "/link")["link"]
        for person, words in ((ben, "I have a spade"), (cleo, "buy my pills")):
            person.ask("POST", "/communities/join", link=link, message=words)
            until_joining(person, stage="asked")
        ana.until(lambda: len(ana.ask("GET", "/requests")) == 2, "both requests")
        assert {r["name"]: r["text"] for r in ana.ask("GET", "/requests")} == {
            "Ben": "I have a spade",
            "Cleo": "buy my pills",
        }
        assert "approval: asked 1 member" in community(ben)["waiting_for"]
        ana.ask("POST", "/requests/Ben/approve")
        ana.ask("POST", "/requests/Cleo/decline")
        until_state(ben, "active")
        until_joining(cleo, is_final=True)
        assert ana.ask("GET", "/requests") == []
        until_named(ana, "Ana", "Ben")


def test_who_was_put_out_reads_on_writes_nothing_and_is_let_in_again(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben", "Cleo") as (ana, ben, cleo):
        gathered(ana, ben, cleo)
        until_named(ana, "Ana", "Ben", "Cleo")
        ben.post("before")
        ana.until_reads("before")
        cleo.until_reads("before")
        ana.ask("POST", "/members/Ben/remove", reason="took the tools")
        until_state(ben, "removed")
        with pytest.raises(Refused) as refused:
            ben.post("after")
        assert refused.value.kind == "not-allowed"
        assert ben.texts() == ["before"]
        until_named(cleo, "Ana", "Cleo")
        cleo.until(lambda: former(cleo, "Ben")["reason"] == "took the tools", "the reason")
        assert cleo.texts() == ["before"]
        ana.ask("POST", "/members/Ben/readmit")
        until_state(ben, "active")
        ben.post("back again")
        cleo.until_reads("before", "back again")


def test_a_leaked_link_is_undone_in_one_step(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben", "Cleo") as (ana, ben, cleo):
        gathered(ana, ben)
        leaked = ana.invite(uses=9)
        cleo.join(leaked)
        until_state(cleo, "active")
        [invite] = [i for i in ana.ask("GET", "/invites") if i["uses"] == 9]
        ana.until(lambda: members(ana).get("Cleo"), "Cleo's name")
        assert ana.ask("GET", f"/invites/{invite['invite']}")["removes"] == ["Cleo"]
        gone = ana.ask("POST", f"/invites/{invite['invite']}/revoke", members=True)
        assert gone["state"] == "withdrawn"
        until_state(cleo, "removed")
        until_named(ben, "Ana", "Ben")


def test_who_leaves_is_missed_by_nobody_and_may_come_back(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben") as (ana, ben):
        gathered(ana, ben)
        until_named(ana, "Ana", "Ben")
        ben.post("goodbye")
        ana.until_reads("goodbye")
        left = ben.ask("POST", "/leave")
        assert left["told"]
        assert community(ben)["state"] == "left"
        ana.until(lambda: former(ana, "Ben")["state"] == "left", "the leave")
        ana.post("after")
        ana.until(lambda: not ana.peers_in_touch(), "silence")
        assert ben.texts() == ["goodbye"]
        ben.join(ana.invite())
        assert community(ben)["state"] in ("joining", "active")
        until_state(ben, "active")
        ben.until_reads("goodbye", "after")


def test_a_wipe_leaves_nothing_of_a_community_and_other_ones_alone(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben") as (ana, ben):
        gathered(ana, ben)
        own = ben.found("Shed")
        ben.ask("POST", "/messages", text="a canary of the garden", community="Garden")
        ben.ask("POST", "/messages", text="a note for the shed", community="Shed")
        ana.until_reads("a canary of the garden")
        left = ben.ask("POST", "/leave", community="Garden", wipe=True)
        assert (left["told"], left["wiped"]) == (True, True)
        assert [c["community"] for c in ben.ask("GET", "/communities")] == [own]
        assert ben.texts() == ["a note for the shed"]
        alone = ben.ask("POST", "/leave", wipe=True)
        assert (alone["told"], alone["wiped"]) == (False, True)
        assert ben.ask("GET", "/communities") == []
        ben.stop()
        ben.start()
        ben.until_up()
        assert ben.ask("GET", "/communities") == []


def test_a_join_that_is_given_up_leaves_nothing_behind(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben") as (ana, ben):
        ana.found("Garden")
        link = ana.invite()
        ana.stop()
        ben.join(link)
        until_joining(ben, stage="away")
        assert ben.ask("POST", "/leave")["wiped"]
        assert ben.ask("GET", "/communities") == []
