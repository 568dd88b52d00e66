"""The contract of a store, for what is made from operations, on each implementation."""

from __future__ import annotations

from pathlib import Path

from p2pvalue.store import MemoryStore, Snapshot, SqliteStore, Store
from p2pvalue_protocol.ids import ZERO32, tagged_hash
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.past import Batch, EntryRow
from tests.store.chains import CHAT, COMMUNITY, PLEDGE, START_MS, Chain, subject_named, texts


def test_entries_are_in_folding_order_however_they_came(store: Store) -> None:
    chains = [Chain(number) for number in (1, 2, 3)]
    batch = Batch(COMMUNITY, logs=[chain.row for chain in chains])
    for number in (5, 1, 3):
        for chain in chains:  # three operations of one millisecond, sorted by device
            row = chain.operation(b"at %d" % number)
            batch.operations.append(row)
            batch.entries.append(chain.entry(row, time=START_MS + number))
    store.commit([batch])
    found = store.entries(COMMUNITY, NO_SUBJECT, CHAT)
    orders = [entry.order for entry in found]
    assert len(found) == 9
    assert orders == sorted(orders)
    assert {entry.member for entry in found} == {chain.member for chain in chains}
    newest = store.entries(COMMUNITY, NO_SUBJECT, CHAT, newest_first=True)
    assert newest == found[::-1]


def test_pages_of_entries_meet_without_gap_or_overlap(store: Store) -> None:
    chains = [Chain(number) for number in range(1, 5)]
    batch = Batch(COMMUNITY, logs=[chain.row for chain in chains])
    for number in range(40):
        chain = chains[number % 4]
        row = chain.operation(b"%d" % number)
        batch.operations.append(row)
        batch.entries.append(chain.entry(row, time=START_MS + number // 6))
    store.commit([batch])
    whole = store.entries(COMMUNITY, NO_SUBJECT, CHAT)
    assert len(whole) == store.entry_count(COMMUNITY, NO_SUBJECT, CHAT) == 40
    for size in (1, 3, 7, 40):
        forward = store.entries(COMMUNITY, NO_SUBJECT, CHAT, limit=size)
        while page := store.entries(
            COMMUNITY, NO_SUBJECT, CHAT, after=forward[-1].order, limit=size
        ):
            forward += page
        assert forward == whole
        backward = store.entries(COMMUNITY, NO_SUBJECT, CHAT, limit=size, newest_first=True)
        while page := store.entries(
            COMMUNITY, NO_SUBJECT, CHAT, before=backward[-1].order, limit=size, newest_first=True
        ):
            backward += page
        assert backward == whole[::-1]
    between = store.entries(
        COMMUNITY, NO_SUBJECT, CHAT, after=whole[3].order, before=whole[9].order
    )
    assert between == whole[4:9]
    assert store.entries(COMMUNITY, NO_SUBJECT, CHAT, limit=0) == []


def test_lists_are_apart_by_container_and_kind(store: Store) -> None:
    chain, channel = Chain(1), subject_named("channel")
    rows = [chain.operation(b"%d" % number) for number in range(3)]
    entries = [chain.entry(rows[0]), chain.entry(rows[1], container=channel)]
    entries.append(chain.entry(rows[2])._replace(kind=33))
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=rows, entries=entries)])
    assert texts(store) == [b"0"]
    assert texts(store, channel) == [b"1"]
    assert store.containers(COMMUNITY, CHAT) == sorted([NO_SUBJECT, channel])
    assert store.containers(COMMUNITY, 33) == [NO_SUBJECT]
    assert store.containers(COMMUNITY, 99) == []


def test_what_came_after_an_arrival_is_found_however_early_it_sorts(store: Store) -> None:
    one, two = Chain(1), Chain(2)
    store.commit([one.message_batch(b"one"), one.message_batch(b"two")])
    read = store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, 0)
    assert [entry.payload for entry in read] == [b"one", b"two"]
    early = two.operation(b"early")
    entry = two.entry(early, time=START_MS - 1_000)
    store.commit([Batch(COMMUNITY, logs=[two.row], operations=[early], entries=[entry])])
    store.commit([one.message_batch(b"three")])
    rest = store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, read[-1].arrival)
    assert [entry.payload for entry in rest] == [b"early", b"three"]
    assert texts(store)[0] == b"early"
    assert rest[:1] == store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, read[-1].arrival, limit=1)


