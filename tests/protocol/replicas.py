"""Replicas with their stores, and logs written by hand: what honest and hostile members send.

Every key comes from a name, so that every run of a test writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256, shake_256
from typing import NamedTuple

import msgspec

from p2pvalue.store import MemoryStore, Store
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.arrival import Receipt
from p2pvalue_protocol.founding import genesis_operation
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference, payload_hash_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.log import Run, make_item
from p2pvalue_protocol.members import Member
from p2pvalue_protocol.operation import Core, Operation, community_id_of, decode_core
from p2pvalue_protocol.past import Batch
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.writing import begin_epochs
from tests.protocol.authoring import (
    NONCE,
    SECRET,
    key_named,
    prekey_named,
    prekey_private_named,
    signed,
)

NOW_MS = 1_800_000_000_000
SERVED_BYTES = 192 * 1_024


class Seen(NamedTuple):
    """What two replicas with the same operations must have alike."""

    heads: tuple[Reference, ...]
    views: bytes
    members: tuple[Member, ...]


class Copy:
    """A replica and its store, driven as a node drives them: one input, one commit."""

    def __init__(
        self,
        community: bytes,
        signer: SigningKey | None = None,
        open_store: Callable[[], Store] | None = None,
        name: str = "",
    ) -> None:
        self.name = name
        self._drawn = 0
        kept = MemoryStore()
        self._open_store = open_store or (lambda: kept)
        self.community = community
        self.signer = signer
        self.store = self._open_store()
        self.trace = sha256()
        self.replica = self._load()

    def _load(self) -> Replica:
        return Replica(
            self.community,
            self.store.past(self.community),
            signer=self.signer,
            prekey_private=prekey_private_named(self.name) if self.name else None,
            random_bytes=self._random_bytes,
        )

    def _random_bytes(self, count: int) -> bytes:
        """Bytes that no two calls of any copies share, and every run does."""
        self._drawn += 1
        return shake_256(f"{self.name} {self._drawn}".encode()).digest(count)

    def learn(self, other: Copy) -> None:
        """Take all secrets that another copy may hand over, as one input."""
        self.replica.begin()
        keys = other.replica.epochs.unwrapped()
        self.replica.learn((key.record.epoch, key.secret) for key in keys)
        self.commit()

    def restart(self) -> None:
        """Lose everything but what is stored."""
        self.store.close()
        self.store = self._open_store()
        self.replica = self._load()

    def commit(self) -> Batch:
        """End the input that was begun; return what it changed."""
        batch = self.replica.finish()
        self.store.commit([batch])
        self.trace.update(msgspec.msgpack.encode([batch, self.replica.changes]))
        self.replica.begin()
        return batch

    def settle(self) -> None:
        """Do the work that earlier inputs left."""
        while self.replica.has_work:
            self.commit()

    def take(self, *runs: Run, now_ms: int = NOW_MS) -> Receipt:
        """Receive runs as one input."""
        self.replica.begin()
        receipt = self.replica.receive(runs, now_ms)
        self.commit()
        self.trace.update(repr(receipt).encode())
        return receipt

    def write(self, *drafts: Draft, now_ms: int = NOW_MS) -> list[Reference]:
        """Write drafts as one input."""
        self.replica.begin()
        references = self.replica.write(drafts, now_ms)
        self.commit()
        return references

    def say(self, *texts: str, now_ms: int = NOW_MS) -> list[Reference]:
        """Write chat messages as one input."""
        return self.write(*(said(text) for text in texts), now_ms=now_ms)

    def store_first(self, op: Operation) -> None:
        """Store the first operation of a log without asking whether its author is known."""
        self.replica.begin()
        core = op.core
        branch = self.replica.open_branch(core.device, core.log_class, 0, ZERO32, op.op_id)
        self.replica.append(branch, op)
        self.commit()

    def runs(self, *, bytes_max: int = SERVED_BYTES) -> list[Run]:
        """All that is held, sealed, as it would be sent to a newcomer; auth logs first."""
        self.replica.begin()
        self.replica.seal()
        self.commit()
        found: list[Run] = []
        for head in sorted(self.replica.heads(), key=lambda head: head.log_class):
            seq: int | None = 0
            while seq is not None:
                runs, seq = self.replica.runs(
                    head.log_class, head.device, seq, head.op_id, bytes_max
                )
                found += runs
        return found

    def give(self, *others: Copy) -> None:
        """Bring others up to what is held here."""
        runs = self.runs()
        for other in others:
            other.take(*runs)
            other.settle()

    def log_of(self, reference: Reference) -> list[Operation]:
        """The operations of one log up to and including the one referred to."""
        place = self.replica.branches.find(reference)
        assert place is not None
        pieces = self.replica.branches.path(place.branch, 0)
        rows = [
            row
            for branch, first, last in pieces
            for row in self.replica.branches.rows(branch, first, last - first + 1)
        ]
        return [
            Operation(r.op_id, decode_core(r.core), r.core, r.signature, r.payload)
            for r in rows
            if r.seq <= reference.seq
        ]

    def seen(self) -> Seen:
        """What must be alike."""
        return Seen(
            tuple(self.replica.heads()),
            self.store.state_digest(self.community),
            tuple(self.replica.membership.members()),
        )

    def texts(self) -> list[str]:
        """The visible messages of the community's own channel, in order."""
        entries = self.store.entries(self.community, NO_SUBJECT, chat.NUMBER, limit=1_000_000)
        opened = [self.replica.open(entry.core, entry.payload) for entry in entries]
        return [
            chat.CHAT.decode(payload).text  # type: ignore[attr-defined]  # a ChatMessage
            for payload in opened
            if payload is not None
        ]


