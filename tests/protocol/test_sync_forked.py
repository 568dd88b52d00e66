"""A device that forks its log as often as it likes parts nobody else."""

from __future__ import annotations

from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import READ_PUBLIC
from p2pvalue_protocol.effects import Effect
from tests.protocol.authoring import key_named
from tests.protocol.meeting import NOW_MS, Community, Link, Node
from tests.protocol.replicas import Chain

SAYS = 2


def branches_of(community: Community, count: int) -> list[Chain]:
    """As many first messages by one device as are wanted."""
    chains = [Chain(key_named("mal device"), community.community) for _ in range(count)]
    for number, chain in enumerate(chains):
        chain.say(f"{number}", parents=[community.genesis.reference], time=NOW_MS - 10)
    return chains


def meet(node: Node, chains: list[Chain]) -> int:
    """Offer branches; return how many the node keeps."""
    kept: list[int] = []

    def step() -> list[Effect]:
        kept.append(node.replica.receive([chain.run() for chain in chains], NOW_MS).stored)
        return []

    node.do(step)
    return kept[0]


def test_what_a_forked_log_says_is_kept_up_to_a_limit() -> None:
    community = Community("ada", "mal", read=READ_PUBLIC)
    chains = branches_of(community, limits.BRANCHES_PER_LOG_MAX + 3)
    assert meet(community.node("ada"), chains) == limits.BRANCHES_PER_LOG_MAX


def test_two_who_met_other_branches_of_a_log_still_hear_each_other() -> None:
    community = Community("ada", "ben", "mal", read=READ_PUBLIC)
    ada, ben = community.node("ada"), community.node("ben")
    chains = branches_of(community, 2 * limits.BRANCHES_PER_LOG_MAX)
    assert meet(ada, chains[::2]) == meet(ben, chains[1::2]) == limits.BRANCHES_PER_LOG_MAX
    ada.say("ada", times=SAYS)
    ben.say("ben", times=SAYS)
    link = Link(ada, ben)
    link.wait(limits.HEADS_EVERY_MS_MAX)
    assert not link.closed
    for node in (ada, ben):
        assert not any(branch.is_waiting for branch in node.replica.branches.all())
        assert node.texts() == len(chains) + 2 * SAYS
