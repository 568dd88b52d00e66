"""Kills what changes whole files, again and again, and looks at what is left.

A backup is made, restored, the keys are closed in another way, a community is forgotten, the
database is taken to another schema: each in a forked process that is killed by signal 9 at a random
moment. Whatever it was must then be done wholly or not at all, and be possible again:

    python -m tests.node.crash FOLDER --kills 1000 --seed 7
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import shutil
import signal
import time
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path

import apsw
import trio

from p2pvalue.kept_keys import backup_key_of
from p2pvalue.keyfile import Cost, Seal, WrongPassphrase, seal_with_passphrase
from p2pvalue.keystore import FILE_NAME, Keystore
from p2pvalue.node.backup import backup, is_half_restored, restore
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.store import SqliteStore
from p2pvalue.store.sqlite_connection import give_key, open_connection
from p2pvalue.store.verify import verify_logs
from p2pvalue_protocol.ids import tagged_hash
from tests.kills import kill_command
from tests.node.small_node import SmallNode
from tests.store.chains import Chain
from tests.store.schema_to_come import STEPS_TO_COME, VERSION_TO_COME

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
ENTROPY = bytes(range(32))
KEY = bytes(range(1, 33))
MESSAGES = 200
OTHER_COMMUNITY = tagged_hash("test", b"a community to be forgotten")


class Deed(ABC):
    """Something that is done to a folder wholly or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / DATABASE_NAME
        self.life_s: float | None = None  # about as long as it takes, once that is known
        folder.mkdir()
        store = self.opened()
        node = SmallNode("ana", ["ana"], store)
        for number in range(MESSAGES):
            trio.run(node.community.post, f"message {number}")
        self.community = node.community_id
        self.digest = store.state_digest(self.community)
        self.prepare(store)
        store.close()

    def opened(self) -> SqliteStore:
        """The database of the folder."""
        return SqliteStore(self.database, durability="kill", key=KEY)

    def check_sound(self, store: SqliteStore) -> None:
        """Raise AssertionError unless a database holds all that was written, and nothing else."""
        assert store.state_digest(self.community) == self.digest
        assert verify_logs(store, deep=True).faults == ()

    @abstractmethod
    def prepare(self, store: SqliteStore) -> None:
        """Make what else it needs."""

    @abstractmethod
    def do(self) -> None:
        """Do it; in a process of its own, that may be killed."""

    @abstractmethod
    def was_done(self) -> bool:
        """Return whether it was done and undo it; raises AssertionError if it was done in part."""


class BackingUp(Deed):
    """`backup`: the file is there whole, or not."""

    def prepare(self, store: SqliteStore) -> None:
        self.target = self.folder / "b.backup"

    def do(self) -> None:
        store = self.opened()
        trio.run(backup, store, self.target, lambda done, pages: None, KEY)

    def was_done(self) -> bool:
        if not self.target.exists():
            return False
        copy = SqliteStore(self.target, key=KEY)
        self.check_sound(copy)
        copy.close()
        self.target.unlink()
        return True


class Restoring(Deed):
    """`restore`: the folder is a node, or is restored over."""

    def prepare(self, store: SqliteStore) -> None:
        self.source, self.new = self.folder / "b.backup", self.folder / "new"
        list(store.backup(self.source, backup_key_of(ENTROPY)))

    def do(self) -> None:
        restore(self.source, self.new, "Ana", ENTROPY)

    def was_done(self) -> bool:
        if not (self.new / DATABASE_NAME).exists():
            assert is_half_restored(self.new) or not (self.new / FILE_NAME).exists()
            return False
        keystore = Keystore.open(self.new)
        assert (keystore.name, keystore.entropy) == ("Ana", ENTROPY)
        store = SqliteStore(self.new / DATABASE_NAME, key=keystore.database_key)
        self.check_sound(store)
        store.close()
        shutil.rmtree(self.new)
        return True


