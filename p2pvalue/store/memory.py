"""A store in dictionaries: for simulations, tests, and programs that keep nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

from p2pvalue.store.chunks import MemoryChunks
from p2pvalue.store.digest import digest_of_views
from p2pvalue.store.interface import (
    Base,
    Entry,
    Figures,
    Progress,
    Snapshot,
    StoreFailed,
    VerifyReport,
)
from p2pvalue.store.memory_past import KeptEntry, MemoryPast
from p2pvalue.store.migrations import SCHEMA_VERSION
from p2pvalue.store.paging import cut_page, state_order
from p2pvalue.store.verify import verify_logs, verify_views
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import Batch, OperationRow, StateRow


class MemoryStore:
    """Keeps `interface.Store` until it is dropped; it outlives `close`, as a file would."""

    def __init__(self) -> None:
        self._pasts: dict[bytes, MemoryPast] = {}
        self._stored: set[bytes] = set()
        self._meta: dict[str, bytes] = {}
        self._arrival = 0
        self.chunks = MemoryChunks(self._stored.__contains__)

    def communities(self) -> list[bytes]:
        """Return the ids of all communities, ascending."""
        return sorted(self._stored)

    def past(self, community: bytes) -> MemoryPast:
        """Return what the core reads of one community, also of what is committed later."""
        return self._pasts.setdefault(community, MemoryPast(community))

    def commit(self, batches: Sequence[Batch]) -> None:
        """Apply all batches or raise StoreFailed and apply none."""
        by_community: dict[bytes, list[Batch]] = {}
        for batch in batches:
            by_community.setdefault(batch.community, []).append(batch)
        for community, own in by_community.items():
            self.past(community).check(own)
        for community, own in by_community.items():
            self._stored.add(community)
            past = self.past(community)
            for batch in own:
                self._arrival = past.apply(batch, self._arrival)

    def _list(self, community: bytes, container: bytes, kind: int) -> list[KeptEntry]:
        return self.past(community).lists.get((container, kind), [])

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
        kept = self._list(community, container, kind)
        low = 0 if after is None else bisect_left(kept, after, key=lambda entry: entry.order)
        high = len(kept)
        if before is not None:
            high = bisect_left(kept, before, key=lambda entry: entry.order)
        if low < len(kept) and kept[low].order == after:
            low += 1
        between = range(low, high)
        chosen = reversed(between[-limit:]) if newest_first else between[:limit]
        past = self.past(community)
        return [past.entry(kept[at]) for at in chosen] if limit > 0 else []

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
        past = self.past(community)
        kept = self._list(community, container, kind)
        if hidden:
            kept = [*kept, *past.hidden.get((container, kind), [])]
        later = sorted(
            (entry for entry in kept if entry.arrival > arrival), key=lambda e: e.arrival
        )
        return [past.entry(entry) for entry in later[:limit]]

    def entry_count(self, community: bytes, container: bytes, kind: int) -> int:
        """Return how many entries a list has."""
        return len(self._list(community, container, kind))

    def containers(self, community: bytes, kind: int) -> list[bytes]:
        """Return the containers that hold entries of a kind, ascending."""
        lists = self.past(community).lists
        return sorted(container for container, of_kind in lists if of_kind == kind)

    def base(self, community: bytes, log: int) -> Base:
        """Return where a log begins; raises StoreFailed for one that is not stored."""
        return self.past(community).base(log)

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
        rows = sorted(
            (
                row
                for row in self.past(community).states.values()
                if row.kind == kind and group in (None, row.group)
            ),
            key=state_order,
            reverse=newest_first,
        )
        return cut_page(
            rows, state_order, before=before, after=after, limit=limit, newest_first=newest_first
        )

    def put_snapshot(self, community: bytes, subject: bytes, covers: int, data: bytes) -> None:
        """Keep what was made of a list up to arrival `covers`."""
        if community in self._stored:
            self.past(community).snapshots[subject] = Snapshot(covers, data)

    def snapshot(self, community: bytes, subject: bytes) -> Snapshot | None:
        """Return what was last kept of a list, or None."""
        return self.past(community).snapshots.get(subject)

    def meta(self, key: str) -> bytes | None:
        """Return one of the node's own values."""
        return self._meta.get(key)

    def put_meta(self, key: str, value: bytes) -> None:
        """Keep one of the node's own values."""
        self._meta[key] = value

    def operations_in_order(self, community: bytes) -> Iterator[OperationRow]:
        """Yield every operation held, by log number and seq."""
        return self.past(community).every_operation()

    def clear_views(self, community: bytes) -> None:
        """Forget all that is made from operations; every operation waits to be folded again."""
        self.past(community).clear_views()

    def forget(self, community: bytes) -> None:
        """Remove all of one community."""
        self._pasts.pop(community, None)
        self._stored.discard(community)
        self.chunks.remove(community, [kept.chunk for kept in self.chunks.every(community)])
        for key in [key for key in self._meta if key.endswith(f":{community.hex()}")]:
            del self._meta[key]

    def state_digest(self, community: bytes, *, hidden: bool = False) -> bytes:
        """Return 32 bytes equal on two nodes iff their states and entries are."""
        past = self.past(community)
        states = sorted(past.states.values(), key=lambda row: (row.kind, row.subject))
        sides = (past.lists, past.hidden) if hidden else (past.lists,)
        entries = (
            past.entry(kept)
            for side in sides
            for _, kept_all in sorted(side.items())
            for kept in kept_all
        )
        return digest_of_views(states, entries)

    def figures(self) -> Figures:
        """Return counts; nothing is on a disk."""
        pasts = self._pasts.values()
        rows = [row for past in pasts for log in past.rows.values() for row in log.values()]
        return Figures(
            communities=len(self._stored),
            logs=sum(1 for past in pasts for log in past.rows.values() if log),
            operations=len(rows),
            waiting=sum(1 for row in rows if row.frontier == 0),
            entries=sum(len(kept) for past in pasts for kept in past.lists.values()),
            states=sum(len(past.states) for past in pasts),
            disk_bytes=0,
            schema_version=SCHEMA_VERSION,
            durability="none",
        )

    def verify(self, *, deep: bool, progress: Progress | None = None) -> VerifyReport:
        """Return what is wrong with what is held."""
        report = verify_logs(self, deep=deep, progress=progress)
        if deep and not report.faults:
            report = verify_views(self, MemoryStore(), report, progress)
        return report

    def backup(self, path: Path, key: bytes | None = None) -> Iterator[int]:
        """Raise StoreFailed: there is no file to copy."""
        raise StoreFailed(f"a store in memory has no backup: {path} was not written")

    def close(self) -> None:
        """Do nothing: what is held stays readable, as a file would."""
