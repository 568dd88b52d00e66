"""Hidden updates that nothing which counts rests on.

Logs of people who were put out are not told of any more, so one node may hold the end of such a log
and another may not. What stands there must have no say in what is shown: it is set aside until an
update that counts comes behind it in its log, or names it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from p2pvalue.store import Base, Entry
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.replica import Replica


class Written(NamedTuple):
    """One update as it is stored."""

    placement: Placement
    member: bytes  # root key of its author
    is_hidden: bool
    session: int
    heads: tuple[bytes, ...]
    update: bytes


def payload_of(copy: Replica, entry: Entry) -> document.DocumentUpdate | None:
    """Return what a stored update says, or None if our copy of the community lacks its key."""
    opened = copy.open(entry.core, entry.payload)
    if opened is None:
        return None
    payload = document.DOCUMENT_UPDATE.decode(opened)
    assert isinstance(payload, document.DocumentUpdate)
    return payload


def placement_of(entry: Entry) -> Placement:
    """Return where a stored update stands."""
    return Placement(entry.order.op_id, entry.order.device, entry.log, entry.order.seq)


def written_of(copy: Replica, entry: Entry) -> Written | None:
    """Return a stored update, or None if our copy of the community lacks the key to it."""
    payload = payload_of(copy, entry)
    return (
        None
        if payload is None
        else Written(
            placement_of(entry),
            entry.member,
            entry.is_hidden,
            payload.session,
            tuple(payload.heads),
            payload.update,
        )
    )


class SetAside:
    """Hidden updates by branch, in their order, until they are needed."""

    def __init__(self, base_of: Callable[[int], Base], kept: Iterable[Written] = ()) -> None:
        """Begin with what `all` gave; `base_of` says where a branch begins."""
        self._base_of = base_of
        self._queues: dict[int, deque[Written]] = {}
        self._by_id: dict[bytes, Written] = {}
        for written in kept:
            self.add(written)

    def add(self, written: Written) -> None:
        """Set one aside; those of a branch come in its order."""
        self._queues.setdefault(written.placement.branch, deque()).append(written)
        self._by_id[written.placement.op_id] = written

    def all(self) -> list[Written]:
        """Return what is set aside, each branch in its order."""
        return [written for queue in self._queues.values() for written in queue]

    def take_needed(self, written: Written) -> list[Written]:
        """Return an update behind all that it rests on and is set aside, which is so no longer."""
        if not self._by_id:
            return [written]
        found: list[Written] = []
        asked = [written]
        while asked:
            needed = self._before(asked[-1])
            if needed is not None:
                asked.append(needed)
                continue
            found.append(asked.pop())
            self._drop(found[-1])
        return found

    def _drop(self, written: Written) -> None:
        if self._by_id.pop(written.placement.op_id, None) is not None:
            branch = written.placement.branch
            self._queues[branch].popleft()
            if not self._queues[branch]:
                del self._queues[branch]

    def _before(self, written: Written) -> Written | None:
        """Return one that is set aside and comes before an update, in its log or by its heads."""
        branch, seq = written.placement.branch, written.placement.seq - 1
        while True:
            queue = self._queues.get(branch)
            if queue and queue[0].placement.seq <= seq:
                return queue[0]
            base = self._base_of(branch)
            if base.log is None:
                break
            branch, seq = base.log, min(seq, base.seq)
        named = (self._by_id.get(head) for head in written.heads)
        return next((found for found in named if found is not None), None)
