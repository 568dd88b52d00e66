"""What the file of a node's store promises beyond the common contract."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from p2pvalue.store import SqliteStore, StoreFailed
from p2pvalue.store.migrations import SCHEMA_VERSION
from p2pvalue.store.sqlite_connection import APPLICATION_ID, open_connection
from p2pvalue.store.sqlite_views import SHORT
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.past import Batch
from tests.store.chains import CHAT, COMMUNITY, Chain, log_faults, texts


def test_everything_committed_is_there_after_reopening(tmp_path: Path) -> None:
    path, chain = tmp_path / "store.db", Chain(1)
    store = SqliteStore(path)
    store.commit([chain.message_batch(b"one"), chain.message_batch(b"two")])
    store.put_meta("clock", b"7")
    digest = store.state_digest(COMMUNITY)
    heads, tips = store.past(COMMUNITY).heads(), store.past(COMMUNITY).tips()
    store.close()
    store.close()
    again = SqliteStore(path)
    assert again.state_digest(COMMUNITY) == digest
    assert again.past(COMMUNITY).heads() == heads
    assert again.past(COMMUNITY).tips() == tips
    assert again.meta("clock") == b"7"
    again.commit([chain.message_batch(b"three")])
    assert texts(again) == [b"one", b"two", b"three"]
    again.close()


def test_arrivals_go_on_growing_after_reopening(tmp_path: Path) -> None:
    path, chain = tmp_path / "store.db", Chain(1)
    arrivals: list[int] = []
    for _ in range(3):
        store = SqliteStore(path)
        store.commit([chain.message_batch(b"one"), chain.message_batch(b"two")])
        arrivals = [entry.arrival for entry in store.entries(COMMUNITY, bytes(16), 35)]
        store.close()
    assert len(set(arrivals)) == 6
    assert arrivals == sorted(arrivals)


def test_a_store_is_opened_once_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    with pytest.raises(StoreFailed, match="another process has it open"):
        SqliteStore(path)
    program = (
        "import pathlib, sys; from p2pvalue.store import SqliteStore, StoreFailed\n"
        "try: SqliteStore(pathlib.Path(sys.argv[1]))\n"
        "except StoreFailed as failure: print(failure)"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert "another process has it open" in other.stdout
    store.close()
    SqliteStore(path).close()


def test_a_store_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    with apsw.Connection(str(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreFailed, match=r"newer p2pvalue.*update p2pvalue"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, " * 1_000, b"\x00" * 8_192])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StoreFailed):
        SqliteStore(path)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(StoreFailed, match="is not a p2pvalue store"):
        SqliteStore(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="check that the folder exists"):
        SqliteStore(tmp_path / "nowhere" / "store.db")


@pytest.fixture
def version_0(tmp_path: Path) -> Path:
    """Return a store as a first draft would have made it: words without their length."""
    path = tmp_path / "old.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE words (word TEXT NOT NULL)")
    connection.execute("INSERT INTO words VALUES ('need'), ('pledge')")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.close()
    return path


STEPS = {
    0: "ALTER TABLE words ADD COLUMN letters INTEGER NOT NULL DEFAULT 0;"
    "UPDATE words SET letters = length(word)",
    1: "CREATE INDEX words_by_letters ON words (letters)",
}


def test_an_older_store_is_brought_to_todays_schema_step_by_step(version_0: Path) -> None:
    connection = open_connection(version_0, "kill", schema_version=2, steps=STEPS)
    assert connection.execute("SELECT word, letters FROM words").fetchall() == [
        ("need", 4),
        ("pledge", 6),
    ]
    assert connection.pragma("user_version") == 2
    connection.close()
    open_connection(version_0, "kill", schema_version=2, steps={}).close()


def test_a_migration_that_fails_leaves_the_older_store_whole(version_0: Path) -> None:
    broken = {**STEPS, 1: "CREATE INDEX words_by_meaning ON words (meaning)"}
    with pytest.raises(StoreFailed):
        open_connection(version_0, "kill", schema_version=2, steps=broken)
    connection = apsw.Connection(str(version_0))
    assert connection.pragma("user_version") == 0
    assert connection.execute("SELECT * FROM words").fetchall() == [("need",), ("pledge",)]
    connection.close()


def test_every_version_since_the_first_has_its_step() -> None:
    from p2pvalue.store.migrations import STEPS

    assert sorted(STEPS) == list(range(1, SCHEMA_VERSION))


def test_a_backup_holds_what_is_committed_while_it_is_made(tmp_path: Path) -> None:
    chain, store = Chain(1), SqliteStore(tmp_path / "store.db", durability="kill")
    store.commit([chain.message_batch(bytes(4_000)) for _ in range(600)])
    left = []
    for pages in store.backup(tmp_path / "copy.db"):
        left.append(pages)
        store.commit([chain.message_batch(b"while it is made")])
    assert len(left) > 2
    assert left[-1] == 0
    copy = SqliteStore(tmp_path / "copy.db")
    assert copy.past(COMMUNITY).heads()[0].head.seq == 600 + len(left) - 2
    assert log_faults(copy) == ()
    copy.close()
    store.close()


def test_a_backup_never_overwrites_and_an_unfinished_one_goes(tmp_path: Path) -> None:
    chain, store = Chain(1), SqliteStore(tmp_path / "store.db", durability="kill")
    store.commit([chain.message_batch(bytes(4_000)) for _ in range(600)])
    steps = store.backup(tmp_path / "copy.db")
    next(steps)
    steps.close()  # type: ignore[attr-defined]  # a generator
    assert not (tmp_path / "copy.db").exists()
    with pytest.raises(StoreFailed, match="exists already"):
        list(store.backup(tmp_path / "store.db"))
    store.close()


def test_a_bit_flipped_on_the_disk_is_found(tmp_path: Path) -> None:
    path, chain = tmp_path / "store.db", Chain(1)
    store = SqliteStore(path)
    store.commit([chain.message_batch(b"a sentence to be found again")])
    store.close()
    data = bytearray(path.read_bytes())
    data[data.index(b"sentence")] ^= 1
    path.write_bytes(data)
    store = SqliteStore(path)
    (fault,) = store.verify(deep=True).faults
    assert fault.finding == "the payload does not have the hash that its core names"
    store.close()


def test_a_torn_page_is_found_and_explained(tmp_path: Path) -> None:
    path, chain = tmp_path / "store.db", Chain(1)
    store = SqliteStore(path)
    store.commit([chain.message_batch(bytes(300)) for _ in range(500)])
    store.close()
    data = bytearray(path.read_bytes())
    for page in range(30, 40):
        data[page * 4_096 : page * 4_096 + 2_048] = b"\xff" * 2_048
    path.write_bytes(data)
    store = SqliteStore(path)
    with pytest.raises(StoreFailed, match="the file is damaged"):
        list(store.operations_in_order(COMMUNITY))
    for deep in (False, True):
        findings = [fault.finding for fault in store.verify(deep=deep).faults]
        print(findings)
        assert len(findings) > 1
        assert "the file is damaged" in findings[-1]
    store.close()


def test_a_reader_may_stop_and_the_store_be_written_between_two_operations(tmp_path: Path) -> None:
    chain, store = Chain(1), SqliteStore(tmp_path / "store.db", durability="kill")
    store.commit([chain.message_batch(b"%d" % number) for number in range(600)])
    seen = 0
    for row in store.operations_in_order(COMMUNITY):
        assert row.seq == seen
        seen += 1
        if seen % 200 == 0 and seen <= 600:
            store.commit([chain.message_batch(b"more")])
    assert seen == 603
    store.close()


def test_the_numbers_of_more_lists_than_are_remembered_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue.store.sqlite_names.REMEMBERED_MAX", 3)
    store = SqliteStore(tmp_path / "store.db", durability="kill")
    chains = [Chain(number) for number in range(1, 11)]
    for turn in range(3):
        for chain in chains:
            batch = chain.message_batch(b"%d" % turn)
            container = tagged_hash("test", b"list %d" % chain.row.log)[:16]
            batch.entries = [batch.entries[0]._replace(container=container)]
            store.commit([batch])
    for chain in chains:
        container = tagged_hash("test", b"list %d" % chain.row.log)[:16]
        assert texts(store, container) == [b"0", b"1", b"2"]
    store.close()


def test_what_is_remembered_of_states_is_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue.store.sqlite_names.STATES_REMEMBERED_MAX", 3)
    store = SqliteStore(tmp_path / "store.db", durability="kill")
    chain = Chain(1)
    row = chain.operation(b"all")
    subjects = [tagged_hash("test", b"subject %d" % number)[:16] for number in range(10)]
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=[row])])
    for turn in range(3):
        written = [chain.state(row, subject, b"%d" % turn) for subject in subjects]
        store.commit([Batch(COMMUNITY, states=written)])
        assert store.state(COMMUNITY, subjects[-1]) == written[-1]  # read last before
        assert [store.state(COMMUNITY, subject) for subject in subjects] == written
    unknown_log = chain.operation(b"of no log")._replace(log=7)
    lost = chain.state(row, subjects[-1], b"lost")
    with pytest.raises(StoreFailed):
        store.commit([Batch(COMMUNITY, states=[lost]), Batch(COMMUNITY, operations=[unknown_log])])
    assert store.state(COMMUNITY, subjects[-1]) == written[-1]
    store.clear_views(COMMUNITY)
    assert store.state(COMMUNITY, subjects[-1]) is None
    store.close()


def test_a_state_that_was_read_does_not_outlive_its_community(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", durability="kill")
    chain, subject = Chain(1), tagged_hash("test", b"subject")[:16]
    row = chain.operation(b"all")
    state = chain.state(row, subject, b"state")
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=[row], states=[state])])
    assert store.state(COMMUNITY, subject) == state
    store.forget(COMMUNITY)
    assert store.state(COMMUNITY, subject) is None
    other = tagged_hash("test", b"another community")
    store.commit([Batch(other)])  # it may take the number of the one that is gone
    assert store.state(other, subject) is None
    store.close()


def test_a_short_list_is_read_by_arrival_without_a_write(tmp_path: Path) -> None:
    store, chain = SqliteStore(tmp_path / "store.db", durability="kill"), Chain(1)
    writes: list[int] = []
    for number in range(SHORT + 1):
        store.commit([chain.message_batch(b"%d" % number)])
        before = store._connection.total_changes()
        found = store.entries_since(COMMUNITY, NO_SUBJECT, CHAT, 0)
        assert [entry.payload for entry in found] == [b"%d" % n for n in range(number + 1)]
        writes.append(store._connection.total_changes() - before)
    store.close()
    assert not any(writes[:SHORT])
    assert writes[SHORT] > SHORT  # each of its entries, and the list
