"""What a member says of strangers' operations reaches every node, or none."""

from __future__ import annotations

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.replica import Replica
from tests.protocol.authoring import key_named
from tests.protocol.meeting import NOW_MS, Community, Link, Node, assert_equal_nodes
from tests.protocol.replicas import Chain


def named_stranger() -> tuple[Community, Node]:
    """A node that by gossip holds a member's message which names the content of a stranger."""
    community = Community("ada", "ben", "mal", read=auth.READ_PUBLIC)
    ada = community.node("ada")
    genesis = community.genesis.reference
    stranger = Chain(key_named("sue device"), community.community)
    theirs = stranger.say("inert", parents=[genesis], time=NOW_MS - 10)
    member = Chain(key_named("mal device"), community.community)
    member.say("look at that", parents=[genesis, theirs.reference], time=NOW_MS - 5)
    ada.do(lambda: take(ada, member))
    ada.do(lambda: take(ada, stranger))
    assert ada.replica.held(theirs.reference)
    assert theirs.reference not in ada.heads()  # who needs it asks for it by name
    return community, ada


def take(node: Node, chain: Chain) -> list[Effect]:
    receipt = node.replica.receive([chain.run()], NOW_MS)
    assert receipt.stored == 1
    return []


def test_a_stranger_whom_a_held_operation_names_is_asked_for() -> None:
    community, ada = named_stranger()
    ada.say("an answer that names both")
    ben = community.node("ben")
    Link(ada, ben).settle()
    assert_equal_nodes(ada, ben)
    assert ben.texts() == ada.texts() == 2


def test_a_stranger_who_was_named_stays_known_over_a_restart() -> None:
    community, ada = named_stranger()
    ada.replica = Replica(community.community, ada.store.past(community.community), signer=None)
    stranger = Chain(key_named("sue device"), community.community)
    stranger.say("inert", parents=[community.genesis.reference], time=NOW_MS - 10)
    stranger.say("more")
    ada.do(lambda: take(ada, stranger))
    assert ada.replica.held(stranger.operations[-1].reference)


def test_naming_one_log_of_a_stranger_brings_the_other_in_on_no_node() -> None:
    _, ada = named_stranger()
    device = key_named("sue device").public
    assert [ada.replica.takes_log(device, log_class) for log_class in (AUTH, CONTENT)] == [
        False,
        True,
    ]