def said(text: str) -> Draft:
    """The draft of a chat message."""
    return Draft(chat.NUMBER, b"", chat.encode_chat_message(text))


def founded(
    name: str = "ana", open_store: Callable[[], Store] | None = None, **policy: object
) -> Copy:
    """The founder's copy of a new community, public unless `read` says otherwise."""
    read = policy.setdefault("read", auth.READ_PUBLIC)
    device, root = key_named(f"{name} device"), key_named(f"{name} root")
    payload = auth.genesis_payload(
        NONCE,
        [auth.founder(root, device.public, prekey_named(name), NONCE)],
        **policy,  # type: ignore[arg-type]  # passed on
    )
    genesis = genesis_operation(device, payload, NOW_MS - 1_000)
    copy = Copy(genesis.core.community, device, open_store, name)
    copy.store_first(genesis)
    if read == auth.READ_MEMBERS:
        copy.replica.begin()
        begin_epochs(copy.replica, NOW_MS - 999)
        copy.commit()
    return copy


def device_added(
    community: bytes, genesis: Operation, name: str, person: str | None = None
) -> Operation:
    """The DEV_ADD that begins the auth log of a person's device, certified by her root."""
    device, root = key_named(f"{name} device"), key_named(f"{person or name} root")
    prekey = prekey_named(name)
    message = auth.certificate_message(NONCE, root.public, device.public, prekey)
    payload = auth.dev_add_payload(root.public, prekey, root.sign(message))
    log = Chain(device, community, AUTH)
    return log.add(payload, kind=auth.DEV_ADD, parents=[genesis.reference])


def invited(inviter: Copy, rank: int = auth.MEMBER, now_ms: int = NOW_MS) -> Reference:
    """Write an INVITE for whoever holds SECRET."""
    payload = auth.invite_payload(invite_key(SECRET).public, rank, 0)
    return inviter.write(Draft(auth.INVITE, b"", payload), now_ms=now_ms)[0]


def admitted(
    admitter: Copy, name: str, invite: Reference | None = None, now_ms: int = NOW_MS
) -> Operation:
    """Let a person in, as the join link does; return the DEV_ADD of her device."""
    invite = invite or invited(admitter, now_ms=now_ms)
    device_add = device_added(admitter.community, genesis_of(admitter), name)
    admitter.store_first(device_add)
    device, root = key_named(f"{name} device").public, key_named(f"{name} root").public
    key = invite_key(SECRET)
    signature = key.sign(auth.admit_message(admitter.community, root, device))
    payload = auth.admit_payload(root, device, key.public, signature, invite.op_id)
    admitter.write(Draft(auth.ADMIT, b"", payload), now_ms=now_ms)
    return device_add


def joined(admitter: Copy, name: str, open_store: Callable[[], Store] | None = None) -> Copy:
    """A new member's copy, up to date."""
    admitted(admitter, name)
    copy = Copy(admitter.community, key_named(f"{name} device"), open_store, name)
    copy.learn(admitter)
    admitter.give(copy)
    return copy


