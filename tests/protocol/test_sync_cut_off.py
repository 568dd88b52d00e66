"""What counts of a log that nobody lists reaches a newcomer by name, over a link."""

from __future__ import annotations

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits, removal
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.frames import Wants, decode_frame
from p2pvalue_protocol.ids import CONTENT, Reference, tagged_hash
from p2pvalue_protocol.inputs import Draft
from tests.protocol.authoring import Author, key_named
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import NOW_MS, Community, Link, Node, assert_equal_nodes, run_of
from tests.protocol.replicas import Chain

VOTERS = ("ada", "ben", "eve")  # three of four founders are a quorum
MAL = key_named("mal device").public
MAL_ROOT = key_named("mal root").public


def expelled(times: int) -> tuple[Community, Node]:
    """A node that knows that mal was voted out, and kept what she had said."""
    community = Community(*VOTERS, "mal", read=auth.READ_PUBLIC)
    nodes = [community.node(name) for name in VOTERS]
    mal = community.node("mal")
    mal.say("kept", times=times)
    for node in nodes:
        Link(node, mal).settle()
        node.write(removal.vote_draft(node.replica, MAL_ROOT))
        Link(nodes[0], node).settle()
    ada = nodes[0]
    assert ada.replica.membership.is_gone(MAL)
    return community, ada


def test_a_newcomer_gets_what_was_kept_of_a_log_that_nobody_lists() -> None:
    community, ada = expelled(times=600)
    reader = community.node("reader", has_device=False)
    Link(reader, ada).settle()
    assert_equal_nodes(reader, ada)
    assert reader.texts() == 600
    assert not any(head.device == MAL for head in reader.heads())


def test_what_was_asked_for_by_name_is_not_sent_again() -> None:
    community, ada = expelled(times=3)
    reader = community.node("reader", has_device=False)
    Link(reader, ada).settle()
    again = Link(reader, ada)
    again.wait(2 * limits.HEADS_EVERY_MS_MAX)
    assert again.operations_sent() == []


def test_what_nobody_has_is_asked_for_now_and_then_and_holds_up_nothing() -> None:
    community, ada = expelled(times=3)
    eve = community.node("eve")
    Link(eve, ada).settle()
    lost = removal.keeps_for(ada.replica, device=MAL).references
    assert {keep.log_class for keep in lost} >= {CONTENT}
    for keep in lost:
        other = Reference(keep.device, keep.log_class, keep.seq + 50, bytes(32))
        draft = auth.vote_payload(MAL_ROOT, (other,))
        eve.write(Draft(auth.VOTE, b"", draft))
    eve.say("goes on")
    link = Link(ada, eve)
    link.wait(2 * limits.HEADS_EVERY_MS_MAX)
    assert not link.closed
    assert_equal_nodes(ada, eve)
    assert ada.texts() == 4
    assert len(ada.replica.missing()) == len(lost)


def test_a_stranger_is_asked_for_nothing_that_it_did_not_claim() -> None:
    community = Community("ada", "ben", "mal")
    ada, ben, sam = (community.node(name) for name in ("ada", "ben", "sam"))
    lost = Reference(MAL, CONTENT, 7, bytes(32))
    log = Chain(key_named("mal device"), community.community)
    log.say("waits", parents=[community.genesis.reference, lost])

    def hear() -> list[Effect]:
        assert ada.replica.receive([log.run()], NOW_MS).stored == 1
        return []

    ada.do(hear)
    assert ada.replica.missing() == [lost]
    for peer, is_asked in ((sam, False), (ben, True)):
        link = Link(ada, peer)
        link.wait(limits.HEADS_EVERY_MS_MAX)
        assert (lost.op_id in asked_by_name(link)) == is_asked


