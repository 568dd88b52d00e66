"""Which links of a node are open and ready, and which of two between the same peers is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from p2pvalue_protocol.effects import CloseSession, Effect, Parted, Ready, Rejected
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Answer, DevicesMade, RequestAnswered
from p2pvalue_protocol.joining import JoinServer
from p2pvalue_protocol.sessions import Sessions
from p2pvalue_protocol.sync import SyncSession
from tests.protocol.meeting import NOW_MS, Community, Link

GARDEN, KITCHEN = b"g" * 32, b"k" * 32
HEAD = Reference(bytes(32), CONTENT, 0, bytes(32))


class Script(SyncSession):
    """A session that says what it is told to, and when it is to be woken."""

    def __init__(self, community: bytes | None, *, due_ms: int | None = None) -> None:
        self._for = community
        self._due_ms = due_ms
        self.says: list[Effect] = []
        self.calls: list[str] = []

    @property
    def wants_community(self) -> bytes | None:
        return self._for

    @property
    def community(self) -> bytes | None:
        return self._for

    def next_wakeup_ms(self) -> int | None:
        return self._due_ms

    def peer_holds(self, reference: Reference) -> bool:
        return reference == HEAD

    def open(self, now_ms: int) -> list[Effect]:
        return self._did("open")

    def receive(self, frame: bytes, now_ms: int) -> list[Effect]:
        return self._did("receive")

    def poke(self, now_ms: int) -> list[Effect]:
        return self._did("poke")

    def review(self, now_ms: int) -> list[Effect]:
        return self._did("review")

    def wakeup(self, now_ms: int) -> list[Effect]:
        return self._did("wakeup")

    def fetch(self, now_ms: int) -> list[Effect]:
        return self._did("fetch")

    def end(self) -> None:
        self._did("end")

    def _did(self, call: str) -> list[Effect]:
        self.calls.append(call)
        says, self.says = self.says, []
        return says


def opened(
    own_peer_id: str, *links: tuple[str, bytes | None, bool]
) -> tuple[Sessions, list[Script]]:
    """Sessions 1, 2, ... with (peer id, community, whether we opened it)."""
    sessions = Sessions(own_peer_id)
    scripts = [Script(community) for _, community, _ in links]
    for number, (script, (peer_id, _, initiated)) in enumerate(
        zip(scripts, links, strict=True), start=1
    ):
        sessions.open_sync(number, peer_id, script, initiated=initiated, now_ms=NOW_MS)
    return sessions, scripts


def make_ready(sessions: Sessions, script: Script, number: int, peer_id: str) -> list[Effect]:
    assert script.community is not None
    script.says = [Ready(number, peer_id, script.community, None)]
    return sessions.receive(number, b"", NOW_MS)


def closed(effects: Sequence[Effect]) -> list[int]:
    return [effect.session for effect in effects if isinstance(effect, CloseSession)]


@pytest.mark.parametrize(("own", "kept"), [("a", 1), ("c", 2)])
@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_two_links_both_keep_the_one_that_the_lower_peer_id_opened(
    own: str, kept: int, order: tuple[int, int]
) -> None:
    sessions, scripts = opened(own, ("b", GARDEN, True), ("b", GARDEN, False))
    ended = [n for m in order for n in closed(make_ready(sessions, scripts[m - 1], m, "b"))]
    assert ended == [3 - kept]
    assert sessions.peers_of(GARDEN) == ["b"]
    assert sessions.receive(3 - kept, b"late", NOW_MS) == []


def test_links_for_two_communities_or_with_two_peers_are_no_twins() -> None:
    sessions, scripts = opened("a", ("b", GARDEN, True), ("b", KITCHEN, True), ("c", GARDEN, True))
    for number, (script, peer_id) in enumerate(zip(scripts, "bbc", strict=True), start=1):
        assert closed(make_ready(sessions, script, number, peer_id)) == []
    assert sessions.peers_of(GARDEN) == ["b", "c"]
    assert sessions.peers_of(KITCHEN) == ["b"]
    assert sessions.holders(GARDEN, HEAD) == 2
    assert sessions.holders(KITCHEN, HEAD) == 1


def test_who_leaves_a_community_ends_its_links_and_those_that_may_be_for_it() -> None:
    sessions, _ = opened("a", ("b", GARDEN, True), ("c", KITCHEN, True), ("d", None, False))
    assert [sessions.has_sync("b", community) for community in (GARDEN, KITCHEN)] == [True, False]
    assert closed(sessions.end_syncs(GARDEN)) == [1, 3]
    assert not sessions.has_sync("b", GARDEN)
    assert sessions.has_sync("c", KITCHEN)


def test_a_change_is_told_to_ready_links_of_its_community_but_where_it_came_from() -> None:
    sessions, scripts = opened(
        "a", ("b", GARDEN, True), ("c", GARDEN, True), ("d", KITCHEN, True), ("e", GARDEN, True)
    )
    for number in (1, 2, 3):
        make_ready(sessions, scripts[number - 1], number, "bcd"[number - 1])
    sessions.poke(GARDEN, 2, NOW_MS)
    assert ["poke" in script.calls for script in scripts] == [True, False, False, False]
    sessions.poke(KITCHEN, None, NOW_MS)
    assert [script.calls.count("poke") for script in scripts] == [1, 0, 1, 0]
    sessions.review(GARDEN, NOW_MS)
    assert ["review" in script.calls for script in scripts] == [True, True, False, True]


def test_a_link_that_ends_with_a_reason_blames_its_peer_and_is_forgotten() -> None:
    sessions, [script] = opened("a", ("b", GARDEN, True))
    make_ready(sessions, script, 1, "b")
    assert sessions.is_ready(GARDEN)
    script.says = [Parted(1, "b", GARDEN)]
    sessions.receive(1, b"", NOW_MS)
    assert not sessions.is_ready(GARDEN)
    script.says = [CloseSession(1, Reason.UNASKED)]
    assert sessions.receive(1, b"", NOW_MS) == [
        Rejected("b", Reason.UNASKED),
        CloseSession(1, Reason.UNASKED),
    ]
    assert sessions.receive(1, b"", NOW_MS) == []
    assert sessions.next_wakeup_ms() is None


def test_links_are_woken_when_they_are_due() -> None:
    sessions = Sessions("a")
    scripts = [Script(GARDEN, due_ms=due) for due in (NOW_MS + 5, None, NOW_MS + 7)]
    for number, script in enumerate(scripts, start=1):
        sessions.open_sync(number, "b", script, initiated=True, now_ms=NOW_MS)
    assert sessions.next_wakeup_ms() == NOW_MS + 5
    for now_ms, woken in ((NOW_MS + 4, []), (NOW_MS + 5, [0]), (NOW_MS + 7, [0, 0, 2])):
        sessions.wakeup(now_ms)
        calls = [n for n, s in enumerate(scripts) for call in s.calls if call == "wakeup"]
        assert calls == woken


def test_a_twin_that_another_due_link_ends_is_not_woken() -> None:
    sessions = Sessions("a")
    first, twin = Script(GARDEN, due_ms=NOW_MS + 5), Script(GARDEN, due_ms=NOW_MS + 5)
    sessions.open_sync(1, "b", first, initiated=True, now_ms=NOW_MS)
    sessions.open_sync(2, "b", twin, initiated=False, now_ms=NOW_MS)
    make_ready(sessions, twin, 2, "b")
    first.says = [Ready(1, "b", GARDEN, None)]
    assert closed(sessions.wakeup(NOW_MS + 5)) == [2]
    assert first.calls[-1] == "wakeup"
    assert "wakeup" not in twin.calls


def test_a_link_that_another_ends_while_chunks_are_asked_for_is_asked_for_none() -> None:
    sessions, [first, second] = opened("a", ("b", GARDEN, True), ("c", GARDEN, True))
    make_ready(sessions, first, 1, "b")
    make_ready(sessions, second, 2, "c")
    first.says = [CloseSession(2, None)]
    sessions.fetching.want(GARDEN, [bytes(32)])
    assert closed(sessions.fetch(NOW_MS)) == [2]
    assert ["fetch" in script.calls for script in (first, second)] == [True, False]


class Stranger(Script):
    """A session with a reader that has answered for long, and knows nobody."""

    @property
    def device(self) -> bytes | None:
        return None

    def knows(self, reference: Reference) -> bool:
        return False

    def has_lasted(self, now_ms: int) -> bool:
        return True


def test_a_device_that_has_written_nothing_has_nothing_that_others_could_know() -> None:
    community = Community("ada", "ben")
    for name, is_unknown in (("ada", True), ("new", False)):
        replica = community.node(name).replica
        assert replica.device is not None
        sessions = Sessions("a")
        reader = Stranger(community.community)
        sessions.open_sync(1, "b", reader, initiated=True, now_ms=NOW_MS)
        assert sessions.is_unknown(replica, NOW_MS) == is_unknown


def test_a_link_says_for_which_community_it_is_as_soon_as_that_is_known() -> None:
    community = Community("ada", "ben")
    link = Link(community.node("ada"), community.node("ben"))
    caller, called = link.sessions
    assert (caller.wants_community, called.wants_community) == (community.community, None)
    assert (caller.community, called.community) == (None, None)
    link.settle()
    assert {caller.wants_community, called.wants_community} == {community.community}
    assert {caller.community, called.community} == {community.community}
    assert caller.device == link.nodes[1].replica.device


class Door(JoinServer):
    """A member's side of a join link that repeats what it is told."""

    def __init__(self) -> None:
        self.told: list[Answer] = []

    def open(self, now_ms: int) -> list[Effect]:
        return []

    def next_wakeup_ms(self) -> int | None:
        return None

    def lost(self) -> list[Effect]:
        return [Parted(1, "lost", GARDEN)]

    def request_answered(self, answer: Answer) -> list[Effect]:
        self.told.append(answer)
        return [CloseSession(7, None)]


