"""What is kept hidden in a list: for who asks, in its place, and for nobody else."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from p2pvalue.store import Base, Entry, SqliteStore, Store, StoreFailed, fold_waiting
from p2pvalue_protocol.ids import CONTENT, Reference, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.past import Batch, EntryRow
from tests.protocol.replicas import Copy, founded
from tests.protocol.verdicts import Verdicts
from tests.store.chains import CHAT, COMMUNITY, Chain, texts


def since(store: Store, arrival: int = 0, *, hidden: bool = True) -> list[Entry]:
    return store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, arrival, hidden=hidden)


def marked(found: list[Entry]) -> list[tuple[bytes | None, bool]]:
    return [(entry.payload, entry.is_hidden) for entry in found]


def hidden(row: EntryRow) -> EntryRow:
    return row._replace(is_hidden=True)


def test_what_is_hidden_is_handed_out_marked_to_who_asks_and_to_nobody_else(store: Store) -> None:
    chain = Chain(3)
    batches = [chain.message_batch(b"%d" % number) for number in range(3)]
    batches[1].entries = [hidden(batches[1].entries[0])]
    store.commit(batches)
    assert marked(since(store)) == [(b"0", False), (b"1", True), (b"2", False)]
    assert {entry.log for entry in since(store)} == {3}
    assert [entry.payload for entry in since(store, hidden=False)] == texts(store) == [b"0", b"2"]
    assert store.entry_count(COMMUNITY, NO_SUBJECT, CHAT) == 2
    assert store.figures().entries == 2
    assert since(store, since(store)[0].arrival)[0].payload == b"1"


def test_a_list_of_hidden_entries_alone_is_no_container(store: Store) -> None:
    batch = Chain(1).message_batch(b"a")
    batch.entries = [hidden(batch.entries[0])]
    store.commit([batch])
    assert store.containers(COMMUNITY, CHAT) == []
    assert marked(since(store)) == [(b"a", True)]


def test_the_places_of_hidden_entries_are_told_and_of_no_others(store: Store) -> None:
    chain = Chain(1)
    batches = [chain.message_batch(b"%d" % number) for number in range(3)]
    batches[1].entries = [hidden(row) for row in batches[1].entries]
    store.commit(batches)
    (row,) = batches[1].entries
    places = store.past(COMMUNITY).hidden_places(NO_SUBJECT, CHAT)
    assert places == [Reference(row.device, CONTENT, row.seq, row.op_id)]
    assert store.past(COMMUNITY).hidden_places(bytes(range(16)), CHAT) == []


def test_what_is_turned_keeps_its_number_and_its_snapshot_goes(store: Store) -> None:
    chain = Chain(1)
    batches = [chain.message_batch(b"%d" % number) for number in range(3)]
    store.commit(batches)
    before, row, past = since(store), batches[1].entries[0], store.past(COMMUNITY)
    for turned, shown in ((hidden(row), [b"0", b"2"]), (row, [b"0", b"1", b"2"])):
        store.put_snapshot(COMMUNITY, NO_SUBJECT, 1, b"made of it")
        store.commit([Batch(COMMUNITY, entries_turned=[turned])])
        assert store.snapshot(COMMUNITY, NO_SUBJECT) is None
        assert texts(store) == shown
        assert [entry.arrival for entry in since(store)] == [entry.arrival for entry in before]
        assert past.has_entry(turned)
        assert not past.has_entry(turned._replace(is_hidden=not turned.is_hidden))
    assert since(store) == before


def test_what_is_listed_again_stands_before_the_hidden_that_follow_it(store: Store) -> None:
    chain = Chain(1)
    batches = [chain.message_batch(b"%d" % number) for number in range(4)]
    (late,) = batches[1].entries
    batches[1].entries = []
    batches[2].entries = [hidden(batches[2].entries[0])]
    store.commit([*batches, Chain(2).message_batch(b"other")])
    store.commit([Batch(COMMUNITY, entries_again=[late])])
    assert marked(since(store)) == [
        (b"0", False),
        (b"other", False),
        (b"1", False),
        (b"2", True),
        (b"3", False),
    ]


def test_the_digest_that_others_compare_does_not_know_what_is_hidden(store: Store) -> None:
    one = Chain(1)
    store.commit([one.message_batch(b"a"), one.message_batch(b"b")])
    row = one.message_batch(b"c")
    before = [store.state_digest(COMMUNITY, hidden=flag) for flag in (False, True)]
    assert before[0] == before[1]
    row.entries = [hidden(row.entries[0])]
    store.commit([row])
    assert store.state_digest(COMMUNITY) == before[0]
    assert store.state_digest(COMMUNITY, hidden=True) != before[1]


def test_what_is_hidden_goes_with_the_views(store: Store) -> None:
    there = Chain(2, community=bytes(32)).message_batch(b"there")
    here = Chain(1).message_batch(b"here")
    for batch in (here, there):
        batch.entries = [hidden(batch.entries[0])]
    store.commit([here, there])
    store.clear_views(COMMUNITY)
    assert since(store) == []
    store.forget(COMMUNITY)
    left = store.entries_since(bytes(32), NO_SUBJECT, CHAT, 0, hidden=True)
    assert marked(left) == [(b"there", True)]


def test_a_store_says_where_a_log_begins(store: Store) -> None:
    trunk = Chain(1, seed=1)
    first, second = trunk.operation(b"common"), trunk.operation(b"one")
    branch = Chain(2, seed=1)
    branch.resume(1, first.op_id)
    other = branch.operation(b"two")
    branch.row = branch.row._replace(branch=other.op_id, first_seq=1, base_id=first.op_id)
    store.commit(
        [Batch(COMMUNITY, logs=[trunk.row, branch.row], operations=[first, second, other])]
    )
    assert store.base(COMMUNITY, 1) == Base(None, -1)
    assert store.base(COMMUNITY, 2) == Base(1, 0)
    with pytest.raises(StoreFailed, match="log 3 is not stored"):
        store.base(COMMUNITY, 3)


# --- real documents


class Written:
    """A document of a founder with some updates, and verdicts on them."""

    def __init__(self, store: Store) -> None:
        self.copy: Copy = founded(open_store=lambda: store)
        self.verdicts = Verdicts()
        self.verdicts.rule(self.copy.replica)
        (made,) = self.copy.write(Draft(document.NUMBER, b"", document.encode_document("Plan")))
        self.subject = subject_of(made.op_id)
        updates = [document.encode_document_update(b"%d" % n, session=0) for n in range(4)]
        self.updates = self.copy.write(
            *(Draft(document.UPDATE_NUMBER, self.subject, update) for update in updates)
        )

    def listed(self, store: Store) -> list[tuple[int, bool]]:
        found = store.entries_since(
            self.copy.community, self.subject, document.UPDATE_NUMBER, 0, hidden=True
        )
        return [(entry.order.seq - self.updates[0].seq, entry.is_hidden) for entry in found]


@pytest.fixture
def written(store: Store) -> Written:
    return Written(store)


def test_verify_finds_a_mark_that_is_not_what_the_operations_fold_to(
    store: Store, written: Written
) -> None:
    assert store.verify(deep=True).faults == ()
    community = written.copy.community
    (entry,) = store.entries(community, written.subject, document.UPDATE_NUMBER, limit=1)
    row = EntryRow(entry.container, *entry.order, entry.kind, entry.member, entry.log)
    store.commit([Batch(community, entries_again=[hidden(row)])])
    (fault,) = store.verify(deep=True).faults
    assert fault.place == "views"
    store.clear_views(community)
    fold_waiting(store, community)
    assert store.verify(deep=True).faults == ()


def test_a_store_of_version_1_comes_to_list_what_it_hid(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    written = Written(store)
    written.verdicts.hide(*written.updates[1:3])
    written.copy.settle()
    expected = written.listed(store)
    assert expected == [(0, False), (1, True), (2, True), (3, False)]
    store.put_snapshot(written.copy.community, written.subject, 9, b"knew nothing of them")
    store.close()
    with apsw.Connection(str(path)) as connection:  # version 1 listed no hidden update
        connection.execute("DELETE FROM entries WHERE list < 0; PRAGMA user_version = 1")
        connection.execute("DROP TABLE chunks; DROP TABLE chunk_bytes")  # nor had it these
    connection.close()
    store = SqliteStore(path)
    assert written.listed(store) == [(0, False), (3, False)]
    assert store.snapshot(written.copy.community, written.subject) is None
    again = Copy(written.copy.community, written.copy.signer, lambda: store)
    written.verdicts.rule(again.replica)
    again.settle()
    assert written.listed(store) == expected
    assert not again.replica.has_work
    store.close()