def test_a_list_read_by_arrival_takes_in_all_that_comes_later(store: Store) -> None:
    chain, channel = Chain(1), subject_named("channel")
    store.commit([chain.message_batch(b"elsewhere")])
    read: list[bytes | None] = []
    arrival = 0
    for turn in range(4):
        for number in range(12):  # short at first, and then long
            batch = chain.message_batch(b"%d.%d" % (turn, number))
            batch.entries = [batch.entries[0]._replace(container=channel)]
            store.commit([batch, chain.message_batch(b"elsewhere")])
        while page := store.entries_since(COMMUNITY, channel, CHAT, arrival, limit=2):
            read += [entry.payload for entry in page]
            arrival = page[-1].arrival
        assert read == texts(store, channel)
        assert len(read) == 12 * (turn + 1)


def test_an_entry_can_go_and_be_shown_again(store: Store) -> None:
    chain = Chain(1)
    batches = [chain.message_batch(b"%d" % number) for number in range(3)]
    store.commit(batches)
    (entry,) = batches[1].entries
    past = store.past(COMMUNITY)
    assert past.has_entry(entry)
    store.commit([Batch(COMMUNITY, entries_gone=[entry])])
    assert texts(store) == [b"0", b"2"]
    assert not past.has_entry(entry)
    store.commit([Batch(COMMUNITY, entries_again=[entry])])
    assert texts(store) == [b"0", b"1", b"2"]
    assert past.has_entry(entry)


def test_what_is_added_and_gone_in_one_batch_is_gone(store: Store) -> None:
    chain, subject = Chain(1), subject_named("pledge")
    batch = chain.message_batch(b"a")
    batch.entries_gone = list(batch.entries)
    row = chain.operation(b"b")
    batch.operations.append(row)
    batch.subject_operations = [chain.subject_operation(row, subject)]
    batch.subject_operations_gone = list(batch.subject_operations)
    store.commit([batch])
    assert texts(store) == []
    assert store.containers(COMMUNITY, CHAT) == []
    assert store.past(COMMUNITY).subject_operations(subject) == []


def test_a_list_whose_last_entry_goes_is_no_container(store: Store) -> None:
    batch = Chain(1).message_batch(b"a")
    store.commit([batch])
    store.commit([Batch(COMMUNITY, entries_gone=list(batch.entries))])
    assert store.containers(COMMUNITY, CHAT) == []
    assert store.entry_count(COMMUNITY, NO_SUBJECT, CHAT) == 0


def test_what_is_shown_again_arrives_anew_with_all_that_follows_it_in_its_log(store: Store) -> None:
    chain, other = Chain(1), Chain(2)
    batches = [chain.message_batch(b"%d" % number) for number in range(4)]
    store.commit([*batches, other.message_batch(b"other")])
    last = store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, 0)[-1].arrival
    entry = batches[1].entries[0]
    store.commit([Batch(COMMUNITY, entries_gone=[entry])])
    assert store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, last) == []
    store.commit([Batch(COMMUNITY, entries_again=[entry])])
    fresh = store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, last)
    assert [found.payload for found in fresh] == [b"1", b"2", b"3"]
    whole = store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, 0)
    assert [found.payload for found in whole] == [b"0", b"other", b"1", b"2", b"3"]


def test_a_snapshot_goes_with_an_entry_that_goes_or_comes_again(store: Store) -> None:
    chain = Chain(1)
    batch = chain.message_batch(b"a")
    store.commit([batch])
    for change in (
        Batch(COMMUNITY, entries_gone=list(batch.entries)),
        Batch(COMMUNITY, entries_again=list(batch.entries)),
    ):
        store.put_snapshot(COMMUNITY, NO_SUBJECT, 1, b"made of it")
        store.put_snapshot(COMMUNITY, subject_named("other"), 1, b"stays")
        store.commit([change])
        assert store.snapshot(COMMUNITY, NO_SUBJECT) is None
        assert store.snapshot(COMMUNITY, subject_named("other")) is not None


def test_an_operation_of_a_subject_can_go_and_be_shown_again(store: Store) -> None:
    chain, subject = Chain(1), subject_named("pledge")
    row = chain.operation(b"a")
    placed = chain.subject_operation(row, subject)
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=[row])])
    past = store.past(COMMUNITY)
    for _ in range(2):
        store.commit([Batch(COMMUNITY, subject_operations=[placed])])
        assert past.has_subject_operation(placed)
        assert past.subject_operations(subject) == [(placed, row.core, row.payload)]
        store.commit([Batch(COMMUNITY, subject_operations_gone=[placed])])
        assert not past.has_subject_operation(placed)
        assert past.subject_operations(subject) == []


