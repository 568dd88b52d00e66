"""What is removed is gone, for readers and on the disk, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import apsw

from p2pvalue.store import SqliteStore, Store
from p2pvalue_protocol.chunks import chunk_hash
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.past import Batch
from tests.store.chains import CHAT, COMMUNITY, START_MS, Chain, subject_named

OTHER = tagged_hash("test", b"another community")
CANARY = b"a canary that nobody may find"


def fill(store: Store, community: bytes, text: bytes, seed: int) -> Chain:
    """Store a log of entries and everything else that one community can have."""
    chain = Chain(1, community=community, seed=seed)
    batch = Batch(community, logs=[chain.row], frontiers=[(1, (b"f" * 32,))], tips=[1])
    for number in range(50):
        row = chain.operation(text + b" %d" % number)
        batch.operations.append(row)
        batch.entries.append(chain.entry(row, time=START_MS + number))
    batch.addresses.append((chain.key.public, text))
    batch.epoch_secrets.append((b"e" * 32, tagged_hash("secret", text)))
    batch.prekeys = [(tagged_hash("public", text), tagged_hash("private", text))]
    store.commit([batch])
    store.put_snapshot(community, NO_SUBJECT, 1, text)
    store.put_meta(f"confirmed:{community.hex()}", text)
    return chain


def test_a_community_that_is_forgotten_is_gone_and_others_stay(store: Store) -> None:
    fill(store, COMMUNITY, CANARY, 1)
    fill(store, OTHER, b"still here", 2)
    before = store.state_digest(OTHER)
    store.forget(COMMUNITY)
    assert store.communities() == [OTHER]
    past = store.past(COMMUNITY)
    assert (past.heads(), past.frontiers(), past.addresses()) == ([], [], [])
    assert (past.epoch_secrets(), past.prekeys()) == ([], [])
    assert store.entries(COMMUNITY, NO_SUBJECT, CHAT) == []
    assert store.snapshot(COMMUNITY, NO_SUBJECT) is None
    assert store.meta(f"confirmed:{COMMUNITY.hex()}") is None
    assert store.state_digest(OTHER) == before
    assert len(store.entries(OTHER, NO_SUBJECT, CHAT)) == 50
    assert store.verify(deep=False).faults == ()


def test_a_community_may_come_back_as_if_it_had_never_been_here(store: Store) -> None:
    fill(store, COMMUNITY, CANARY, 1)
    first = store.state_digest(COMMUNITY)
    store.forget(COMMUNITY)
    fill(store, COMMUNITY, CANARY, 1)
    assert store.state_digest(COMMUNITY) == first
    store.forget(OTHER)  # one that was never here
    assert store.communities() == [COMMUNITY]


def test_nothing_of_it_can_be_read_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path, durability="kill")
    chain = fill(store, COMMUNITY, CANARY, 1)
    fill(store, OTHER, b"still here", 2)
    made = [tagged_hash(purpose, CANARY) for purpose in ("private", "secret")]
    secrets = [CANARY, chain.key.public, chain.member, *made, COMMUNITY]
    beside = path.with_name(path.name + "-wal")
    assert all(secret in path.read_bytes() + beside.read_bytes() for secret in secrets)
    store.forget(COMMUNITY)
    found = path.read_bytes() + (beside.read_bytes() if beside.exists() else b"")
    assert [secret for secret in secrets if secret in found] == []
    assert b"still here" in found
    store.close()


def test_no_table_keeps_a_row_of_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path, durability="kill")
    chain = fill(store, COMMUNITY, CANARY, 1)
    more, subject = Batch(COMMUNITY), subject_named("a need")
    row = chain.operation(CANARY)
    more.operations.append(row)
    more.subject_operations.append(chain.subject_operation(row, subject))
    more.states.append(chain.state(row, subject, CANARY))
    more.reconsidered = [(1, 0)]
    more.proven.append(row.op_id)
    more.epochs.append((b"e" * 32, CANARY))
    more.sealed.append((b"e" * 32, 1, 0, 1))
    store.commit([more])
    store.chunks.put(COMMUNITY, [(chunk_hash(CANARY), CANARY)])
    store.close()
    assert [name for name, count in rows_of(path).items() if not count] == []
    store = SqliteStore(path, durability="kill")
    store.forget(COMMUNITY)
    store.close()
    assert [name for name, count in rows_of(path).items() if count] == ["arrivals"]


def rows_of(path: Path) -> dict[str, int]:
    """How many rows each table has."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    names = [str(name) for (name,) in found.fetchall()]
    counted = {
        name: int(connection.execute(f"SELECT count(*) FROM {name}").get)
        for name in names
        if not name.startswith("sqlite_")
    }
    connection.close()
    return counted