def test_an_answer_reaches_the_join_link_that_it_is_for() -> None:
    sessions, door = Sessions("a"), Door()
    sessions.open_dialogue(7, "b", door, NOW_MS)
    assert sessions.request_answered(RequestAnswered(8, "busy")) == []
    assert door.told == []
    assert closed(sessions.request_answered(RequestAnswered(7, "busy"))) == [7]
    assert door.told == ["busy"]
    assert sessions.request_answered(RequestAnswered(7, "busy")) == []


def test_who_waits_on_a_lost_link_is_told_and_nothing_of_it_is_left() -> None:
    sessions, door = Sessions("a"), Door()
    sessions.open_dialogue(7, "b", door, NOW_MS)
    assert sessions.lost(8) == []
    assert sessions.lost(7) == door.lost()
    assert sessions.lost(7) == []


def test_who_forgets_a_community_ends_its_links_and_every_dialogue() -> None:
    sessions, _ = opened("a", ("b", GARDEN, True), ("c", KITCHEN, True))
    sessions.open_dialogue(7, "d", Door(), NOW_MS)
    assert closed(sessions.end_all(GARDEN)) == [1, 7]
    assert sessions.has_sync("c", KITCHEN)
    assert sessions.lost(7) == []


def test_keys_and_answers_for_a_link_that_did_not_ask_go_nowhere() -> None:
    sessions, [script] = opened("a", ("b", GARDEN, True))
    for number in (1, 2):
        assert sessions.devices_made(DevicesMade(number, "phone", (), 0)) == []
        assert sessions.request_answered(RequestAnswered(number, "pending")) == []
    assert script.calls == ["open"]


def test_a_session_whose_link_is_gone_ends_once() -> None:
    sessions, [script] = opened("a", ("b", GARDEN, True))
    sessions.lost(1)
    sessions.lost(1)
    assert script.calls == ["open", "end"]
