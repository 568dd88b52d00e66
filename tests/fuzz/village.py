"""A community to do harm in: people with keys of every rank, and operations that a program writes.

Whatever the program says, signatures are valid, so that what is written gets as far as its author's
standing carries it: to the chain, the clock, the rules of authority, epochs and folds.
"""

from __future__ import annotations

import copy
from functools import cache
from random import Random
from typing import NamedTuple

import msgspec

from p2pvalue.store import MemoryStore
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import kinds
from p2pvalue_protocol.acts import OUT
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference, payload_hash_of, subject_of
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kinds import blob, chat, document, epoch, need, pledge
from p2pvalue_protocol.limits import CHUNK_BYTES_MAX, PAYLOAD_BYTES_MAX
from p2pvalue_protocol.operation import KIND_AUTH_MAX, Core, Operation
from p2pvalue_protocol.sealing import SALT_BYTES, SEAL_BYTES, seal_payload
from tests.fuzz.choices import Choices
from tests.fuzz.mutation import mutate
from tests.fuzz.seeds import kind_payloads
from tests.protocol.authoring import NONCE, SECRET, key_named, prekey_named, signed
from tests.protocol.replicas import NOW_MS, Chain, Copy, admitted, auth_log, founded, genesis_of

PEOPLE = ("ana", "ben", "cat", "dan", "eve", "fay")
"""Founder, admin, member, guest, a member's second device, a stranger."""

PERSON = {name: name for name in PEOPLE} | {"eve": "cat"}
_AUTH_KINDS = (*sorted(auth.AUTH_KINDS - {auth.GENESIS}) * 2, auth.GENESIS, 17, 31)
_CONTENT_KINDS = [kind.number for kind in kinds.KINDS if kind is not blob.BLOB]
# Blobs came after the programs in the corpus, which would all mean something else if the list grew.
_LAST_KINDS = (blob.NUMBER, *_CONTENT_KINDS[1:])
_KINDS = (*_AUTH_KINDS, *_CONTENT_KINDS * 2, *_LAST_KINDS, 48, 48, 64, 66, 200)
_TIMES_MS = (-5_000, 10**9, 2**52, 10**6, 0)
_OTHER_SECRET = bytes(16)


class Scene(NamedTuple):
    """What everybody holds before the program begins; `key` is of the epoch, if there is one."""

    read: int
    community: bytes
    store: MemoryStore
    logs: dict[tuple[str, int], list[Operation]]
    epoch: bytes
    secret: bytes


@cache
def scene(read: int) -> Scene:
    """Return the beginning of a community that everybody reads, or only members."""
    ana = founded("ana", read=read)
    for name in ("ben", "cat", "dan"):
        admitted(ana, name)
    grants = ((auth.ADMIN, "ben"), (auth.GUEST, "dan"))
    hers = auth_log(ana, "ana")
    for rank, name in grants:
        parents = [tip.reference for tip in ana.replica.tips() if _is_auth(tip.reference)]
        root = key_named(f"{name} root").public
        hers.add(auth.grant_payload(root, rank), kind=auth.GRANT, parents=parents)
    ana.take(hers.run())
    eve = device_add(ana.community, genesis_of(ana), "eve")
    ana.store_first(eve)
    ana.say("hello")
    ana.give()
    keys = ana.replica.epochs.unwrapped()
    epoch_id, secret = (keys[0].record.epoch, keys[0].secret) if keys else (b"", b"")
    logs: dict[tuple[str, int], list[Operation]] = {}
    for head in ana.replica.branches.all():
        name = next(n for n in PEOPLE if key_named(f"{n} device").public == head.row.device)
        place = Reference(head.row.device, head.row.log_class, head.head_seq, head.head_id)
        logs[name, head.row.log_class] = ana.log_of(place)
    store = ana.store
    assert isinstance(store, MemoryStore)
    return Scene(read, ana.community, store, logs, epoch_id, secret)


def copy_of(held: Scene, name: str) -> Copy:
    """Return somebody's copy of all that is held in the beginning."""
    kept = store_of(held, name)
    return Copy(held.community, key_named(f"{name} device"), lambda: kept, name)


def store_of(held: Scene, name: str) -> MemoryStore:
    """Return somebody's store of all that is held in the beginning, with the epoch's secret."""
    return copy.deepcopy(_first_store(held.read, name))


@cache
def _first_store(read: int, name: str) -> MemoryStore:
    held = scene(read)
    kept = copy.deepcopy(held.store)
    if held.secret:
        reader = Copy(held.community, key_named(f"{name} device"), lambda: kept, name)
        reader.replica.begin()
        reader.replica.learn([(held.epoch, held.secret)])
        reader.commit()
    return kept


