"""What a member says of strangers' operations reaches every node, or none."""

from __future__ import annotations

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.removal import removal_draft
from p2pvalue_protocol.replica import Replica
from tests.protocol.authoring import Author, key_named
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import NOW_MS, Community, Link, Node, assert_equal_nodes, run_of
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


def test_what_was_named_of_a_stranger_stays_wanted_over_a_restart_and_nothing_beyond() -> None:
    community, ada = named_stranger()
    genesis = community.genesis.reference
    stranger = Chain(key_named("sue device"), community.community)
    stranger.say("inert", parents=[genesis], time=NOW_MS - 10)
    named = stranger.say("more")
    member = Chain(key_named("mal device"), community.community)
    member.say("look at that", parents=[genesis, stranger.operations[0].reference], time=NOW_MS - 5)
    member.say("and at that", parents=[named.reference])
    ada.do(lambda: take(ada, member))
    ada.replica = Replica(community.community, ada.store.past(community.community), signer=None)
    for number in range(100):
        stranger.say(f"flood {number}")
    ada.do(lambda: take(ada, stranger))
    assert ada.replica.held(named.reference)
    assert not ada.replica.held(stranger.operations[2].reference)
    assert ada.texts() == 2


def test_the_log_of_a_stranger_whom_a_member_named_once_does_not_grow() -> None:
    """Or who is put out would go on filling all disks from a log that she had named before."""
    community = Community("ada", "mal")
    ada, mal = community.node("ada"), community.node("mal")
    sleeper = Author("sleeper", community.community)
    begun = sleeper.add_device(community.genesis)
    mal.replica.expect(sleeper.device)
    mal.take([run_of(begun)])
    mal.write_auth_seen()
    ada.take(mal.runs())
    ada.take([run_of(begun)])
    assert ada.replica.held(begun.reference)
    more = [sleeper.write(auth.AUTH_SEEN) for _ in range(100)]

    def flood() -> list[Effect]:
        ada.replica.receive([run_of(*sleeper.log)], NOW_MS)
        return []

    ada.do(flood)
    assert not any(ada.replica.held(op.reference) for op in more)


def test_naming_one_log_of_a_stranger_brings_the_other_in_on_no_node() -> None:
    _, ada = named_stranger()
    device = key_named("sue device").public
    assert [ada.replica.takes_log(device, log_class) for log_class in (AUTH, CONTENT)] == [
        False,
        True,
    ]


def test_a_stranger_that_calls_is_asked_for_no_content_also_of_members() -> None:
    community = Community("ada", "ben")
    ada, ben, sam = (community.node(name) for name in ("ada", "ben", "sam"))
    ben.say("a member's word")
    ben.write_auth_seen()
    link = Link(sam, ada)
    link.settle()
    claims = f.Heads(bytes(f.FINGERPRINT_BYTES), 0, [f.head_entry(head) for head in ben.heads()])
    link.wires[0].append(f.encode_frame(claims))
    link.deliver(0)
    frames = [f.decode_frame(frame) for frame in link.sent[1]]
    wants = [want for frame in frames if isinstance(frame, f.Wants) for want in frame.wants]
    assert [(want.device, want.log_class) for want in wants] == [(ben.replica.device, AUTH)]


def test_what_a_stranger_claimed_in_vain_is_asked_for_as_soon_as_she_is_let_in() -> None:
    community = Community("ada")
    ada, ben, nia = community.node("ada"), newcomer(community, "ben"), newcomer(community)
    invite(ada, uses=0)
    JoinLink(ben, ada).run()
    Link(ben, ada).settle()
    out = ben.replica.membership.member_of(ben.replica.device or b"") or b""
    ada.write(removal_draft(ada.replica, out))
    JoinLink(nia, ben).run()  # who has not heard yet that he is out
    Link(nia, ben).settle()
    nia.write_auth_seen()
    said = nia.say("hello to all", times=2)
    link = Link(ada, nia)
    link.settle()
    assert not any(map(ada.replica.held, said)), "ben let her in, who is cut off here"
    JoinLink(nia, ada).run()
    link.act(0, link.sessions[0].review)
    link.act(1, link.sessions[1].review)
    link.wait(limits.TELL_MS_MIN)
    assert all(map(ada.replica.held, said)), "she told of it once, and ada had not taken it"
    assert_equal_nodes(ada, nia)