def genesis_of(copy: Copy) -> Operation:
    """The operation that founded the community."""
    for row in copy.store.past(copy.community).auth_operations():
        core = decode_core(row.core)
        if core.kind == auth.GENESIS:
            return Operation(row.op_id, core, row.core, row.signature, row.payload)
    raise AssertionError("the GENESIS is held")


class Chain:
    """A log written by hand: whatever place, parents and time a test wants, all of it signed."""

    def __init__(
        self,
        key: SigningKey,
        community: bytes,
        log_class: int = CONTENT,
        before: Sequence[Operation] = (),
    ) -> None:
        self.key = key
        self.community = community
        self.log_class = log_class
        self.operations = list(before)

    def add(
        self,
        payload: bytes = b"",
        *,
        kind: int = chat.NUMBER,
        parents: Sequence[Reference] = (),
        time: int | None = None,
        subject: bytes = b"",
        epoch: bytes = b"",
        is_signed: bool = True,
    ) -> Operation:
        """Append an operation; a millisecond after the one before if no time is given."""
        last = self.operations[-1] if self.operations else None
        core = Core(
            version=1,
            community=self.community,
            device=self.key.public,
            seq=len(self.operations),
            backlink=last.op_id if last else ZERO32,
            kind=kind,
            subject=subject,
            parents=tuple(sorted(parents, key=lambda r: (r.device, r.log_class, r.op_id))),
            time=time if time is not None else (last.core.time if last else NOW_MS - 500) + 1,
            epoch=epoch,
            payload_size=len(payload),
            payload_hash=payload_hash_of(payload),
        )
        if kind == auth.GENESIS and self.community == ZERO32:
            self.community = community_id_of(core)
            core = msgspec.structs.replace(core, community=self.community)
        op = signed(core, payload, self.key)
        if not is_signed:
            op = msgspec.structs.replace(op, signature=b"")
        self.operations.append(op)
        return op

    def say(
        self,
        text: str,
        *,
        parents: Sequence[Reference] = (),
        time: int | None = None,
        is_signed: bool = True,
    ) -> Operation:
        """Append a chat message."""
        payload = chat.encode_chat_message(text)
        return self.add(payload, parents=parents, time=time, is_signed=is_signed)

    def branch(self, seq: int) -> Chain:
        """Another log of the same device with the same operations before `seq`."""
        return Chain(self.key, self.community, self.log_class, self.operations[:seq])

    def run(self, first: int = 0, last: int | None = None) -> Run:
        """The run from `first` to `last` inclusive, or to the end."""
        return run_of(self.operations[first : None if last is None else last + 1])


def run_of(operations: Sequence[Operation]) -> Run:
    """The run of consecutive operations of one log."""
    core = operations[0].core
    items = [make_item(op.core, op.payload or b"", op.signature) for op in operations]
    return Run(core.device, core.log_class, core.seq, core.backlink, items)


def frontier_of(copy: Copy) -> list[Reference]:
    """What an honest writer would name now."""
    return [tip.reference for tip in copy.replica.tips()]


def by_hand(copy: Copy, name: str) -> Chain:
    """A content log of a member's device, written by hand; its first operation names the heads."""
    log = Chain(key_named(f"{name} device"), copy.community)
    log.say("first", parents=frontier_of(copy))
    return log


def auth_log(copy: Copy, name: str) -> Chain:
    """The auth log of a member's device, to be continued by hand."""
    key = key_named(f"{name} device")
    (head,) = [h for h in copy.replica.heads() if (h.device, h.log_class) == (key.public, AUTH)]
    return Chain(key, copy.community, AUTH, copy.log_of(head))


def own_runs(copy: Copy) -> list[Run]:
    """What a member's own device wrote."""
    return [run for run in copy.runs() if run.device == copy.replica.device]


def logs_listed(copy: Copy) -> set[tuple[bytes, int]]:
    """The logs of which a copy tells the heads, by device and class."""
    return {(head.device, head.log_class) for head in copy.replica.heads()}


def newcomer(copy: Copy) -> Copy:
    """A copy that holds GENESIS alone."""
    reader = Copy(copy.community)
    reader.take(run_of([genesis_of(copy)]))
    return reader