def test_which_logs_are_judged_again_is_kept_until_the_views_are_cleared(store: Store) -> None:
    store.commit([Chain(1).message_batch(b"a"), Batch(COMMUNITY, reconsidered=[(1, 0), (7, 9)])])
    past = store.past(COMMUNITY)
    assert past.reconsidered() == [(1, 0), (7, 9)]
    store.commit([Batch(COMMUNITY, tips=[1])])
    assert past.reconsidered() == [(1, 0), (7, 9)]
    store.clear_views(COMMUNITY)
    assert past.reconsidered() == []
    store.commit([Batch(COMMUNITY, reconsidered=[(1, 1)]), Batch(COMMUNITY, reconsidered=[])])
    assert past.reconsidered() == []


def test_states_are_found_by_subject_kind_and_group(store: Store) -> None:
    chain, need = Chain(1), subject_named("need")
    rows = [chain.operation(b"%d" % number) for number in range(5)]
    states = [
        chain.state(
            row, subject_named(f"pledge {number}"), b"s", group=need if number % 2 else NO_SUBJECT
        )
        for number, row in enumerate(rows)
    ]
    states[4] = states[4]._replace(kind=37)
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=rows, states=states)])
    assert store.states(COMMUNITY, PLEDGE) == states[:4]
    assert store.states(COMMUNITY, PLEDGE, newest_first=True, limit=2) == states[3:1:-1]
    assert store.states(COMMUNITY, PLEDGE, group=need) == [states[1], states[3]]
    assert store.states(COMMUNITY, PLEDGE, group=NO_SUBJECT) == [states[0], states[2]]
    assert store.states(COMMUNITY, 37) == states[4:]
    place = chain.place(rows[1])
    assert store.states(COMMUNITY, PLEDGE, after=place) == states[2:4]
    assert store.states(COMMUNITY, PLEDGE, before=place) == states[:1]
    assert store.state(COMMUNITY, states[2].subject) == states[2]


def test_a_state_is_replaced_whole_and_can_go(store: Store) -> None:
    chain, subject = Chain(1), subject_named("pledge")
    rows = [chain.operation(b"a"), chain.operation(b"b")]
    first = chain.state(rows[0], subject, b"first", group=subject_named("need"))
    second = chain.state(rows[1], subject, b"second")
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=rows, states=[first])])
    assert store.past(COMMUNITY).state(subject) == first
    store.commit([Batch(COMMUNITY, states=[second])])
    assert store.past(COMMUNITY).state(subject) == second
    assert store.states(COMMUNITY, PLEDGE, group=first.group) == []
    store.commit([Batch(COMMUNITY, states_gone=[subject])])
    assert store.past(COMMUNITY).state(subject) is None
    assert store.states(COMMUNITY, PLEDGE) == []


def test_the_operations_of_a_subject_come_in_folding_order_with_payloads(store: Store) -> None:
    chains, subject = [Chain(1), Chain(2)], subject_named("pledge")
    batch = Batch(COMMUNITY, logs=[chain.row for chain in chains])
    for time in (4, 2, 2):
        for chain in chains:
            row = chain.operation(b"at %d" % time)
            batch.operations.append(row)
            batch.subject_operations.append(
                chain.subject_operation(row, subject, time=START_MS + time)
            )
    store.commit([batch])
    found = store.past(COMMUNITY).subject_operations(subject)
    orders = [row[1:5] for row, _, _ in found]
    assert orders == sorted(orders)
    assert [payload for _, _, payload in found] == [b"at 2"] * 4 + [b"at 4"] * 2
    assert sorted(row for row, _, _ in found) == sorted(batch.subject_operations)


def test_snapshots_are_replaced_and_go_with_the_views(store: Store) -> None:
    chain, document = Chain(1), subject_named("document")
    store.commit([chain.message_batch(b"a")])
    store.put_snapshot(COMMUNITY, document, 3, b"old")
    store.put_snapshot(COMMUNITY, document, 4, b"new")
    assert store.snapshot(COMMUNITY, document) == Snapshot(4, b"new")
    store.clear_views(COMMUNITY)
    assert store.snapshot(COMMUNITY, document) is None


