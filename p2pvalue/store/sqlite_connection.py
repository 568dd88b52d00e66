"""Opening the database file: settings, version, and the meaning of SQLite's errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

import apsw

from p2pvalue.store.interface import Durability, StoreFailed
from p2pvalue.store.migrations import SCHEMA_VERSION, STEPS
from p2pvalue.store.sqlite_journal import has_lost_commits

APPLICATION_ID = 0x70327076  # "p2pv": tells a store from any other SQLite file

UNENCRYPTED_HEAD = b"SQLite format 3\x00"

CACHE_KIB = 8 * 1_024  # small enough for a Raspberry Pi, whatever the size of the history
WAL_PAGES = 2_000  # 8 MB are written before they are copied into the main file

_SYNCHRONOUS: Mapping[Durability, str] = {"power-cut": "FULL", "kill": "NORMAL"}

_SETTINGS = (
    # One connection owns the file: no shared-memory index, no lock calls per transaction.
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    f"PRAGMA wal_autocheckpoint = {WAL_PAGES}",
    f"PRAGMA journal_size_limit = {2 * WAL_PAGES * 4_096}",
    "PRAGMA mmap_size = 0",  # a mapped file that fails to read ends the process instead of raising
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cell_size_check = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = OFF",
)


def open_connection(
    path: Path,
    durability: Durability,
    *,
    key: bytes | None = None,
    vfs: str | None = None,
    schema_version: int = SCHEMA_VERSION,
    steps: Mapping[int, str] = STEPS,
) -> apsw.Connection:
    """Return the one connection to a store, of today's schema; raises StoreFailed.

    With a `key` of 32 bytes every page on the disk is encrypted, the journal's too (ChaCha20 with
    Poly1305, SQLite3 Multiple Ciphers); without one nothing is. `vfs`, `schema_version` and `steps`
    exist so that tests can make disks fail and schemas age.
    """
    with failures_explained(f"the store {path} cannot be opened"):
        connection = apsw.Connection(str(path), vfs=vfs)
    try:
        with failures_explained(f"the store {path} cannot be opened"):
            if key is not None:
                _refuse_unencrypted(path)
                give_key(connection, key)
            for setting in _SETTINGS:
                connection.execute(setting)
            connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
            if durability == "power-cut":  # else a power cut may leave what looks like damage
                _refuse_damaged_journal(connection, path)
            _bring_to_version(connection, path, schema_version, steps)
    except BaseException:  # an interrupt, too
        with suppress(apsw.Error):  # the first failure is the one to be told
            connection.close()
        raise
    return connection


def give_key(connection: apsw.Connection, key: bytes) -> None:
    """Let a connection encrypt what it writes, before it reads or writes anything."""
    connection.pragma("cipher", "chacha20")
    # Raw: the key is random already, so stretching it at every start would cost time for nothing.
    connection.pragma("key", f"raw:{key.hex()}")


def _refuse_unencrypted(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(len(UNENCRYPTED_HEAD))
    except OSError:
        return  # there is none yet, or SQLite says what is wrong with it
    if head == UNENCRYPTED_HEAD:
        raise StoreFailed(
            f"the store {path} is not encrypted, so it is not this node's: move it to another "
            "place and start again; the members of your communities send you what they have"
        )


def _refuse_damaged_journal(connection: apsw.Connection, path: Path) -> None:
    if has_lost_commits(connection):
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # leaves both files as they are
        raise StoreFailed(
            f"the store {path} cannot be opened: its journal beside it ({path.name}-wal) is "
            "damaged, and what was written last cannot be read any more; check the disk, then "
            "restore a backup (`p2pvalue restore`); nothing was changed"
        )


def _bring_to_version(
    connection: apsw.Connection, path: Path, schema_version: int, steps: Mapping[int, str]
) -> None:
    connection.execute("BEGIN IMMEDIATE")  # takes the exclusive lock, which is then kept
    try:
        version = int(connection.pragma("user_version"))
        if connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
            schema = resources.files("p2pvalue.store").joinpath("schema.sql").read_text("utf-8")
            connection.execute(schema)
        elif connection.pragma("application_id") != APPLICATION_ID:
            raise StoreFailed(f"{path} is not a p2pvalue store: name another folder")
        elif version > schema_version:
            raise StoreFailed(
                f"the store {path} was written by a newer p2pvalue (schema {version}, this program "
                f"knows {schema_version}): update p2pvalue; nothing was changed"
            )
        else:
            for step in range(version, schema_version):
                connection.execute(steps[step])
        if version != schema_version:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {schema_version}")
        connection.execute("COMMIT")
    except BaseException:  # an interrupt, too
        roll_back(connection)
        raise


def roll_back(connection: apsw.Connection) -> None:
    """End a failed transaction; SQLite has ended it already after some errors."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def failures_explained(what: str) -> Iterator[None]:
    """Turn SQLite's errors into StoreFailed with a next step for the person."""
    try:
        yield
    except apsw.Error as error:
        raise explained(error, what) from error


def explained(error: apsw.Error, what: str) -> StoreFailed:
    """Return what a person can do about an error of SQLite that came of doing `what`."""
    match error:
        case apsw.FullError():
            step = "the disk is full; free some space and try again"
        case apsw.BusyError():
            step = "another process has it open; stop that one (`p2pvalue stop`) and try again"
        case apsw.CorruptError() | apsw.NotADBError():
            step = (
                f"the file is damaged, or the keys beside it are others than it was written with "
                f"({error}); restore a backup (`p2pvalue restore`)"
            )
        case apsw.CantOpenError() | apsw.PermissionsError() | apsw.ReadOnlyError():
            step = f"{error}; check that the folder exists and is yours"
        case apsw.ConstraintError():
            step = f"it contradicts what is stored ({error}); a defect, please report it"
        case _:
            step = f"{error}; check the disk and run `p2pvalue verify`"
    return StoreFailed(f"{what}: {step}")
