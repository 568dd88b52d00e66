"""The contract of a store, for operations and logs, shown on each implementation."""

from __future__ import annotations

import pytest

from p2pvalue.store import Store, StoreFailed
from p2pvalue_protocol.ids import AUTH, tagged_hash
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.past import Batch
from tests.store.chains import CHAT, COMMUNITY, PLEDGE, Chain, subject_named, texts


def test_a_community_that_is_not_stored_reads_as_empty(store: Store) -> None:
    past = store.past(COMMUNITY)
    assert store.communities() == []
    assert past.heads() == []
    assert past.frontiers() == []
    assert past.tips() == []
    assert past.operations(1, 0, 10) == []
    assert list(past.auth_operations()) == []
    assert past.state(NO_SUBJECT) is None
    assert past.subject_operations(NO_SUBJECT) == []
    assert past.addresses() == []
    assert store.entries(COMMUNITY, NO_SUBJECT, CHAT) == []
    assert store.entry_count(COMMUNITY, NO_SUBJECT, CHAT) == 0
    assert store.states(COMMUNITY, PLEDGE) == []
    assert store.snapshot(COMMUNITY, NO_SUBJECT) is None
    assert list(store.operations_in_order(COMMUNITY)) == []


def test_a_community_appears_with_its_first_batch_and_in_a_past_opened_before(store: Store) -> None:
    chain = Chain(1)
    past = store.past(COMMUNITY)
    store.commit([chain.message_batch(b"hello")])
    assert store.communities() == [COMMUNITY]
    assert [head.head.seq for head in past.heads()] == [0]


def test_operations_come_back_as_they_were_committed(store: Store) -> None:
    chain = Chain(7)
    rows = [chain.operation(b"text %d" % number, signed=number == 2) for number in range(5)]
    rows[1] = rows[1]._replace(payload=None)
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=rows)])
    past = store.past(COMMUNITY)
    assert past.operations(7, 0, 10) == rows
    assert past.operations(7, 1, 2) == rows[1:3]
    assert past.operations(7, 5, 10) == []
    assert list(store.operations_in_order(COMMUNITY)) == rows


def test_logs_of_one_number_in_two_communities_are_two_logs(store: Store) -> None:
    other = tagged_hash("test", b"other community")
    here, there = Chain(1), Chain(1, community=other)
    store.commit([here.message_batch(b"here"), there.message_batch(b"there")])
    assert store.communities() == sorted([COMMUNITY, other])
    assert [row.payload for row in store.past(COMMUNITY).operations(1, 0, 9)] == [b"here"]
    assert [row.payload for row in store.past(other).operations(1, 0, 9)] == [b"there"]
    assert [log.log.community for log in store.past(other).heads()] == [other]


def test_heads_say_what_was_stored_folded_and_signed_last(store: Store) -> None:
    plain, waiting, signed = Chain(1), Chain(2), Chain(3)
    empty = Chain(4)
    batch = Batch(COMMUNITY, logs=[signed.row, waiting.row, plain.row, empty.row])
    batch.operations += [plain.operation(b"a") for _ in range(3)]
    batch.operations += [waiting.operation(b"b", frontier=1), waiting.operation(b"c", frontier=0)]
    batch.operations += [waiting.operation(b"d", frontier=0)]
    batch.operations += [signed.operation(b"e", signed=number == 100) for number in range(200)]
    store.commit([batch])
    heads = store.past(COMMUNITY).heads()
    assert [(head.log.log, head.head.seq) for head in heads] == [(1, 2), (2, 2), (3, 199)]
    assert [head.folded_seq for head in heads] == [2, 0, 199]
    assert [head.signed_seq for head in heads] == [-1, -1, 100]
    assert heads[0].log == plain.row
    assert heads[2].head == batch.operations[-1]


def test_a_log_of_which_nothing_is_folded_says_so(store: Store) -> None:
    chain = Chain(1)
    waits = chain.operation(b"a", frontier=0)
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=[waits])])
    assert store.past(COMMUNITY).heads()[0].folded_seq == -1
    store.commit([Batch(COMMUNITY, folded=[(1, 1, 0)])])
    assert store.past(COMMUNITY).heads()[0].folded_seq == 0
    assert store.past(COMMUNITY).operations(1, 0, 1) == [waits._replace(frontier=1)]


def test_a_branch_starts_where_it_leaves_its_log(store: Store) -> None:
    trunk = Chain(1, seed=1)
    first = trunk.operation(b"common")
    branch = Chain(2, seed=1)
    branch.resume(1, first.op_id)
    second, other = trunk.operation(b"one"), branch.operation(b"two", frontier=0)
    branch.row = branch.row._replace(branch=other.op_id, first_seq=1, base_id=first.op_id)
    store.commit(
        [Batch(COMMUNITY, logs=[trunk.row, branch.row], operations=[first, second, other])]
    )
    heads = store.past(COMMUNITY).heads()
    assert [head.log for head in heads] == [trunk.row, branch.row]
    assert [(head.folded_seq, head.signed_seq) for head in heads] == [(1, -1), (0, 0)]
    assert store.past(COMMUNITY).operations(2, 1, 9) == [other]


