"""Two copies of a community become equal, whatever happened to them and whoever sends what."""

from __future__ import annotations

import random
import zlib

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.ids import AUTH, CONTENT
from tests.protocol.authoring import key_named
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import Community, Link, assert_equal_nodes

QUIET_MS = 200


def test_what_each_wrote_alone_both_have_after_meeting() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ada.say("from ada", times=200)
    ben.say("from ben", times=300)
    Link(ada, ben).settle()
    assert_equal_nodes(ada, ben)
    assert ada.texts() == 500


@pytest.mark.parametrize("opener", [0, 1])
def test_an_empty_copy_gets_everything_whoever_opened_the_link(opener: int) -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben", has_genesis=False)
    ada.say("from ada", times=1_000)
    nodes = (ada, ben) if opener == 0 else (ben, ada)
    Link(*nodes).settle()
    assert_equal_nodes(ada, ben)


def test_equal_copies_say_so_in_a_few_bytes() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ada.say("from ada", times=50)
    link = Link(ada, ben)
    link.settle()
    before = link.bytes_sent()
    link.wait(limits.HEADS_EVERY_MS_MAX)
    assert 0 < link.bytes_sent() - before < 300
    assert not link.closed


def test_a_change_is_told_and_fetched_without_comparing_everything() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ada.say("old", times=500)
    link = Link(ada, ben)
    link.settle()
    before = link.bytes_sent()
    ada.say("new")
    link.now_ms += QUIET_MS
    link.poke(0)
    link.settle()
    assert_equal_nodes(ada, ben)
    assert link.bytes_sent() - before < 700


def test_changes_within_fifty_milliseconds_are_told_together() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    link = Link(ada, ben)
    link.settle()
    link.now_ms += QUIET_MS
    for at in range(10):
        ada.say(f"quick {at}")
        link.poke(0)
    told = [frame for frame in link.sent[0] if isinstance(f.decode_frame(frame), f.Heads)]
    assert len(told) == 2  # at the start, and the first of the ten
    link.wait(50)
    assert_equal_nodes(ada, ben)


def test_a_poke_learns_what_the_other_side_has_not_told() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    link = Link(ada, ben)
    link.settle()
    ben.say("ben's node forgot to poke")
    link.now_ms += QUIET_MS
    link.poke(0)
    link.settle()
    assert_equal_nodes(ada, ben)


def test_copies_converge_after_a_partition(rng: random.Random) -> None:
    community = Community("ada", "ben", "cleo")
    nodes = [community.node(name) for name in ("ada", "ben", "cleo")]
    for _ in range(6):
        for node in nodes:
            node.say("alone", times=rng.randrange(1, 80))
        Link(nodes[0], nodes[1], seed=rng.randrange(2**32)).settle(rng)
        nodes[1].say("between", times=rng.randrange(1, 5))
        Link(nodes[2], nodes[1], seed=rng.randrange(2**32)).settle(rng)
    Link(nodes[0], nodes[1]).settle(rng)
    assert_equal_nodes(*nodes)


def test_both_may_write_while_they_sync(rng: random.Random) -> None:
    community = Community("ada", "ben")
    nodes = (community.node("ada"), community.node("ben"))
    nodes[0].say("before", times=2_000)
    link = Link(*nodes, seed=rng.randrange(2**32))
    for _ in range(60):
        side = rng.randrange(2)
        nodes[side].say("meanwhile")
        link.now_ms += rng.randrange(30)
        link.poke(side)
        for _ in range(rng.randrange(4)):
            if link.wires[1 - side]:
                link.deliver(1 - side)
    link.wait(QUIET_MS, rng)
    assert_equal_nodes(*nodes)
    assert not link.closed


def test_logs_that_answer_each_other_are_fetched_one_after_the_other() -> None:
    community = Community("ada", "ben", "cleo")
    ada, ben, cleo = (community.node(name) for name in ("ada", "ben", "cleo"))
    link = Link(ada, ben)
    link.settle()
    for _ in range(80):
        for side, node in enumerate((ada, ben)):
            node.say("answer")
            link.now_ms += QUIET_MS
            link.poke(side)
            link.settle()
    Link(cleo, ada).settle()
    assert_equal_nodes(ada, ben, cleo)
    assert cleo.texts() == 160