def test_of_many_places_that_somebody_invents_few_are_asked_for_at_once_and_all_in_turn() -> None:
    community, ada = expelled(times=3)
    eve = community.node("eve")
    Link(eve, ada).settle()
    ben = key_named("ben device").public
    inventions = 3 * limits.NAMES_ASKED_MAX
    for number in range(inventions // 2):
        op_ids = (tagged_hash("place", bytes([side, *number.to_bytes(2)])) for side in (1, 2))
        places = [Reference(ben, CONTENT, 1 << 40, op_id) for op_id in op_ids]
        eve.write(Draft(auth.FORK, b"", auth.fork_payload(places[0], places[1])))
    Link(ada, eve).settle()
    assert len(ada.replica.missing()) >= inventions
    link = Link(ada, eve)
    link.settle()
    first = set(asked_by_name(link))
    assert len(first) <= limits.NAMES_ASKED_MAX
    link.wait(6 * limits.HEADS_EVERY_MS_MAX)
    assert not link.closed
    assert set(asked_by_name(link)) == {named.op_id for named in ada.replica.missing()}


def test_what_was_claimed_when_nobody_might_store_it_is_asked_for_once_somebody_names_it() -> None:
    community = Community(*VOTERS, "dan", "mal", read=auth.READ_PUBLIC)
    ada, ben, dan, eve, mal = (community.node(n) for n in ("ada", "ben", "dan", "eve", "mal"))
    said = mal.say("heard by eve alone")[0]
    Link(eve, mal).settle()
    for voter in (ben, dan, ada):
        voter.write(removal.vote_draft(voter.replica, MAL_ROOT))
        Link(ada, voter).settle()
    assert ada.replica.membership.is_gone(MAL)
    link = Link(ada, eve)
    link.settle()
    assert not ada.replica.held(said)
    eve.write(Draft(auth.VOTE, b"", auth.vote_payload(MAL_ROOT, (said,))))
    link.poke(1)
    link.wait(limits.TELL_MS_MIN)
    assert ada.replica.held(said)


def test_what_a_peer_gave_no_stranger_is_asked_for_again_when_it_knows_us() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    dan, nia = newcomer(community, "dan"), newcomer(community)
    invite(ada, uses=0)
    Link(ben, ada).settle()
    JoinLink(dan, ben).run()
    Link(dan, ben).settle()
    [kept] = dan.say("kept")
    Link(dan, ben).settle()
    out = dan.replica.membership.member_of(dan.replica.device or b"") or b""
    ben.write(removal.removal_draft(ben.replica, out))
    Link(ada, ben).settle()
    ada.say("an answer")
    JoinLink(nia, ben).run()
    Link(ada, nia).settle()
    assert nia.replica.held(kept), "ada could give it as soon as nia had shown herself"


def test_what_was_not_there_is_asked_for_again_at_our_own_comparison() -> None:
    community, ada = expelled(times=1)
    eve = community.node("eve")
    for of_ada in ada.runs():
        if of_ada.device != MAL:
            eve.take([of_ada])
    (lost,) = (head for head in eve.replica.missing() if head.log_class == CONTENT)
    ben = community.node("ben")
    ben.take([run for run in ada.runs() if run.device != MAL])
    link = Link(eve, ben)
    link.settle()
    asked = asked_by_name(link).count(lost.op_id)
    link.nodes[1].take(ada.replica.runs_wanted(lost, 0, 100_000)[0])
    link.wait(limits.HEADS_EVERY_MS_MAX)
    assert asked == 1
    assert eve.replica.held(lost)


def test_who_was_put_out_is_asked_for_what_the_word_that_undoes_it_rests_on() -> None:
    community = Community("ada")
    genesis, ada = community.genesis, community.authors["ada"]
    ben, cem, mal, sid = (
        Author(name, community.community) for name in ("ben", "cem", "mal", "sid")
    )
    first = {author: author.add_device(genesis) for author in (ben, cem, mal, sid)}
    let_in = [
        ada.grant(author.root.public, rank, first[author])
        for author, rank in ((ben, auth.MEMBER), (cem, auth.MEMBER), (mal, auth.ADMIN))
    ]
    out = mal.remove(cem.root.public, *let_in[-1:])
    creature = mal.grant(sid.root.public, auth.MEMBER, first[sid])
    ended = [ada.remove(author.root.public, creature) for author in (mal, sid)]
    undone = ada.grant(cem.root.public, auth.MEMBER)
    nodes = [community.node(name, has_genesis=False) for name in ("ben", "cem")]
    for node in nodes:
        node.take([run_of(genesis, *let_in), *(run_of(first[a]) for a in (ben, cem, mal))])
        node.take([run_of(first[mal], out)])
    of_ben, of_cem = nodes
    of_cem.take([run_of(first[sid]), run_of(creature), run_of(*ended, undone)])
    assert not of_ben.replica.membership.is_live(cem.device)
    assert of_cem.replica.membership.is_live(cem.device)
    assert not of_cem.replica.membership.is_live(sid.device)
    link = Link(of_ben, of_cem)
    link.settle()
    assert not link.closed
    assert of_ben.replica.membership.is_live(cem.device)
    assert of_ben.replica.held(first[sid].reference)


def asked_by_name(link: Link) -> list[bytes]:
    """The op ids that the first side asked for."""
    frames = [decode_frame(frame) for frame in link.sent[0]]
    return [want.head_id for frame in frames if isinstance(frame, Wants) for want in frame.wants]