def test_signatures_and_payloads_can_come_later(store: Store) -> None:
    chain = Chain(1)
    row = chain.operation(b"late")
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=[row._replace(payload=None)])])
    store.commit([Batch(COMMUNITY, signatures=[(bytes(64), 1, 0)], payloads=[(b"late", 1, 0)])])
    assert store.past(COMMUNITY).operations(1, 0, 1) == [row._replace(signature=bytes(64))]
    assert store.past(COMMUNITY).heads()[0].signed_seq == 0


def test_auth_operations_are_those_folded_of_auth_logs(store: Store) -> None:
    content, first, second = Chain(1), Chain(2, log_class=AUTH), Chain(3, log_class=AUTH)
    batch = Batch(COMMUNITY, logs=[second.row, first.row, content.row])
    theirs = [second.operation(b"x"), second.operation(b"y", frontier=0)]
    ours = [first.operation(b"%d" % number) for number in range(600)]
    batch.operations = [content.operation(b"z"), *theirs, *ours]
    store.commit([batch])
    assert list(store.past(COMMUNITY).auth_operations()) == [*ours, theirs[0]]


def test_frontiers_heads_and_addresses_are_kept(store: Store) -> None:
    chain = Chain(1)
    row = chain.operation(b"a")
    ids = (bytes(32), tagged_hash("test", b"id"))
    batch = Batch(COMMUNITY, logs=[chain.row], operations=[row], tips=[1, 7])
    batch.frontiers = [(2, ids), (1, ids[1:]), (3, ())]
    batch.addresses = [(b"z" * 32, b"first"), (b"a" * 32, b"record")]
    store.commit([batch])
    store.commit([Batch(COMMUNITY, addresses=[(b"z" * 32, b"second")])])
    past = store.past(COMMUNITY)
    assert past.frontiers() == [(1, ids[1:]), (2, ids), (3, ())]
    assert past.tips() == [1, 7]
    assert past.addresses() == [(b"a" * 32, b"record"), (b"z" * 32, b"second")]
    store.commit([Batch(COMMUNITY, tips=[])])
    assert past.tips() == []


def test_a_batch_that_fails_half_way_leaves_nothing(store: Store) -> None:
    chain, other = Chain(1), Chain(2)
    store.commit([chain.message_batch(b"kept")])
    digest = store.state_digest(COMMUNITY)
    again = Chain(1)
    stale = Batch(COMMUNITY, operations=[again.operation(b"a second seq 0")])
    stranger = tagged_hash("test", b"stranger")
    good = [chain.message_batch(b"lost"), other.message_batch(b"lost too")]
    new = Chain(1, community=stranger).message_batch(b"a community")
    with pytest.raises(StoreFailed, match="nothing was stored"):
        store.commit([*good, new, stale])
    assert store.communities() == [COMMUNITY]
    assert texts(store) == [b"kept"]
    assert len(store.past(COMMUNITY).heads()) == 1
    assert store.state_digest(COMMUNITY) == digest
    store.commit([*good, new])
    assert {*texts(store)} == {b"kept", b"lost", b"lost too"}


def test_an_operation_of_an_unknown_log_is_not_stored(store: Store) -> None:
    chain = Chain(1)
    with pytest.raises(StoreFailed):
        store.commit([Batch(COMMUNITY, operations=[chain.operation(b"a")])])
    assert store.communities() == []


def test_several_batches_of_one_commit_build_on_each_other(store: Store) -> None:
    chain = Chain(1)
    store.commit([chain.message_batch(b"%d" % number) for number in range(10)])
    assert texts(store) == [b"%d" % number for number in range(10)]


def test_the_node_keeps_values_of_its_own(store: Store) -> None:
    assert store.meta("clock") is None
    store.put_meta("clock", b"1")
    store.put_meta("clock", b"2")
    assert store.meta("clock") == b"2"


def test_figures_count_what_is_there(store: Store) -> None:
    chain, other = Chain(1), Chain(2)
    waits = other.operation(b"waits", frontier=0)
    batch = Batch(COMMUNITY, logs=[other.row], operations=[waits])
    batch.states.append(other.state(waits, subject_named("pledge"), b"state"))
    store.commit([chain.message_batch(b"a"), chain.message_batch(b"b"), batch])
    figures = store.figures()
    assert (figures.communities, figures.logs, figures.operations) == (1, 2, 3)
    assert (figures.waiting, figures.entries, figures.states) == (1, 2, 1)