def device_add(community: bytes, genesis: Operation, name: str) -> Operation:
    """Return the first operation of a device, certified by its person's root."""
    device, root, prekey = key_named(f"{name} device"), _root(name), prekey_named(name)
    message = auth.certificate_message(NONCE, root.public, device.public, prekey)
    payload = auth.dev_add_payload(root.public, prekey, root.sign(message))
    return Chain(device, community, AUTH).add(
        payload, kind=auth.DEV_ADD, parents=[genesis.reference]
    )


def _root(name: str) -> SigningKey:
    return key_named(f"{PERSON[name]} root")


def _is_auth(reference: Reference) -> bool:
    return reference.log_class == AUTH


class Pen:
    """Writes the operations that a program chooses, one after the other."""

    def __init__(self, held: Scene, choices: Choices) -> None:
        self._held = held
        self._choices = choices
        self._logs = {place: [list(log)] for place, log in held.logs.items()}
        self._all = [op for log in held.logs.values() for op in log]
        self.written: list[Operation] = []

    def write(self) -> Operation:
        """Return the next operation, signed by its author."""
        choices = self._choices
        name, kind = choices.pick(PEOPLE), choices.pick(_KINDS)
        log = self._log(name, AUTH if kind <= KIND_AUTH_MAX else CONTENT)
        payload = self._mutated(self._payload(name, kind))
        op = self._signed(name, kind, log, payload)
        if op.core.seq == len(log):
            log.append(op)
        else:
            self._logs[name, op.core.log_class].append([*log[: op.core.seq], op])
        self._all.append(op)
        self.written.append(op)
        return op

    def _log(self, name: str, log_class: int) -> list[Operation]:
        branches = self._logs.setdefault((name, log_class), [[]])
        return self._choices.pick(branches) if len(branches) > 1 else branches[0]

    def _signed(self, name: str, kind: int, log: list[Operation], payload: bytes) -> Operation:
        choices, held = self._choices, self._held
        place = len(log) if choices.number(10) else choices.number(len(log) + 1)
        before = log[place - 1] if place else None
        time = (before.core.time if before else NOW_MS - 500) + self._step_ms()
        is_sealed = bool(held.secret) and kind not in (*range(32), 47, 48, 64, 66)
        core = Core(
            version=1,
            community=held.community,
            device=key_named(f"{name} device").public,
            seq=place,
            backlink=before.op_id if before else ZERO32,
            kind=kind,
            subject=b"" if kind <= KIND_AUTH_MAX else self._subject(),
            parents=self._parents(kind, is_first=not place),
            time=min(max(time, 0), 2**53 - 1),
            epoch=held.epoch if is_sealed and choices.number(8) else b"",
            payload_size=len(payload),
            payload_hash=payload_hash_of(payload),
        )
        if core.epoch:
            payload = seal_payload(held.secret, core, payload[:60_000], bytes(SALT_BYTES))
            core = msgspec.structs.replace(
                core, payload_size=len(payload), payload_hash=payload_hash_of(payload)
            )
        return signed(core, payload, key_named(f"{name} device"))

    def _step_ms(self) -> int:
        return 1 if self._choices.number(40) else self._choices.pick(_TIMES_MS)

    def _parents(self, kind: int, *, is_first: bool) -> tuple[Reference, ...]:
        held = [op.reference for op in self._all if kind > KIND_AUTH_MAX or _is_auth(op.reference)]
        chosen = {self._recent(held) for _ in range(self._choices.number(4))}
        if is_first and kind != auth.DEV_ADD:
            chosen |= {held[0]}
        return tuple(sorted(chosen, key=lambda r: (r.device, r.log_class, r.op_id)))

    def _recent(self, references: list[Reference]) -> Reference:
        """Return one of these, the newest most often."""
        return references[-1 - self._choices.number(min(len(references), 12))]

    def _references(self, count_max: int) -> tuple[Reference, ...]:
        held = [op.reference for op in self._all]
        return tuple(self._recent(held) for _ in range(self._choices.number(count_max + 1)))

    def _subject(self) -> bytes:
        named = [b"", b"", subject_of(self._all[-1].op_id), subject_of(self._all[0].op_id)]
        return self._choices.pick(
            [*named, bytes(16), *(subject_of(o.op_id) for o in self._all[-6:])]
        )

    # --- payloads

    def _mutated(self, payload: bytes) -> bytes:
        if self._choices.number(6):
            return payload
        rng = Random(self._choices.number(1 << 16))
        return mutate(payload, payload, rng, PAYLOAD_BYTES_MAX, "msgpack")

    def _payload(self, name: str, kind: int) -> bytes:
        try:
            return self._auth_payload(name, kind) if kind <= KIND_AUTH_MAX else self._content(kind)
        except LocalProtocolError:
            return b""

    def _auth_payload(self, name: str, kind: int) -> bytes:
        choices = self._choices
        other = choices.pick(PEOPLE)
        root, device = _root(other).public, key_named(f"{other} device").public
        key = invite_key(choices.pick((SECRET, _OTHER_SECRET)))
        match kind:
            case auth.GENESIS:
                return self._all[0].payload or b""
            case auth.GRANT:
                return auth.grant_payload(root, 1 + choices.number(3), self._references(2))
            case auth.REVOKE if choices.number(4) == 3:
                return auth.withdraw_payload(key.public)
            case auth.REVOKE:
                rank = choices.pick((OUT, OUT, auth.MEMBER, auth.GUEST))
                return auth.revoke_payload(root, rank, self._references(3))
            case auth.VOTE:
                return auth.vote_payload(root, self._references(2))
            case auth.INVITE:
                return auth.invite_payload(key.public, 1 + choices.number(3), choices.number(3))
            case auth.ADMIT:
                signature = key.sign(auth.admit_message(self._held.community, root, device))
                invite = choices.pick([op.op_id for op in self._all if op.core.kind == auth.INVITE])
                return auth.admit_payload(root, device, key.public, signature, invite)
            case auth.DEV_ADD:
                return self._device_add(name)
            case auth.DEV_REVOKE:
                return self._device_revoke(other, root, device)
            case auth.FORK:
                first, second = (*self._references(2), self._all[-1].reference, ZERO)[:2]
                return auth.fork_payload(first, second, self._references(1))
            case auth.POLICY:
                rules = ((32 + choices.number(4), choices.number(4)), (46, choices.number(4)))
                return auth.policy_payload(choices.number(3), choices.number(4), rules)
        return b""

    def _device_add(self, name: str) -> bytes:
        certifier = self._choices.pick(("", *PEOPLE))
        signer = key_named(f"{certifier} device") if certifier else _root(name)
        device, prekey = key_named(f"{name} device").public, prekey_named(name)
        message = auth.certificate_message(NONCE, _root(name).public, device, prekey)
        by = signer.public if certifier else b""
        return auth.dev_add_payload(_root(name).public, prekey, signer.sign(message), by)

    def _device_revoke(self, name: str, root: bytes, device: bytes) -> bytes:
        keeps = self._references(2)
        if self._choices.number(2):
            return auth.dev_revoke_payload(root, device, keeps=keeps)
        seen = tuple(reference.op_id for reference in self._references(3))
        message = auth.revocation_message(NONCE, root, device, seen, keeps)
        return auth.dev_revoke_payload(root, device, _root(name).sign(message), seen, keeps)

    def _content(self, kind: int) -> bytes:
        choices = self._choices
        match kind:
            case chat.NUMBER:
                return chat.encode_chat_message("said")
            case document.NUMBER:
                return document.encode_document("Minutes")
            case need.NUMBER:
                line = need.NeedLine("hours", "minute", choices.number(3), 60)
                return need.encode_need("Help", [line])
            case pledge.NUMBER:
                return self._pledge()
            case blob.NUMBER:
                return self._blob()
            case epoch.NUMBER:
                return self._epoch()
            case 64 | 66 | 200:
                return b""
        return choices.pick(kind_payloads())

    def _pledge(self) -> bytes:
        wanted, number = self._subject() or bytes(16), self._choices.number(3)
        if number == 2:
            return pledge.encode_pledge_act(wanted, self._subject() or bytes(16), "withdraw")
        return pledge.encode_pledge(wanted, bytes(16), number, 1)

    def _blob(self) -> bytes:
        count = self._choices.number(4)
        if count == 3:
            return blob.encode_blob_removal()
        hashes = [bytes([self._choices.number(3)]) * 32 for _ in range(count)]
        size = count * CHUNK_BYTES_MAX
        return blob.encode_blob("roof.png", "image/png", size, bytes(32), hashes)

    def _epoch(self) -> bytes:
        choices = self._choices
        seals = bytes(SEAL_BYTES * (1 + choices.number(8)))
        wraps = [[self._held.epoch or bytes(32), bytes(SALT_BYTES), bytes(48)]]
        parts = 1 + choices.number(2)
        said = {"commitment": bytes([choices.number(3)]) * 32, "seals": seals}
        if parts > 1:
            said |= {"parts": parts, "part": choices.number(parts)}  # type: ignore[dict-item]  # mixed
        return encode(said | ({"wraps": wraps} if choices.number(2) else {}))


ZERO = Reference(ZERO32, CONTENT, 0, ZERO32)
