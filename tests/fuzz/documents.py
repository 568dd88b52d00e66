"""Targets for document updates: what counts must not hurt the text library, nor part two texts.

The library panics, hangs and dies on bytes that are chosen well. What members wrote, forked and
hidden logs among it, is given to two replicas in two orders, each log in its own: both skip the
same updates, show the same text and can go on.
"""

from __future__ import annotations

from hashlib import sha256
from math import inf
from random import Random
from typing import Any, NamedTuple, cast
from unittest import mock

from p2pvalue.network.multistream import encode_varint
from p2pvalue.node import pace
from p2pvalue.node.documents.document_replica import DocumentPlace, DocumentReplica
from p2pvalue.store import Base, Entry, Store
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import TEXT_ROOT, SharedDocument
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.update_form import read_update
from p2pvalue_protocol.documents.verdict import UpdateInvalid
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.limits import PAYLOAD_BYTES_MAX
from p2pvalue_protocol.replica import Replica
from tests.fuzz.choices import Choices
from tests.fuzz.streams import run_through
from tests.fuzz.target import Budget, Target
from tests.node.hostile_updates import hostile_updates
from tests.node.near_texts import NearTexts

N = "p2pvalue.node"
ME = 5
_SUBJECT = bytes(16)
_READER = bytes([9]) * 32
_DEVICES = {1: b"\x01" * 32, 2: b"\x02" * 32, 3: b"\x03" * 32, 4: b"\x03" * 32}  # by log
_TRUNK, _BRANCH = 3, 4  # a log, and what a fork made of it
_SESSIONS = 2
_TEXTS = ("a", "bc", "é", "😀", "x😀y", "\n", "\u0301", "a" * 300, "\U0001f3f4\u200d\u2620")
_UPDATES_MAX = 24
_STRUCTS_MAX = 6


class _Written(NamedTuple):
    """One update operation, as a log holds it."""

    op_id: bytes
    log: int
    seq: int
    payload: bytes
    is_hidden: bool


class _Held:
    """All that a replica asks of the store and the core, where no update is sealed."""

    def __init__(self, base: Base, number_of_first_log: int) -> None:
        self._base = base
        self._before = number_of_first_log - 1
        self._entries: list[Entry] = []

    def add(self, written: _Written) -> None:
        order = Order(1, _DEVICES[written.log], written.seq, written.op_id)
        arrival, log = len(self._entries) + 1, written.log + self._before
        self._entries.append(
            Entry(
                *(_SUBJECT, document.UPDATE_NUMBER, order, order.device, b"", written.payload),
                *(arrival, log, written.is_hidden),
            )
        )

    # --- the store

    def snapshot(self, community: bytes, subject: bytes) -> None:
        return None

    def base(self, community: bytes, log: int) -> Base:
        if log - self._before != _BRANCH or self._base.log is None:
            return Base(None, -1)
        return self._base._replace(log=self._base.log + self._before)

    def past(self, community: bytes) -> _Held:
        return self

    def operations(self, log: int, seq: int, count: int) -> list[Order]:
        found = (e.order for e in self._entries if (e.log, e.order.seq) == (log, seq))
        return [next(found)]

    def entries_since(self, *place: Any, limit: int, hidden: bool) -> list[Entry]:
        assert hidden
        return self._entries[place[-1] :][:limit]

    # --- the core

    @property
    def branches(self) -> _Held:
        return self

    def of(self, device: bytes, log_class: int) -> list[object]:
        return []

    def open(self, core: bytes, payload: bytes) -> bytes:
        return payload


def _replica(held: _Held) -> DocumentReplica:
    store, copy = cast("Store", held), cast("Replica", held)
    place = DocumentPlace(store, bytes(32), _SUBJECT, document.SHAPE_PLAIN, _READER, lambda: copy)
    return DocumentReplica(place, NearTexts())


# --- one update


