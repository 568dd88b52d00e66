"""Who was voted out may write on for ever: nobody stores it, and all honest nodes stay equal."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import removal
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import key_named
from tests.protocol.meeting import NOW_MS, Community, Link, assert_equal_nodes
from tests.protocol.replicas import Chain

HONEST = ("ada", "ben", "eve")  # three of four founders are a quorum
MAL = key_named("mal device")
MAL_ROOT = key_named("mal root").public


class Expulsion:
    """Honest nodes that vote somebody out at different times, while she brings them what she says.

    She forks her content log, writes on in her auth log, and names what she sees at the others'.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.community = Community(*HONEST, "mal", read=auth.READ_PUBLIC)
        self.nodes = [self.community.node(name) for name in HONEST]
        genesis = self.community.genesis.reference
        content = Chain(MAL, self.community.community)
        content.say("hello", parents=[genesis])
        self.logs = [content, content.branch(0)]
        self.logs[1].say("hello too", parents=[genesis])
        self.auth = Chain(MAL, self.community.community, AUTH)
        self.auth.add(kind=auth.AUTH_SEEN, parents=[genesis])
        self.voted: set[str] = set()
        self.said = 0

    def live(self, steps: int, *, is_decided: bool) -> None:
        actions = [self._say, self._meet, self._bring, self._go_on]
        for _ in range(steps):
            self.rng.choice(actions if is_decided else [*actions, self._vote])()

    def _say(self) -> None:
        self.said += 1
        self.rng.choice(self.nodes).say(f"honest {self.said}")

    def _vote(self) -> None:
        node = self.rng.choice(self.nodes)
        if node.name not in self.voted:
            self.voted.add(node.name)
            node.write(removal.vote_draft(node.replica, MAL_ROOT))

    def decide(self) -> None:
        """Let all have voted, and all know."""
        while len(self.voted) < len(HONEST):
            self._vote()
        self.meet_all()

    def _meet(self) -> None:
        one, two = self.rng.sample(self.nodes, 2)
        Link(one, two, seed=self.rng.randrange(2**32)).wait(200, self.rng)

    def meet_all(self) -> None:
        for _ in range(2):
            for one, two in combinations(self.nodes, 2):
                link = Link(one, two, seed=self.rng.randrange(2**32))
                link.wait(200, self.rng)
                assert not link.closed, "an honest peer was blamed"

    def _go_on(self) -> None:
        log = self.rng.choice([*self.logs, self.auth])
        heads = [h for h in self.rng.choice(self.nodes).heads() if h.device != MAL.public]
        if log is self.auth:
            heads = [head for head in heads if head.log_class == AUTH]
            log.add(kind=auth.AUTH_SEEN, parents=heads[:3])
        else:
            log.say(f"mal {len(log.operations)}", parents=heads[:3], time=NOW_MS + self.said + 60)

    def _bring(self) -> None:
        node = self.rng.choice(self.nodes)
        runs = [_run(log.operations) for log in (self.auth, *self.logs)]

        def step() -> list[Effect]:
            receipt = node.replica.receive([run for run in runs if run is not None], NOW_MS)
            assert not any(is_offence for _, is_offence in receipt.refused)
            return []

        node.do(step)

    def stored(self) -> list[int]:
        """How many operations of hers each node holds."""
        return [
            sum(
                branch.head_seq + 1 - branch.row.first_seq
                for log_class in (AUTH, CONTENT)
                for branch in node.replica.branches.of(MAL.public, log_class)
            )
            for node in self.nodes
        ]


def _run(operations: list[Operation]) -> Run | None:
    chain = Chain(MAL, operations[0].core.community, operations[0].core.log_class, operations)
    return chain.run()


@pytest.mark.parametrize("year", range(6))
def test_the_expelled_part_nobody_and_fill_no_disk(year: int, seed: int) -> None:
    world = Expulsion(random.Random(seed + year))
    world.live(40, is_decided=False)
    world.decide()
    assert all(node.replica.membership.is_gone(MAL.public) for node in world.nodes)
    assert_equal_nodes(*world.nodes)
    stored = world.stored()
    world.live(60, is_decided=True)
    world.meet_all()
    assert_equal_nodes(*world.nodes)
    assert world.stored() == stored
    for one, two in combinations(world.nodes, 2):
        link = Link(one, two)
        link.settle()
        assert link.operations_sent() == []
        assert not any(head.device == MAL.public for head in one.heads())