@pytest.mark.parametrize("common", [0, 1, 150])
def test_both_branches_of_a_forked_log_reach_everybody(common: int) -> None:
    community = Community("ada", "ben", "cleo")
    ada, ben, cleo = (community.node(name) for name in ("ada", "ben", "cleo"))
    if common:
        ada.say("common", times=common)
    twin = community.node("ada")  # one key on two machines
    twin.take(ada.runs())
    ada.say("left", times=90)
    twin.say("right", times=70)
    Link(ada, ben).settle()
    Link(twin, cleo).settle()
    link = Link(ben, cleo)
    link.settle()
    assert_equal_nodes(ben, cleo)
    assert ben.texts() == common + 160
    heads = [head for head in ben.heads() if head.log_class == CONTENT]
    assert len(heads) == 2
    assert all(link.sessions[0].peer_holds(head) for head in heads)


def test_large_payloads_that_do_not_compress_go_in_frames_of_their_own(rng: random.Random) -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    for _ in range(12):
        letters = "".join(chr(0x4E00 + rng.randrange(8_000)) for _ in range(5_400))
        ada.say(letters)
    link = Link(ada, ben)
    link.settle()
    assert_equal_nodes(ada, ben)
    assert max(map(len, link.sent[0])) <= limits.FRAME_BYTES_MAX


def test_a_peer_is_known_to_hold_what_it_said_it_holds() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    link = Link(ada, ben)
    link.settle()
    [written] = ada.say("mine")
    assert not link.sessions[0].peer_holds(written)
    link.now_ms += QUIET_MS
    link.poke(0)
    link.settle()
    assert link.sessions[0].peer_holds(written)


def test_no_more_than_four_frames_of_operations_are_under_way() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ada.say("x" * 2_000, times=2_500)
    link = Link(ada, ben)
    most = 0
    while link.wires[0] or link.wires[1]:
        if link.wires[1]:
            link.deliver(1)
        else:
            link.deliver(0)
        for _ in range(10):
            link.act(0, link.sessions[0].wakeup)
        waiting = [frame for frame in link.wires[0] if isinstance(f.decode_frame(frame), f.Ops)]
        most = max(most, len(waiting))
    assert most == limits.UNACKED_FRAMES_MAX
    assert_equal_nodes(ada, ben)


def test_a_newcomer_is_known_by_the_admission_it_brings() -> None:
    community = Community("ada", "ben")
    ada, ben, nia = community.node("ada"), community.node("ben"), newcomer(community)
    invite(ada)
    JoinLink(nia, ada).run()
    Link(nia, ada).settle()
    nia.say("hello from a newcomer")
    link = Link(nia, ben)  # who has not heard of the admission
    link.settle()
    assert_equal_nodes(nia, ben)
    devices = {ready.device for ready in link.ready}
    assert devices == {nia.replica.device, ben.replica.device}


def test_who_knows_only_the_topic_secret_gets_nothing() -> None:
    community = Community("ada")
    ada, stranger = community.node("ada"), community.node("sam")
    ada.say("secret")
    link = Link(stranger, ada)
    link.settle()
    link.wait(10 * limits.HEADS_EVERY_MS_MAX)
    assert stranger.texts() == 0
    assert not any(isinstance(f.decode_frame(frame), f.Ops) for frame in link.sent[1])
    seen = b"".join(link.sent[1])
    assert key_named("ada device").public not in seen
    assert [ready.device for ready in link.ready] == []


def test_everybody_may_read_a_public_community() -> None:
    community = Community("ada", read=auth.READ_PUBLIC)
    ada = community.node("ada")
    reader = community.node("rob", has_device=False, has_genesis=False)
    ada.say("for all", times=20)
    link = Link(reader, ada)
    link.settle()
    assert_equal_nodes(ada, reader)
    assert {ready.device for ready in link.ready} == {None}