def _reader(data: bytes) -> bool:
    """Read bytes as one update, and give what is in a form of its own to a fresh text."""
    try:
        update = read_update(data)
    except UpdateInvalid:
        return False
    named = [struct.origin or struct.right for struct in update.structs]
    if update.client == ME and update.first_clock == 0 and not any(named) and not update.deletions:
        text = SharedDocument("plain", 1)
        text.apply([data])
        SharedDocument("plain", 2, text.encoded())
    return True


# --- many updates of several devices


class _Author:
    """Writes what a program says, in the form of Yjs V1; honest about nothing but its client."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self.written: list[_Written] = []
        self.base = Base(None, -1)
        self._hides = choices.number(4) == 3
        self._seqs = dict.fromkeys(_DEVICES, 0)
        self._clocks: dict[tuple[int, int], int] = {}
        self._clients = [
            client_of(d, _SUBJECT, s) for d in set(_DEVICES.values()) for s in range(_SESSIONS)
        ]
        self._clients.sort()

    def write(self) -> None:
        choices = self._choices
        log, session = choices.pick((1, 2, _TRUNK, _BRANCH)), choices.number(_SESSIONS)
        if log == _BRANCH and not self._seqs[_BRANCH]:
            if not self._seqs[_TRUNK]:
                return
            self._fork()
        client = client_of(_DEVICES[log], _SUBJECT, session)
        if self.written and choices.number(16) == 15:
            update = choices.piece()
        else:
            update = self._update(client, self._clocks.get((log, session), 0))
        self._advance(update, client, (log, session))
        heads = sorted({w.op_id for w in choices.some(self.written, 3) if w.log != log})
        if choices.number(32) == 31:
            heads = [bytes(32)]
        payload = document.encode_document_update(update or b"\x00", session, heads)
        op_id = sha256(len(self.written).to_bytes(4, "big")).digest()
        is_hidden = self._hides and log == _TRUNK
        self.written.append(_Written(op_id, log, self._seqs[log], payload, is_hidden))
        self._seqs[log] += 1

    def _fork(self) -> None:
        """Begin the branch behind what the trunk has."""
        self.base = Base(_TRUNK, self._seqs[_TRUNK] - 1)
        self._seqs[_BRANCH] = self._seqs[_TRUNK]
        for session in range(_SESSIONS):
            self._clocks[_BRANCH, session] = self._clocks.get((_TRUNK, session), 0)

    def _advance(self, update: bytes, client: int, strand: tuple[int, int]) -> None:
        try:
            read = read_update(update)
        except UpdateInvalid:
            return
        if read.client == client and read.structs:
            self._clocks[strand] = max(read.end_clock, self._clocks.get(strand, 0))

    def _update(self, client: int, clock: int) -> bytes:
        choices = self._choices
        count = choices.number(_STRUCTS_MAX)
        clock += 0 if choices.number(8) < 7 else choices.number(4)
        structs = b"".join(self._struct() for _ in range(count))
        head = b"\x01" + b"".join(map(encode_varint, (count, client, clock))) if count else b"\x00"
        return head + structs + self._deletions()

    def _struct(self) -> bytes:
        choices = self._choices
        content = choices.pick((4, 4, 4, 4, 1, 0, 5))
        if content == 0:
            return b"\x00" + encode_varint(1 + choices.number(4))
        sides = choices.number(4)
        references = b"".join(self._place() for _ in range(sides.bit_count()))
        parent = b"" if sides else b"\x01\x07" + TEXT_ROOT.encode()
        if content == 1:
            body = encode_varint(1 + choices.number(6))
        else:
            text = choices.pick(_TEXTS).encode() if content == 4 else b"{}"
            body = encode_varint(len(text)) + text
        return bytes([content | sides << 6]) + references + parent + body

    def _written_by(self, client: int) -> int:
        """How far a client has come, about: in its farthest branch."""
        return max(
            (
                clock
                for (log, session), clock in self._clocks.items()
                if client_of(_DEVICES[log], _SUBJECT, session) == client
            ),
            default=0,
        )

    def _place(self) -> bytes:
        client = self._choices.pick(self._clients)
        clock = self._choices.number(self._written_by(client) + 2)
        return encode_varint(client) + encode_varint(clock)

    def _deletions(self) -> bytes:
        choices = self._choices
        clients = sorted(set(choices.some(self._clients, 2)))
        out = encode_varint(len(clients))
        for client in clients:
            ranges = 1 + choices.number(3)
            out += encode_varint(client) + encode_varint(ranges)
            at = 0
            for _ in range(ranges):
                start = at + choices.number(self._written_by(client) + 2)
                length = 1 + choices.number(4)
                out += encode_varint(start) + encode_varint(length)
                at = start + length
        return out


def _sessions(data: bytes) -> bool:
    with mock.patch.object(pace, "WORK_S_MAX", inf):  # nobody else is to have a turn
        return _play_sessions(data)


def _play_sessions(data: bytes) -> bool:
    choices = Choices(data)
    author = _Author(choices)
    while not choices.is_spent and len(author.written) < _UPDATES_MAX:
        author.write()
    one = _told(_Held(author.base, 1), author.written)
    other = _told(_Held(author.base, 11), _shuffled(author, len(data)))
    for replica in (one, other):
        assert not replica.suspects.all(), "what the verifier let through broke the text library"
    assert _seen(one) == _seen(other)
    for replica in (one, other):
        length = len(run_through(replica.text()))
        edits = [Edit(0, min(length, 2), "n"), Edit(length // 2, 0, "😀")]
        assert run_through(replica.prepare(0, run_through(replica.edit(edits))))
        assert len(run_through(replica.text())) == length - min(length, 2) + 2
        SharedDocument("plain", 7, run_through(replica.document.encoded()))
    return one.facts.updates > one.facts.skipped


def _told(held: _Held, written: list[_Written]) -> DocumentReplica:
    replica = _replica(held)
    run_through(replica.catch_up())
    for update in written:
        held.add(update)
        replica.report()
        run_through(replica.catch_up())
    return replica


def _seen(replica: DocumentReplica) -> tuple[object, ...]:
    return run_through(replica.text()), replica.version, replica.facts.skips


def _shuffled(author: _Author, seed: int) -> list[_Written]:
    """Return the same updates in another order in which each log's come as they were written."""
    rng = Random(seed)
    logs = {log: [w for w in author.written if w.log == log] for log in _DEVICES}
    mixed: list[_Written] = []
    while any(logs.values()):
        log = rng.choice([log for log, left in logs.items() if left])
        trunk = logs[_TRUNK]
        if log == _BRANCH and trunk and trunk[0].seq <= author.base.seq:
            log = _TRUNK  # what a branch goes on from comes first
        mixed.append(logs[log].pop(0))
    return mixed


def _honest() -> list[bytes]:
    texts = (SharedDocument("plain", ME), SharedDocument("plain", 6))
    updates = texts[0].edit([Edit(0, 0, "hello"), Edit(2, 1, "😀"), Edit(0, 0, "x" * 500)])
    return [*updates, texts[0].encoded()]


DOCUMENTS = (
    Target(
        name="document-update",
        run=_reader,
        seeds=lambda: [*(h.update for h in hostile_updates(ME, 7).values()), *_honest()],
        covers=("p2pvalue_protocol.documents.update_form.read_update",),
        bytes_max=PAYLOAD_BYTES_MAX,
        budget=Budget(units_per_kib=8),
    ),
    Target(
        name="document-sessions",
        run=_sessions,
        seeds=lambda: [Random(seed).randbytes(40 + 40 * seed) for seed in range(12)],
        covers=(f"{N}.document_facts.take", "p2pvalue.texts.shared.apply"),
        shape="program",
        bytes_max=1_024,
        budget=Budget(units=60, units_per_kib=60),
    ),
)
