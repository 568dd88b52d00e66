"""Whatever happens to links, copies that meet often enough become equal, the same way each time."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import Community, Link, Node, assert_equal_nodes

FOUNDERS = ("ada", "ben", "cleo")


class Village:
    """Nodes whose links open, carry some frames, and break at any moment.

    Two of them use one device key, so that its logs fork.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.community = Community(*FOUNDERS)
        self.nodes = [self.community.node(name) for name in (*FOUNDERS, FOUNDERS[0])]
        self.links: dict[tuple[int, int], Link] = {}
        self.said = 0
        self.transcript = hashlib.sha256()

    def live(self, steps: int) -> None:
        """Do random things."""
        for step in range(steps):
            if step == steps // 2:
                self._welcome()
            action = self.rng.choice((self._say, self._say, self._connect, self._cut, self._talk))
            action()

    def _say(self) -> None:
        node = self.rng.choice(self.nodes)
        if node.may_write():
            times = self.rng.choice((1, 1, 1, 70))
            node.say(f"after {self.said}", times=times)
            self.said += times
        for pair, link in self.links.items():
            for side in (0, 1):
                if self.nodes[pair[side]] is node and not link.closed:
                    link.poke(side)

    def _connect(self) -> None:
        one, two = self.rng.sample(range(len(self.nodes)), 2)
        self.links[one, two] = self._link(one, two)

    def _link(self, one: int, two: int) -> Link:
        return Link(self.nodes[one], self.nodes[two], seed=self.rng.randrange(2**32))

    def _cut(self) -> None:
        if self.links:
            self._leave(self.rng.choice(sorted(self.links)))

    def _leave(self, pair: tuple[int, int]) -> None:
        link = self.links.pop(pair)
        link.cut()
        assert not any(reason for _, reason in link.closed), "an honest peer was blamed"
        for frames in link.sent:
            for frame in frames:
                self.transcript.update(frame)

    def _talk(self) -> None:
        for pair in sorted(self.links):
            link = self.links[pair]
            link.now_ms += self.rng.randrange(200)
            for _ in range(self.rng.randrange(12)):
                side = self.rng.randrange(2)
                if link.wires[side]:
                    link.deliver(side)
                else:
                    link.act(side, link.sessions[side].wakeup)

    def _welcome(self) -> None:
        host, guest = (
            self.rng.choice([n for n in self.nodes if n.may_write()]),
            newcomer(self.community),
        )
        invite(host)
        joined = JoinLink(guest, host).run().joined
        assert joined[-1].state == "admitted"
        Link(guest, host).settle()
        self.nodes.append(guest)

    def meet(self) -> None:
        """Let everybody meet everybody, in a row and back; one meeting makes two equal."""
        for pair in sorted(self.links):
            self._leave(pair)
        row = list(range(len(self.nodes)))
        self.rng.shuffle(row)
        for one, two in pairwise(row):
            self._say_to(self._meeting(one, two))
        for one, two in pairwise(reversed(row)):
            self._meeting(one, two)
        for pair in sorted(self.links):
            self._leave(pair)

    def _meeting(self, one: int, two: int) -> Link:
        link = self.links[one, two] = self._link(one, two)
        link.wait(200, self.rng)
        assert_equal_nodes(*link.nodes)
        return link

    def _say_to(self, link: Link) -> None:
        for side, node in enumerate(link.nodes):
            if node.may_write():
                node.say(f"to a friend {self.said}")
                self.said += 1
                link.poke(side)
                link.wait(100, self.rng)
                assert_equal_nodes(*link.nodes)


def village_of(seed: int) -> Village:
    village = Village(random.Random(seed))
    village.live(120)
    village.meet()
    return village


def transcript_of(seed: int) -> str:
    """A hash of every frame that everybody sent."""
    return village_of(seed).transcript.hexdigest()


def shown(nodes: list[Node]) -> set[int]:
    return {node.texts() for node in nodes}


def test_what_was_asked_for_too_early_is_asked_for_again_once_a_peer_tells_of_it() -> None:
    village = village_of(1_175_250_415)
    assert_equal_nodes(*village.nodes)


@pytest.mark.parametrize("year", range(4))
def test_nodes_whose_links_break_at_any_moment_converge(year: int, seed: int) -> None:
    village = village_of(seed + year)
    assert_equal_nodes(*village.nodes)
    assert shown(village.nodes) == {village.said}
    for one, two in combinations(village.nodes, 2):
        link = Link(one, two)
        link.settle()
        assert link.operations_sent() == []


def test_one_seed_gives_one_transcript_under_every_hash_seed(seed: int) -> None:
    program = f"from tests.laws import test_sync as t; print(t.transcript_of({seed}))"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).resolve().parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1", "2")
    ]
    transcripts = {run.communicate()[0].strip() for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert transcripts == {transcript_of(seed)}
