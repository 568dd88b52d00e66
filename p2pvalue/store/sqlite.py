"""The store of a node: one SQLite file, one connection, used from one thread.

Synchronous on purpose: a commit takes the time of one disk flush, and handing it to another thread
would cost as much again. The hot path of a chat message writes two trees, `operations` and
`entries`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw

from p2pvalue.store import sqlite_views as views
from p2pvalue.store.digest import digest_of_views
from p2pvalue.store.interface import (
    Base,
    Durability,
    Entry,
    Figures,
    Progress,
    Snapshot,
    StoreFailed,
    VerifyReport,
)
from p2pvalue.store.migrations import SCHEMA_VERSION
from p2pvalue.store.sqlite_chunks import SqliteChunks
from p2pvalue.store.sqlite_connection import (
    explained,
    failures_explained,
    give_key,
    open_connection,
    roll_back,
)
from p2pvalue.store.sqlite_forget import forget_community
from p2pvalue.store.sqlite_names import Names
from p2pvalue.store.sqlite_past import SqlitePast
from p2pvalue.store.sqlite_write import write_batch
from p2pvalue.store.verify import unreadable, verify_logs, verify_views
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import Batch, OperationRow, StateRow

BACKUP_PAGES_AT_ONCE = 256  # 1 MB: a step takes a few milliseconds


class SqliteStore:
    """Keeps `interface.Store` in the file `path`, made if it is not there.

    `durability` says what an acknowledged commit survives: a power cut (the disk is flushed on
    every commit) or only the end of the process (several times faster). With a `key` of 32 bytes
    all that reaches the disk is encrypted. Raises StoreFailed if the file cannot be opened, is open
    elsewhere, is damaged, has another key, or is of a newer schema.
    """

    def __init__(
        self,
        path: Path,
        *,
        durability: Durability = "power-cut",
        key: bytes | None = None,
        vfs: str | None = None,
    ) -> None:
        self._path = path
        self._durability = durability
        self._key = key
        self._connection = open_connection(path, durability, key=key, vfs=vfs)
        self._names = Names(self._connection)
        self.chunks = SqliteChunks(self._connection, self._names, self._transaction)

    # --- writing

    def commit(self, batches: Sequence[Batch]) -> None:
        """Apply all batches in one transaction, durable on return; raises StoreFailed."""
        connection = self._connection
        try:  # written out: two context managers would be a sixth of this path's CPU time
            connection.execute("BEGIN IMMEDIATE")
            for batch in batches:
                write_batch(connection, self._names, batch)
            connection.execute("COMMIT")
        except apsw.Error as error:
            self._undo()
            raise explained(error, "nothing was stored") from error
        except BaseException:  # an interrupt, too
            self._undo()
            raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException:  # an interrupt, too
            self._undo()
            raise

    def _undo(self) -> None:
        self._names.forget()
        roll_back(self._connection)

    def put_snapshot(self, community: bytes, subject: bytes, covers: int, data: bytes) -> None:
        """Keep what was made of a list up to arrival `covers`."""
        self._write_row(
            "INSERT OR REPLACE INTO snapshots (community, subject, covers, data) "
            "SELECT number, ?2, ?3, ?4 FROM communities WHERE community = ?1",
            (community, subject, covers, data),
        )

    def put_meta(self, key: str, value: bytes) -> None:
        """Keep one of the node's own values, durable on return."""
        self._write_row("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def _write_row(self, sql: str, values: tuple[bytes | int | str, ...]) -> None:
        with failures_explained("nothing was stored"), self._transaction():
            self._connection.execute(sql, values)

    def clear_views(self, community: bytes) -> None:
        """Forget all that is made from operations, in one transaction."""
        with failures_explained("the views were not cleared"), self._transaction():
            views.clear_views(self._connection, self._names.community(community))
            self._names.forget_views()

    def forget(self, community: bytes) -> None:
        """Remove all of one community, and write the file anew without it.

        Deleting alone, even securely, leaves copies on pages that were once split.
        """
        number = self._names.community(community)
        with failures_explained("the community was not removed"):
            with self._transaction():
                forget_community(self._connection, community, number)
            self._names.forget()
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # --- reading

    def communities(self) -> list[bytes]:
        """Return the ids of all communities, ascending."""
        sql = "SELECT community FROM communities ORDER BY community"
        with failures_explained("the communities cannot be read"):
            return [community for (community,) in self._connection.execute(sql)]

    def past(self, community: bytes) -> SqlitePast:
        """Return what the core reads of one community."""
        return SqlitePast(self._connection, self._names, community)

    def entries(
        self,
        community: bytes,
        container: bytes,
        kind: int,
        *,
        before: Order | None = None,
        after: Order | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[Entry]:
        """Return up to `limit` entries strictly between two places, in folding order."""
        with failures_explained("the entries cannot be read"):
            return views.read_entries(
                self._connection,
                self._list(community, container, kind),
                container,
                kind,
                before=before,
                after=after,
                limit=limit,
                newest_first=newest_first,
            )

    def entries_since(
        self,
        community: bytes,
        container: bytes,
        kind: int,
        arrival: int,
        *,
        limit: int = 1_000,
        hidden: bool = False,
    ) -> list[Entry]:
        """Return up to `limit` entries that came after `arrival`, as they came."""
        with failures_explained("the entries cannot be read"):
            found = self._names.list_of(self._names.community(community), kind, container)
            if found is None:
                return []
            is_followed = found.followed is not None
            if not is_followed and not views.is_short(self._connection, found.number):
                with self._transaction():
                    views.follow(self._connection, found.number)
                    self._names.forget_views()
                is_followed = True
            return views.read_entries_since(
                self._connection,
                found.number,
                container,
                kind,
                arrival,
                limit=limit,
                hidden=hidden,
                is_followed=is_followed,
            )

    def entry_count(self, community: bytes, container: bytes, kind: int) -> int:
        """Return how many entries a list has; reads the index of the list once."""
        with failures_explained("the entries cannot be read"):
            number = self._list(community, container, kind)
        return self._number("SELECT count(*) FROM entries WHERE list = ?", (number,))

    def _list(self, community: bytes, container: bytes, kind: int) -> int:
        found = self._names.list_of(self._names.community(community), kind, container)
        return 0 if found is None else found.number

    def _number(self, sql: str, values: tuple[int, ...] = ()) -> int:
        with failures_explained("the store cannot be read"):
            return int(self._connection.execute(sql, values).get)

    def containers(self, community: bytes, kind: int) -> list[bytes]:
        """Return the containers that hold entries of a kind, ascending."""
        sql = (
            "SELECT container FROM lists WHERE community = ? AND kind = ? AND EXISTS "
            "(SELECT 1 FROM entries WHERE list = number) ORDER BY container"
        )
        with failures_explained("the containers cannot be read"):
            number = self._names.community(community)
            return [found for (found,) in self._connection.execute(sql, (number, kind))]

    def base(self, community: bytes, log: int) -> Base:
        """Return where a log begins; raises StoreFailed for one that is not stored."""
        return self.past(community).base_of(log)

    def state(self, community: bytes, subject: bytes) -> StateRow | None:
        """Return the folded state of one subject."""
        return self.past(community).state(subject)

    def states(
        self,
        community: bytes,
        kind: int,
        *,
        group: bytes | None = None,
        before: Order | None = None,
        after: Order | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[StateRow]:
        """Return up to `limit` states of a kind (and group) by their last operation."""
        with failures_explained("the states cannot be read"):
            return views.read_states(
                self._connection,
                self._names.community(community),
                kind,
                group=group,
                before=before,
                after=after,
                limit=limit,
                newest_first=newest_first,
            )

    def snapshot(self, community: bytes, subject: bytes) -> Snapshot | None:
        """Return what was last kept of a list, or None."""
        sql = "SELECT covers, data FROM snapshots WHERE community = ? AND subject = ?"
        with failures_explained("the snapshot cannot be read"):
            which = (self._names.community(community), subject)
            row = self._connection.execute(sql, which).fetchone()
        return None if row is None else Snapshot(*row)

    def meta(self, key: str) -> bytes | None:
        """Return one of the node's own values."""
        with failures_explained("the node's values cannot be read"):
            value = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).get
        return None if value is None else bytes(value)

    def operations_in_order(self, community: bytes) -> Iterator[OperationRow]:
        """Yield every operation held, by log number and seq."""
        past = self.past(community)
        with failures_explained("the operations cannot be read"):
            for base, log in past.logs():
                yield from past.whole_log(base, log)

    def state_digest(self, community: bytes, *, hidden: bool = False) -> bytes:
        """Return 32 bytes equal on two nodes iff their states and entries are."""
        number = self._names.community(community)
        with failures_explained("the views cannot be read"):
            return digest_of_views(
                views.every_state(self._connection, number),
                views.every_entry(self._connection, number, hidden=hidden),
            )

    # --- looking after the file

    def figures(self) -> Figures:
        """Return counts and sizes; one seek per log, one pass over the index of entries."""
        communities = self.communities()
        heads = [head for community in communities for head in self.past(community).heads()]
        waiting = "SELECT count(*) FROM operations INDEXED BY operations_waiting WHERE frontier = 0"
        beside = self._path.with_name(self._path.name + "-wal")
        return Figures(
            communities=len(communities),
            logs=len(heads),
            operations=sum(head.head.seq + 1 - head.log.first_seq for head in heads),
            waiting=self._number(waiting),
            entries=self._number("SELECT count(*) FROM entries WHERE list > 0"),
            states=self._number("SELECT count(*) FROM states"),
            disk_bytes=sum(path.stat().st_size for path in (self._path, beside) if path.exists()),
            schema_version=SCHEMA_VERSION,
            durability=self._durability,
        )

    def verify(self, *, deep: bool, progress: Progress | None = None) -> VerifyReport:
        """Return what is wrong with what is stored; see `interface.Store.verify`."""
        check = "integrity_check" if deep else "quick_check"
        try:
            findings = [str(line) for (line,) in self._connection.execute(f"PRAGMA {check}")]
        except apsw.Error as error:
            findings = [str(explained(error, f"the {check} did not end"))]
        findings = [finding for finding in findings if finding != "ok"]
        try:
            report = verify_logs(self, findings, deep=deep, progress=progress)
        except StoreFailed as failure:
            return unreadable(findings, failure)
        if deep and not report.faults:
            with TemporaryDirectory(prefix="verify-", dir=self._path.parent) as folder:
                scratch = SqliteStore(Path(folder) / "store.db", durability="kill", key=self._key)
                try:
                    report = verify_views(self, scratch, report, progress)
                finally:
                    scratch.close()
        return report

    def backup(self, path: Path, key: bytes | None = None) -> Iterator[int]:
        """Write a consistent copy to a new file in steps; see `interface.Store.backup`."""
        if path.exists():
            raise StoreFailed(f"{path} exists already: name a new file for the backup")
        done = False
        try:
            with failures_explained(f"the backup {path} was not made"):
                copy = apsw.Connection(str(path))
                try:
                    if (copy_key := key or self._key) is not None:
                        give_key(copy, copy_key)
                    with copy.backup("main", self._connection, "main") as steps:
                        while not steps.done:
                            steps.step(BACKUP_PAGES_AT_ONCE)
                            if steps.remaining:
                                yield steps.remaining
                    # A copy is for another device: it shall not open what is sealed to this one.
                    copy.pragma("secure_delete", "on")
                    copy.execute("DELETE FROM prekeys")
                    yield 0
                finally:
                    copy.close()
            done = True
        finally:
            if not done:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """End the use of the store; safe to call twice."""
        self._connection.close()
