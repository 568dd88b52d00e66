"""What a store with a key leaves on the disk: nothing that can be read without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pvalue.store import SqliteStore, StoreFailed
from p2pvalue_protocol.past import Batch
from tests.store.chains import COMMUNITY, Chain, log_faults, texts

KEY, OTHER_KEY = b"\x01" * 32, b"\x02" * 32
CANARY = b"a sentence that nobody else may read"


def on_disk(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def where_is(canary: bytes, folder: Path) -> list[str]:
    """The files in which it stands, journals included."""
    return sorted(name for name, data in on_disk(folder).items() if canary in data)


def written(path: Path, key: bytes | None) -> SqliteStore:
    """A store with the canary in a message, in its journal as well."""
    store, chain = SqliteStore(path, key=key), Chain(1)
    store.commit([chain.message_batch(CANARY) for _ in range(100)])
    store.put_meta("note", CANARY)
    return store


def test_neither_the_file_nor_its_journal_holds_what_was_written(tmp_path: Path) -> None:
    store = written(tmp_path / "store.db", KEY)
    assert {"store.db", "store.db-wal"} <= set(on_disk(tmp_path))
    assert where_is(CANARY, tmp_path) == where_is(KEY, tmp_path) == []
    store.close()
    assert where_is(CANARY, tmp_path) == []


def test_without_a_key_the_canary_is_found_in_both(tmp_path: Path) -> None:
    store = written(tmp_path / "store.db", None)
    assert where_is(CANARY, tmp_path) == ["store.db-wal"]
    store.close()
    assert where_is(CANARY, tmp_path) == ["store.db"]


def test_what_was_written_is_read_again_with_the_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    written(path, KEY).close()
    before = path.read_bytes()
    for key in (OTHER_KEY, None):
        with pytest.raises(StoreFailed, match="the file is damaged, or the keys"):
            SqliteStore(path, key=key)
    assert path.read_bytes() == before
    store = SqliteStore(path, key=KEY)
    assert texts(store)[0] == CANARY
    store.close()


def test_a_store_without_encryption_is_not_taken_for_ours(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    written(path, None).close()
    before = path.read_bytes()
    with pytest.raises(StoreFailed, match="is not encrypted"):
        SqliteStore(path, key=KEY)
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", [None, OTHER_KEY])
def test_a_backup_is_encrypted_with_the_key_it_is_given(tmp_path: Path, key: bytes | None) -> None:
    store = written(tmp_path / "store.db", KEY)
    assert list(store.backup(tmp_path / "copy.db", key))[-1] == 0
    store.close()
    assert where_is(CANARY, tmp_path) == []
    copy = SqliteStore(tmp_path / "copy.db", key=key or KEY)
    assert copy.past(COMMUNITY).heads()[0].head.seq == 99
    assert log_faults(copy) == ()
    copy.close()


def test_a_backup_holds_no_key_of_this_device(tmp_path: Path) -> None:
    store = written(tmp_path / "store.db", None)
    private = b"a private prekey of this device!"
    secret = b"a secret that opens an epoch...."
    keys = Batch(COMMUNITY, prekeys=[(bytes(32), private)], epoch_secrets=[(b"e" * 32, secret)])
    store.commit([keys])
    assert store.past(COMMUNITY).prekeys() == [(bytes(32), private)]
    list(store.backup(tmp_path / "copy.db"))
    assert private not in (tmp_path / "copy.db").read_bytes()
    copy = SqliteStore(tmp_path / "copy.db")
    assert copy.past(COMMUNITY).prekeys() == []
    assert copy.past(COMMUNITY).epoch_secrets() == [(b"e" * 32, secret)]
    for opened in (store, copy):
        opened.close()


def test_a_deep_check_leaves_nothing_to_read_while_it_runs(tmp_path: Path) -> None:
    store = written(tmp_path / "store.db", KEY)
    seen: list[list[str]] = []
    scratches: set[str] = set()

    def look(done: int, total: int) -> None:
        seen.append(where_is(CANARY, tmp_path))
        scratches.update(path.name for path in tmp_path.glob("verify-*/*"))

    store.verify(deep=True, progress=look)
    assert scratches >= {"store.db"}, "the check made no copy to look at"
    assert seen
    assert not any(seen)
    store.close()


def test_a_byte_changed_on_the_disk_is_never_taken_for_data(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    written(path, KEY).close()
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4_096):
        data[page * 4_096 + 2_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreFailed, match="the file is damaged"):
        texts(SqliteStore(path, key=KEY))
