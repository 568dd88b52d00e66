"""Histories written act by act: who writes what, knowing which operations."""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol.acts import Act, AddDevice, Event, Found, Policy, ProveFork
from p2pvalue_protocol.ids import ZERO32, Reference
from tests.dags.model import CHAT, WRITE, Content, Dag, reference_to

GENESIS = b"genesis"
NOBODYS = Reference(b"nobody", 1, 0, b"not held")


class Builder:
    """A DAG that grows; ids are names in the order of writing, or as given."""

    def __init__(
        self,
        founders: Iterable[tuple[bytes, bytes]],
        founder_quorum: int = 0,
        admin_quorum: int = 0,
        invite_rank: int = 2,
    ) -> None:
        founders = tuple(sorted(founders))
        policy = Policy(join=0, invite_rank=invite_rank, write=tuple(sorted(WRITE)))
        act = Found(founders, founder_quorum, admin_quorum, policy)
        genesis = Event(GENESIS, founders[0][1], 0, ZERO32, (), act)
        self.events = [genesis]
        self.contents: list[Content] = []
        self.known: dict[bytes, frozenset[bytes]] = {GENESIS: frozenset([GENESIS])}
        self.operations: dict[bytes, Event | Content] = {GENESIS: genesis}

    def dag(self) -> Dag:
        return Dag(tuple(self.events), tuple(self.contents))

    def write(
        self, device: bytes, act: Act, knows: Iterable[bytes], op_id: bytes | None = None
    ) -> bytes:
        """Add an auth operation after the last of its log that it knows; return its id."""
        known = self.past(knows)
        seq, backlink = self._end(device, known, Event)
        op_id = op_id or b"o%02d" % len(self.events)
        named = self._frontier(known, backlink if seq else None)
        event = Event(op_id, device, seq, backlink, named, act)
        self.events.append(event)
        self.operations[op_id] = event
        self.known[op_id] = known | {op_id}
        return op_id

    def say(
        self,
        device: bytes,
        knows: Iterable[bytes],
        kind: int = CHAT,
        after: bytes | None = None,
        op_id: bytes | None = None,
    ) -> bytes:
        """Add a content operation that knows those auth operations; return its id."""
        seq, backlink = 0, ZERO32
        known = self.past(knows)
        if after is not None:
            seq, backlink = self.operations[after].seq + 1, after
            known |= self.known[after]
        op_id = op_id or b"c%02d" % len(self.contents)
        content = Content(op_id, device, seq, backlink, self._frontier(known, None), kind)
        self.contents.append(content)
        self.operations[op_id] = content
        self.known[op_id] = known
        return op_id

    def past(self, knows: Iterable[bytes]) -> frozenset[bytes]:
        """Return the auth operations that are known to whoever knows these."""
        return frozenset[bytes]().union(*(self.known[name] for name in knows))

    def add_device(
        self,
        device: bytes,
        root: bytes,
        certifier: bytes = b"",
        knows: Iterable[bytes] = (GENESIS,),
    ) -> bytes:
        return self.write(device, AddDevice(root, certifier), knows)

    def keep(self, *op_ids: bytes) -> tuple[Reference, ...]:
        return tuple(sorted(reference_to(self.operations[op_id]) for op_id in op_ids))

    def fork(self, first: bytes, second: bytes, keeps: Iterable[bytes] = ()) -> ProveFork:
        """Return the proof that two operations stand at one place of a log."""
        one, other = self.keep(first, second)
        return ProveFork(one, other, self.keep(*keeps))

    def _end(self, device: bytes, known: frozenset[bytes], kind: type) -> tuple[int, bytes]:
        own = [e for e in self.events if e.device == device and e.op_id in known]
        last = max(own, key=lambda event: event.seq, default=None)
        return (0, ZERO32) if last is None else (last.seq + 1, last.op_id)

    def _frontier(self, known: frozenset[bytes], besides: bytes | None) -> tuple[bytes, ...]:
        reached = {besides} if besides is None else self.known[besides]
        return tuple(
            sorted(
                name
                for name in known - reached
                if not any(name in self.known[other] for other in known if other != name)
            )
        )
