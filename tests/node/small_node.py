"""The core and a store without network or disk: what the rooms of a community need, and no more."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import trio

from p2pvalue.node.blobs.blob_room import BlobRoom
from p2pvalue.node.blobs.blob_states import BlobKey
from p2pvalue.node.blobs.blobs import Blobs
from p2pvalue.node.community import Community
from p2pvalue.node.context import Participation
from p2pvalue.node.documents.open_documents import OpenDocuments
from p2pvalue.node.events import EventHub, events_of
from p2pvalue.node.members.put_out import saying_who_put_us_out
from p2pvalue.node.needs.need_boards import NeedBoards
from p2pvalue.node.people import RANKS
from p2pvalue.store import MemoryStore, Store
from p2pvalue.types import Rank
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Change, Changed
from p2pvalue_protocol.founding import genesis_operation
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import InviteLink, format_link, invite_key
from p2pvalue_protocol.keys import SigningKey, exchange_key_of
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.blob import BlobState
from p2pvalue_protocol.log import Run, make_item
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.writing import orders_of
from tests.node.near_texts import NearTexts

NONCE = b"n" * 32
FIRST_MS = 1_800_000_000_000


@cache
def key(text: str) -> SigningKey:
    return SigningKey(text.encode().ljust(32, b"."))


def founding_run(names: Sequence[str], nonce: bytes = NONCE) -> tuple[bytes, Run]:
    """A community that all of `names` found together, and the run that says so."""
    prekey = exchange_key_of(bytes(32))
    founders = [
        auth.founder(key(f"root {n}"), key(f"device {n}").public, prekey, nonce) for n in names
    ]
    signer = key(f"device {names[0]}")
    payload = auth.genesis_payload(nonce, founders, read=auth.READ_PUBLIC)
    op = genesis_operation(signer, payload, FIRST_MS)
    assert op.payload is not None
    item = make_item(op.core, op.payload, op.signature)
    return op.core.community, Run(signer.public, AUTH, 0, ZERO32, [item])


class StoredChunks:
    """The chunks that are here, and no others."""

    def __init__(self, node: SmallNode, quota_bytes: int = 10**9) -> None:
        self._store = node.store
        self.room = BlobRoom(node.store, quota_bytes, node.clock_ms, node.root)

    def read(self, community: bytes, chunk: bytes) -> bytes | None:
        return self._store.chunks.read(community, chunk)

    async def fetch(
        self, key: BlobKey, state: BlobState, progress: Callable[[int, int], None], wait_s: float
    ) -> int:
        await trio.lowlevel.checkpoint()
        return 0


class SmallNode:
    """One founder's node of one community; `exchange` brings two of them to the same operations."""

    def __init__(self, name: str, names: Sequence[str], store: Store | None = None) -> None:
        self.name = name
        self.store: Store = MemoryStore() if store is None else store
        self.events = EventHub()
        self.documents = OpenDocuments(NearTexts())
        self.boards = NeedBoards()
        self.community_id, run = founding_run(names)
        self.now_ms = FIRST_MS
        self.refusal: Exception | None = None  # raised by the next write
        self.on_changes: Callable[[Sequence[Change]], None] = lambda changes: None
        self.written = 0
        self.awaited: list[bytes] = []  # updates that peers would be asked for
        self.gate: trio.Event | None = None  # a write is held up until it is set
        self.arrived = trio.Event()  # a write has come to the gate
        self.device_seen = key(f"device {name}").public
        self.replica = self._new_replica()
        self.take([run])
        self.community = self.community_object()

    def _new_replica(self) -> Replica:
        past = self.store.past(self.community_id)
        return Replica(self.community_id, past, signer=key(f"device {self.name}"))

    def community_object(self) -> Community:
        return Community(self, self.community_id, self.documents)

    @property
    def blobs(self) -> Blobs:
        """The files shared here; none are fetched."""
        return Blobs(self, self.community_id, StoredChunks(self), os.urandom)

    def restart(self) -> None:
        """Go on as a new process would: with nothing but the store."""
        self.documents = OpenDocuments(NearTexts())
        self.boards = NeedBoards()
        self.replica = self._new_replica()
        self.community = self.community_object()

    # --- what the rooms ask

    def membership(self, community: bytes) -> Membership:
        assert community == self.community_id
        return self.replica.membership

    def clock_ms(self) -> int:
        return self.now_ms

    def copy_of(self, community: bytes) -> Replica:
        return self.replica

    def sign(self) -> None:
        self.replica.begin()
        self.replica.seal()
        self._commit()

    def device(self, community: bytes) -> bytes:
        return self.device_seen

    def root(self, community: bytes) -> bytes:
        return key(f"root {self.name}").public

    def participation(self, community: bytes) -> Participation:
        return Participation("active", "", (), self.store.figures().operations, 0)

    async def write(self, community: bytes, drafts: Sequence[Draft]) -> Sequence[Order]:
        if self.gate is not None:
            self.arrived.set()
            await self.gate.wait()
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        await trio.lowlevel.checkpoint()
        self.now_ms += 1
        self.replica.begin()
        with saying_who_put_us_out(self, community):
            orders = orders_of(self.replica, self.replica.write(drafts, self.now_ms))
        self._commit()
        self.written += len(orders)
        return orders

    def await_updates(self, community: bytes, document: bytes, op_ids: Sequence[bytes]) -> None:
        self.awaited = list(op_ids)

    async def invite(self, community: bytes, rank: Rank, uses: int) -> str:
        secret = self.written.to_bytes(16, "big")
        payload = auth.invite_payload(invite_key(secret).public, RANKS.index(rank), uses)
        await self.write(community, [Draft(auth.INVITE, b"", payload)])
        return format_link(InviteLink(community, secret, ()))

    # --- what the network would do

    def take(self, runs: Sequence[Run]) -> None:
        self.replica.begin()
        receipt = self.replica.receive(runs, self.now_ms)
        assert not receipt.refused, receipt
        self._commit()

    @contextlib.contextmanager
    def committing(self) -> Iterator[None]:
        """Store what the block makes the replica write."""
        self.replica.begin()
        yield
        self._commit()

    def _commit(self) -> None:
        batch = self.replica.finish()
        if not batch.is_empty():
            self.store.commit([batch])
        if self.replica.changes:
            self.report(self.replica.changes)

    def report(self, changes: Sequence[Change]) -> None:
        self.documents.changed(self.community_id, changes)
        self.boards.changed(self.community_id, changes)
        self.on_changes(changes)
        for event in events_of(Changed(self.community_id, tuple(changes))):
            self.events.publish(event)

    def runs(self, held: Sequence[Reference]) -> list[Run]:
        """Everything that a node which holds `held` lacks."""
        self.replica.begin()
        self.replica.seal()
        self._commit()
        # Of a log that was forked, who holds one branch may lack another.
        known = {(r.device, r.log_class): r.seq + 1 for r in held if self.replica.held(r)}
        for forked in self.replica.branches.forked_devices():
            known.pop((forked, CONTENT), None)
        runs: list[Run] = []
        for head in self.replica.heads():
            from_seq: int | None = known.get((head.device, head.log_class), 0)
            while from_seq is not None and from_seq <= head.seq:
                more, from_seq = self.replica.runs(
                    head.log_class, head.device, from_seq, head.op_id, 100_000
                )
                runs.extend(more)
        return sorted(runs, key=lambda run: run.log_class)


def exchange(*nodes: SmallNode) -> None:
    """Bring all nodes to the same operations."""
    for _ in range(2):
        for one in nodes:
            for other in nodes:
                if one is not other:
                    other.now_ms = one.now_ms = max(one.now_ms, other.now_ms)
                    other.take(one.runs(other.replica.heads()))