def test_a_public_community_takes_nothing_from_readers() -> None:
    community = Community("ada", "ben", read=auth.READ_PUBLIC)
    ada, ben = community.node("ada"), community.node("ben")
    ben.say("by way of a reader")
    reader = community.node("rob", has_device=False)
    Link(reader, ben).settle()
    assert reader.texts() == 1
    Link(reader, ada).settle()
    assert ada.texts() == 0


def test_addresses_of_members_spread_through_a_common_peer() -> None:
    community = Community("ada", "ben", "cleo")
    ada, ben, cleo = (community.node(name) for name in ("ada", "ben", "cleo"))
    ada.listen_at("/ip4/192.0.2.1/tcp/4001")
    Link(ada, ben).settle()
    Link(ben, cleo).settle()
    assert cleo.replica.addresses() == ada.replica.addresses() != []


def test_a_new_address_is_told_at_the_next_poke() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    link = Link(ada, ben)
    link.settle()
    ada.listen_at("/ip4/192.0.2.7/tcp/4001")
    link.now_ms += QUIET_MS
    link.poke(0)
    link.settle()
    assert ben.replica.addresses() == ada.replica.addresses() != []


def test_readers_of_a_public_community_learn_no_address() -> None:
    community = Community("ada", read=auth.READ_PUBLIC)
    ada, reader = community.node("ada"), community.node("rob", has_device=False)
    ada.listen_at("/ip4/192.0.2.1/tcp/4001")
    link = Link(reader, ada)
    link.settle()
    link.wait(limits.HEADS_EVERY_MS_MAX)
    assert b"192.0.2.1" not in b"".join(link.sent[1])


@pytest.mark.parametrize("arrived_min", [1, 700, 1_500])
def test_a_cut_link_loses_nothing_that_was_acknowledged(arrived_min: int) -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ada.say("x" * 1_000, times=2_000)
    cut = Link(ada, ben)
    while ben.texts() < arrived_min:
        for side in (0, 1):
            if cut.wires[side]:
                cut.deliver(side)
            cut.act(side, cut.sessions[side].wakeup)
    arrived = ben.texts()
    assert arrived < 2_000
    cut.cut()
    again = Link(ben, ada, seed=1)
    again.settle()
    assert_equal_nodes(ada, ben)
    assert sum(len(run.items) for run in again.operations_sent()) == 2_000 - arrived


def test_nodes_compare_anew_after_15_to_60_seconds_not_all_at_once() -> None:
    waits = []
    for seed in range(40):
        community = Community("ada", "ben")
        link = Link(community.node("ada"), community.node("ben"), seed=seed)
        link.settle()
        due_ms = link.sessions[0].next_wakeup_ms()
        assert due_ms is not None
        waits.append(due_ms - link.now_ms)
    assert limits.HEADS_EVERY_MS_MIN <= min(waits) < 20_000
    assert limits.HEADS_EVERY_MS_MAX >= max(waits) > 55_000


def test_auth_logs_are_asked_for_before_content(rng: random.Random) -> None:
    community = Community("ada", "ben", "cyd", "dan")
    dan = community.node("dan")
    for name in ("ben", "cyd"):
        node = community.node(name)
        node.say("a word")
        node.write_auth_seen()
        dan.take(node.runs())
    link = Link(community.node("ada"), dan)
    link.settle(rng)
    frames = [f.decode_frame(frame) for frame in link.sent[0]]
    wants = [want for frame in frames if isinstance(frame, f.Wants) for want in frame.wants]
    asked = [want.log_class for want in wants]
    assert set(asked) == {AUTH, CONTENT}
    assert asked == sorted(asked)


def test_a_batch_stays_small_however_well_it_packs() -> None:
    community = Community("ada", "ben", read=auth.READ_PUBLIC)
    ada, ben = community.node("ada"), community.node("ben")
    ada.say("x" * 1_000, times=1_000)
    link = Link(ada, ben)
    link.settle()
    frames = [f.decode_frame(frame) for frame in link.sent[0]]
    sizes = [len(zlib.decompress(frame.batch)) for frame in frames if isinstance(frame, f.Ops)]
    assert sum(sizes) > 1_000_000
    assert max(sizes) <= limits.BATCH_BYTES_TARGET + limits.UNSIGNED_BYTES_MAX
    assert ben.texts() == 1_000