def test_views_cleared_and_made_again_are_the_same(store: Store) -> None:
    chain, other, subject = Chain(1), Chain(2), subject_named("pledge")
    batch = chain.message_batch(b"a")
    row = chain.operation(b"pledge")
    batch.operations.append(row)
    batch.subject_operations.append(chain.subject_operation(row, subject))
    batch.states.append(chain.state(row, subject, b"state"))
    batch.frontiers = [(1, (bytes(32),))]
    there = tagged_hash("test", b"other community")
    elsewhere = Chain(1, community=there).message_batch(b"stays")
    store.commit([batch, other.message_batch(b"b"), elsewhere])
    digest = store.state_digest(COMMUNITY)
    entries: list[EntryRow] = [*batch.entries]
    operations = list(store.operations_in_order(COMMUNITY))
    entries.append(other.entry(operations[-1]))
    store.clear_views(COMMUNITY)
    assert texts(store) == []
    assert store.containers(COMMUNITY, CHAT) == []
    assert store.states(COMMUNITY, PLEDGE) == []
    assert store.past(COMMUNITY).subject_operations(subject) == []
    assert store.state_digest(COMMUNITY) != digest
    waiting = [operation._replace(frontier=0) for operation in operations]
    assert list(store.operations_in_order(COMMUNITY)) == waiting
    assert [head.folded_seq for head in store.past(COMMUNITY).heads()] == [-1, -1]
    assert store.past(COMMUNITY).tips() == []
    assert store.past(COMMUNITY).frontiers() == []
    assert len(store.entries(there, NO_SUBJECT, CHAT)) == 1
    views = Batch(COMMUNITY, entries=entries, states=batch.states)
    views.subject_operations = batch.subject_operations
    store.commit([views])
    assert store.state_digest(COMMUNITY) == digest


def test_the_digest_of_the_views_does_not_know_local_numbers() -> None:
    def filled(numbers: tuple[int, int], store: Store) -> bytes:
        chains = [Chain(numbers[0], seed=1), Chain(numbers[1], seed=2)]
        if numbers[0] > numbers[1]:
            chains.reverse()
        for chain in chains:
            store.commit([chain.message_batch(b"a"), chain.message_batch(b"b")])
        return store.state_digest(COMMUNITY)

    digest = filled((1, 2), MemoryStore())
    assert filled((9, 4), MemoryStore()) == digest
    assert filled((1, 2), SqliteStore(Path(":memory:"))) == digest
    assert filled((5, 3), SqliteStore(Path(":memory:"))) == digest


def test_the_digest_of_the_views_knows_every_byte_of_them(store: Store) -> None:
    chain, subject = Chain(1), subject_named("pledge")
    row = chain.operation(b"a")
    batch = Batch(COMMUNITY, logs=[chain.row], operations=[row], entries=[chain.entry(row)])
    store.commit([batch])
    seen = {store.state_digest(COMMUNITY), store.state_digest(ZERO32)}
    for state in (b"one", b"two"):
        store.commit([Batch(COMMUNITY, states=[chain.state(row, subject, state)])])
        seen.add(store.state_digest(COMMUNITY))
    store.commit([Batch(COMMUNITY, payloads=[(b"b", 1, 0)])])
    seen.add(store.state_digest(COMMUNITY))
    assert len(seen) == 5


def test_keys_outlive_the_views_and_epochs_do_not(store: Store) -> None:
    epoch, older = b"e" * 32, b"o" * 32
    pairs = [(b"p" * 32, b"q" * 32), (b"r" * 32, b"s" * 32)]
    store.commit(
        [
            Batch(
                COMMUNITY,
                epochs=[(epoch, b"record"), (older, b"older record")],
                sealed=[(epoch, 1, 5, 2), (older, 1, 0, 5)],
                epoch_secrets=[(epoch, b"k" * 32)],
                prekeys=pairs,
            )
        ]
    )
    past = store.past(COMMUNITY)
    assert past.epochs() == [b"record", b"older record"]
    assert past.sealed() == [(epoch, 1, 5, 2), (older, 1, 0, 5)]
    store.commit([Batch(COMMUNITY, sealed=[(epoch, 1, 5, 3)], sealed_gone=[older])])
    assert past.sealed() == [(epoch, 1, 5, 3)]
    store.clear_views(COMMUNITY)
    assert (past.epochs(), past.sealed()) == ([], [])
    assert past.epoch_secrets() == [(epoch, b"k" * 32)]
    assert past.prekeys() == pairs
    store.commit([Batch(COMMUNITY, prekeys=pairs[1:])])
    assert past.prekeys() == pairs[1:]


def test_which_proofs_were_valid_is_kept_until_the_views_are_cleared(store: Store) -> None:
    one, other = bytes([1]) * 32, bytes([2]) * 32
    store.commit([Batch(COMMUNITY, proven=[other]), Batch(COMMUNITY, proven=[one, other])])
    past = store.past(COMMUNITY)
    assert past.proven() == [one, other]
    store.clear_views(COMMUNITY)
    assert past.proven() == []
