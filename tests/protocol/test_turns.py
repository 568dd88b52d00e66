"""A long log comes once, however many peers hold it; and nobody holds it up by keeping it back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from p2pvalue_protocol import limits
from p2pvalue_protocol.frames import Ops, Want, Wants, decode_frame
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.turns import Turns
from tests.protocol.meeting import NOW_MS, Community, Link, Node, assert_equal_nodes

LONG = 4 * limits.TURN_OPERATIONS_MIN


class Crowd:
    """A newcomer to a long log, in touch with some who hold it; 0 is the first that it meets."""

    def __init__(self, peers: int, *, length: int = LONG) -> None:
        community = Community("anna", "ben", "carl", "dora")
        self.newcomer = community.node("dora")
        writer = community.node("anna")
        writer.say("hello", times=length)
        self.peers = [writer]
        for name in ("ben", "carl")[: peers - 1]:
            peer = community.node(name)
            peer.take(writer.runs())
            self.peers.append(peer)
        self.links: list[Link] = []
        for number, peer in enumerate(self.peers):
            self.links.append(Link(self.newcomer, peer, seed=number, session=number))
        self.now_ms = NOW_MS

    def talk(self, *, silent: Sequence[int] = ()) -> None:
        """Deliver all frames that are under way, but those of who is silent about operations."""
        is_moving = True
        while is_moving:
            is_moving = False
            for number, link in enumerate(self.links):
                for side in (0, 1):
                    if link.wires[side]:
                        is_moving = True
                        self._deliver(link, side, is_silent=number in silent)
                    due_ms = link.sessions[side].next_wakeup_ms()
                    if due_ms is not None and due_ms <= self.now_ms and not link.closed:
                        is_moving = True
                        link.act(side, link.sessions[side].wakeup)

    def _deliver(self, link: Link, side: int, *, is_silent: bool) -> None:
        if is_silent and isinstance(decode_frame(link.wires[side][0]), Ops):
            link.wires[side].popleft()
        else:
            link.deliver(side)

    def pass_time(self, ms: int, *, silent: Sequence[int] = ()) -> None:
        """Let time pass for everybody, and all talk."""
        self.now_ms += ms
        for link in self.links:
            link.now_ms = self.now_ms
        self.talk(silent=silent)

    def asked(self) -> list[int]:
        """Which peers the newcomer asked for the long log."""
        return [n for n, link in enumerate(self.links) if wants_of(link, self.peers[0])]

    def operations_sent(self) -> int:
        """How many operations of the long log the newcomer was sent in all."""
        runs = [run for link in self.links for run in link.operations_sent()]
        return sum(len(run.items) for run in runs if run.log_class == CONTENT)


def test_a_long_log_comes_from_one_of_three_peers_only() -> None:
    crowd = Crowd(3)
    held = crowd.peers[0].texts()
    crowd.talk()
    assert crowd.newcomer.texts() == held == LONG
    assert crowd.asked() == [0]
    assert crowd.operations_sent() < LONG + limits.TURN_OPERATIONS_MIN
    crowd.pass_time(3 * limits.TURN_MS)
    assert crowd.asked() == [0]
    assert_equal_nodes(crowd.newcomer, *crowd.peers)


def test_a_short_log_is_asked_of_everybody_at_once() -> None:
    crowd = Crowd(3, length=limits.TURN_OPERATIONS_MIN // 2)
    crowd.talk()
    assert crowd.asked() == [0, 1, 2]


def test_who_keeps_silent_holds_up_the_next_in_line_for_one_turn() -> None:
    crowd = Crowd(3)
    crowd.talk(silent=[0])
    assert crowd.asked() == [0]
    assert crowd.links[1].sessions[0].next_wakeup_ms() == crowd.now_ms + limits.TURN_MS
    crowd.pass_time(limits.TURN_MS - 1, silent=[0])
    assert crowd.asked() == [0]
    crowd.pass_time(1, silent=[0])
    assert crowd.asked() == [0, 1]
    assert crowd.newcomer.texts() == LONG


def test_of_two_who_keep_silent_each_holds_up_the_rest_for_one_turn() -> None:
    crowd = Crowd(3)
    crowd.talk(silent=[0, 1])
    crowd.pass_time(limits.TURN_MS, silent=[0, 1])
    assert crowd.asked() == [0, 1]
    crowd.pass_time(limits.TURN_MS, silent=[0, 1])
    assert crowd.asked() == [0, 1, 2]
    assert crowd.newcomer.texts() == LONG


@pytest.mark.parametrize(("signatures", "asked"), [(2, [0]), (1, [0, 1])])
def test_only_who_brings_enough_in_a_turn_is_waited_for(signatures: int, asked: list[int]) -> None:
    two = 2 * limits.SIGNATURE_EVERY - 1  # the log begins with an epoch, which is held
    crowd = Crowd(2, length=two * limits.TURN_SHARE)
    crowd.talk(silent=[0])
    [head] = [h for h in crowd.peers[0].heads() if h.log_class == CONTENT]
    for _ in range(signatures):
        seq = crowd.newcomer.texts() + 1
        runs, _ = crowd.peers[0].replica.runs(CONTENT, head.device, seq, head.op_id, 1)
        crowd.newcomer.take(runs)
    assert signatures == round(crowd.newcomer.texts() / limits.SIGNATURE_EVERY)
    crowd.pass_time(limits.TURN_MS, silent=[0])
    assert crowd.asked() == asked


def test_who_is_gone_holds_up_the_next_in_line_until_it_looks() -> None:
    crowd = Crowd(3)
    crowd.talk(silent=[0, 1])
    crowd.links[0].cut()
    crowd.pass_time(limits.TURN_MS, silent=[0, 1])
    assert crowd.asked() == [0, 1]
    assert crowd.newcomer.texts() == 0


def test_what_others_name_meanwhile_is_not_waited_for_anew() -> None:
    crowd = Crowd(2)
    crowd.talk(silent=[0])
    crowd.pass_time(limits.TURN_MS - 2 * limits.TELL_MS_MIN, silent=[0])
    crowd.peers[1].say("I answer")  # names the head of the long log
    crowd.links[1].poke(1)
    crowd.pass_time(limits.TELL_MS_MIN, silent=[0])
    assert crowd.asked() == [0]
    crowd.pass_time(limits.TELL_MS_MIN, silent=[0])
    assert crowd.asked() == [0, 1]


def test_a_clock_set_back_makes_nobody_wait_longer() -> None:
    crowd = Crowd(2)
    crowd.talk(silent=[0])
    for link in crowd.links:
        link.set_back(86_400_000)
    crowd.now_ms -= 86_400_000
    crowd.pass_time(limits.TURN_MS - 1, silent=[0])
    assert crowd.asked() == [0]
    crowd.pass_time(1, silent=[0])
    assert crowd.asked() == [0, 1]


def wants_of(link: Link, author: Node) -> list[Want]:
    """What the newcomer asked on a link of the long log."""
    frames = [decode_frame(frame) for frame in link.sent[0]]
    wants = [want for frame in frames if isinstance(frame, Wants) for want in frame.wants]
    device = author.replica.device
    return [want for want in wants if (want.device, want.log_class) == (device, CONTENT)]


def test_when_a_long_log_has_come_its_line_is_empty() -> None:
    crowd = Crowd(3)
    crowd.talk()
    crowd.peers[0].say("more", times=LONG)
    more = crowd.peers[0].runs()
    crowd.peers[2].take(more)
    crowd.links[2].poke(1)
    crowd.pass_time(limits.TELL_MS_MIN)
    assert crowd.asked() == [0, 2]
    assert crowd.newcomer.texts() == 2 * LONG


def test_who_is_gone_leaves_every_line_and_an_empty_one_is_forgotten() -> None:
    turns, gone, behind = Turns(), object(), object()
    logs = [(bytes(32), bytes([number]) * 32) for number in range(3)]
    for log in logs:
        assert turns.place(log, gone) == 0
        assert turns.place(log, behind) == 1
    turns.leave_all(gone)
    assert [turns.place(log, behind) for log in logs] == [0, 0, 0]
    turns.leave_all(behind)
    assert turns._lines == {}
