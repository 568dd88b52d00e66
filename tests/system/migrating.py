"""Kills a daemon that takes its database to another schema as it starts."""

from __future__ import annotations

import contextlib
import random
import select
import time
from collections.abc import Iterator
from pathlib import Path

import apsw

from p2pvalue.keystore import Keystore
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.store.migrations import SCHEMA_VERSION
from p2pvalue.store.sqlite_connection import give_key
from tests.store.schema_to_come import VERSION_TO_COME
from tests.system.person import Person

LIFE_SHARES = (0.3, 1.1)
"""Of a whole start: Python and its modules are loaded before anything is opened."""


def killed_while_migrating(person: Person, kills: int, rng: random.Random) -> int:
    """Kill starts of a daemon that migrates; return how often it had not migrated yet.

    The folder ends with today's schema and its daemon running. Raises AssertionError when a
    database is neither of the old schema nor of the new one, or shows something else than before.
    """
    before = person.digest()
    person.kill()
    with _program_to_come(person):
        start_s = _started(person, before)
        unfinished = 0
        for _ in range(kills):
            _take_back(person.folder)
            person.start()
            select.select([], [], [], start_s * rng.uniform(*LIFE_SHARES))
            person.kill()
            unfinished += not _is_migrated(person.folder)
        _started(person, before)
        _take_back(person.folder)
    person.start()
    person.until_up()
    assert person.digest() == before
    return unfinished


@contextlib.contextmanager
def _program_to_come(person: Person) -> Iterator[None]:
    today, person.program = person.program, "tests.system.daemon_to_come"
    try:
        yield
    finally:
        person.program = today


def _started(person: Person, digest: str) -> float:
    """Migrate to the end; return how many seconds a start takes. The daemon does not run then."""
    begun_s = time.monotonic()
    person.start()
    person.until_answering()
    start_s = time.monotonic() - begun_s
    assert person.digest() == digest
    person.kill()
    assert _is_migrated(person.folder)
    return start_s


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(folder / DATABASE_NAME))
    give_key(connection, Keystore.open(folder).database_key)
    try:
        yield connection
    finally:
        connection.close()


def _is_migrated(folder: Path) -> bool:
    """Return whether a database is of the schema to come; raises AssertionError if it is torn."""
    with _database(folder) as connection:
        version = connection.pragma("user_version")
        assert version in (SCHEMA_VERSION, VERSION_TO_COME)
        is_migrated: bool = version == VERSION_TO_COME
        tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'later'").get
        columns = [row[1] for row in connection.execute("PRAGMA table_info(operations)")]
        assert (tables == 1, "note" in columns) == (is_migrated, is_migrated)
        if is_migrated:
            assert not connection.execute("SELECT 1 FROM operations WHERE note IS NULL").get
    return is_migrated


def _take_back(folder: Path) -> None:
    """Make a database one of today again, so that it can be migrated once more."""
    if not _is_migrated(folder):
        return
    with _database(folder) as connection, connection:
        connection.execute("ALTER TABLE operations DROP COLUMN note; DROP TABLE later")
        connection.pragma("user_version", SCHEMA_VERSION)