class ChangingThePassphrase(Deed):
    """`passphrase change`: the old one opens the keys, or the new one, never both or none."""

    def prepare(self, store: SqliteStore) -> None:
        self.number = 0
        Keystore.create(self.folder, "Ana", entropy=ENTROPY, seal=self._seal())

    def _seal(self) -> Seal:
        return seal_with_passphrase(f"passphrase {self.number}", os.urandom, CHEAP)

    def do(self) -> None:
        keystore = Keystore.open(self.folder, passphrase=f"passphrase {self.number}")
        self.number += 1
        keystore.reseal(self._seal())

    def was_done(self) -> bool:
        opening = []
        for number in (self.number, self.number + 1):
            with contextlib.suppress(WrongPassphrase):
                keystore = Keystore.open(self.folder, passphrase=f"passphrase {number}")
                assert keystore.entropy == ENTROPY
                opening.append(number)
        assert len(opening) == 1
        is_done = opening != [self.number]
        (self.number,) = opening
        return is_done


class Forgetting(Deed):
    """Leaving a community: all of it goes, or nothing; the others lose nothing."""

    def prepare(self, store: SqliteStore) -> None:
        other = Chain(2, community=OTHER_COMMUNITY)
        store.commit([other.message_batch(b"of others" * 50) for _ in range(200)])

    def do(self) -> None:
        self.opened().forget(OTHER_COMMUNITY)

    def was_done(self) -> bool:
        store = self.opened()
        self.check_sound(store)
        is_done = OTHER_COMMUNITY not in store.communities()
        held = sum(1 for _ in store.operations_in_order(OTHER_COMMUNITY))
        assert held == (0 if is_done else 200)
        if is_done:
            self.prepare(store)
        store.close()
        return is_done


class Migrating(Deed):
    """Another schema: the file is wholly of the old one or of the new one."""

    def prepare(self, store: SqliteStore) -> None:
        store.close()
        shutil.copyfile(self.database, self.folder / "old.db")

    def do(self) -> None:
        open_connection(
            self.database, "kill", key=KEY, schema_version=VERSION_TO_COME, steps=STEPS_TO_COME
        )

    def was_done(self) -> bool:
        connection = apsw.Connection(str(self.database))
        give_key(connection, KEY)
        is_done: bool = connection.pragma("user_version") == VERSION_TO_COME
        tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'later'").get
        columns = [row[1] for row in connection.execute("PRAGMA table_info(operations)")]
        assert (tables == 1, "note" in columns) == (is_done, is_done)
        if is_done:
            assert not connection.execute("SELECT 1 FROM operations WHERE note IS NULL").get
        connection.close()
        if is_done:
            shutil.copyfile(self.folder / "old.db", self.database)
        else:
            store = self.opened()
            self.check_sound(store)
            store.close()
        return is_done


DEEDS: tuple[type[Deed], ...] = (
    BackingUp,
    Restoring,
    ChangingThePassphrase,
    Forgetting,
    Migrating,
)


def is_killed(deed: Deed, rng: random.Random) -> bool:
    """Do it in a forked process and kill that at a random moment; False if it ended before."""
    reader, writer = os.pipe()
    began_s = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            deed.do()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it is, it is shown and the process ends
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writer)
    wait_s = None if deed.life_s is None else rng.uniform(0, 1.3 * deed.life_s)
    ended, _, _ = select.select([reader], [], [], wait_s)
    os.close(reader)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed: see above"
    lasted_s = time.monotonic() - began_s
    known_s = lasted_s if deed.life_s is None else deed.life_s
    deed.life_s = 0.8 * known_s + 0.2 * lasted_s if ended else 1.05 * known_s
    return os.WIFSIGNALED(status)


def kill_many(folder: Path, kills: int, seed: str) -> dict[str, int | str]:
    """Return what happened in so many kills; raises AssertionError on the first thing wrong."""
    counts = Counter[str]()
    rng = random.Random(seed)
    deeds = [deed(folder / deed.__name__) for deed in DEEDS]
    while counts["kills"] < kills:
        deed = rng.choice(deeds)
        name = type(deed).__name__
        if is_killed(deed, rng):
            counts["kills"] += 1
            counts[f"{name}_killed"] += 1
        counts[f"{name}_done"] += deed.was_done()  # before the kill, or because there was none
    return {"seed": seed, **dict(sorted(counts.items()))}


if __name__ == "__main__":
    kill_command(kill_many, "what changes whole files")
