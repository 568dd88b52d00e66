"""Targets for document updates: what the strict reader lets through must not hurt the text library.

The library panics, hangs and dies on bytes that are chosen well. What members wrote is given to two
replicas in two orders, each log in its own: both skip the same updates, show a text and can go on.
That the two texts are equal if some lie about places is asked of the core's facts, for which
`document_facts` has the targets; what honest editors write is for `tests/node`.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from random import Random
from typing import Any, NamedTuple, cast

from p2pvalue.network.multistream import encode_varint
from p2pvalue.node.difference import Edit
from p2pvalue.node.document_replica import DocumentReplica
from p2pvalue.node.text import SharedText
from p2pvalue.node.updates import ROOT_NAME, UpdateInvalid, client_of, read_update
from p2pvalue.store import Store
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.limits import PAYLOAD_BYTES_MAX
from tests.fuzz.choices import Choices
from tests.fuzz.streams import run_through
from tests.fuzz.target import Budget, Target
from tests.node.test_updates import HOSTILE, ME

P = "p2pvalue.node"
_SUBJECT = bytes(16)
_DEVICES = tuple(bytes([number]) * 32 for number in (1, 2, 3))
_SESSIONS = 2
_TEXTS = ("a", "bc", "é", "😀", "x😀y", "\n", "\u0301", "a" * 300, "\U0001f3f4\u200d\u2620")
_UPDATES_MAX = 24
_STRUCTS_MAX = 6


class _EmptyStore:
    """All that a replica asks of a store which holds nothing of its document."""

    def snapshot(self, community: bytes, subject: bytes) -> None:
        return None

    def entries_since(self, *place: object, limit: int) -> list[Any]:
        return []


class _Written(NamedTuple):
    """One update operation, as a replica is told of it."""

    op_id: bytes
    device: bytes
    seq: int
    payload: bytes


def _replica(device: bytes) -> DocumentReplica:
    return DocumentReplica(
        cast("Store", _EmptyStore()),
        bytes(32),
        _SUBJECT,
        open_payload=lambda core, payload: payload,
        device=device,
        session=9,
    )


def _told(replica: DocumentReplica, written: list[_Written]) -> None:
    run_through(replica.catch_up())  # the store is read, and from now on reports count
    for update in written:
        replica.report(*update)
        run_through(replica.catch_up())


# --- one update


def _reader(data: bytes) -> bool:
    """Read bytes as one update of client 5, and give what is taken to a fresh text."""
    try:
        update = read_update(data, ME)
    except UpdateInvalid:
        return False
    assert update.client == ME
    assert -1 <= update.first_clock <= update.end_clock
    is_whole = update.first_clock in (-1, 0) and set(update.named) <= {ME}
    if is_whole and update.named.get(ME, 0) <= max(0, update.end_clock):
        text = SharedText(1)
        text.apply(data)
        assert SharedText(2, text.encoded()).text == text.text
    return True


# --- many updates of several devices


class _Author:
    """Writes what a program says, in the form of Yjs V1; honest about nothing but its client."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self.written: list[_Written] = []
        self._clocks: dict[int, int] = {}
        self._clients = [client_of(d, _SUBJECT, s) for d in _DEVICES for s in range(_SESSIONS)]

    def write(self) -> None:
        choices = self._choices
        device, session = choices.pick(_DEVICES), choices.number(_SESSIONS)
        client = client_of(device, _SUBJECT, session)
        if self.written and choices.number(16) == 15:
            update = choices.piece()
        else:
            update = self._update(client)
        with suppress(UpdateInvalid):
            self._clocks[client] = max(read_update(update, client).end_clock, self._clock(client))
        payload = document.encode_document_update(update or b"\x00", session)
        seq = len(self.written)
        op_id = sha256(seq.to_bytes(4, "big")).digest()
        self.written.append(_Written(op_id, device, seq, payload))

    def _clock(self, client: int) -> int:
        return self._clocks.get(client, 0)

    def _update(self, client: int) -> bytes:
        choices = self._choices
        count = choices.number(_STRUCTS_MAX)
        clock = self._clock(client) + (0 if choices.number(8) < 7 else choices.number(4))
        structs = b"".join(self._struct(client) for _ in range(count))
        head = b"\x01" + b"".join(map(encode_varint, (count, client, clock))) if count else b"\x00"
        return head + structs + self._deletions()

    def _struct(self, client: int) -> bytes:
        choices = self._choices
        content = choices.pick((4, 4, 4, 4, 1, 0, 5))
        if content == 0:
            return b"\x00" + encode_varint(choices.number(4))
        sides = choices.number(4)
        references = b"".join(self._place() for _ in range(sides.bit_count()))
        parent = b"" if sides else b"\x01\x07" + ROOT_NAME.encode()
        if content == 1:
            body = encode_varint(1 + choices.number(6))
        else:
            text = choices.pick(_TEXTS).encode()
            body = encode_varint(len(text)) + text
        return bytes([content | sides << 6]) + references + parent + body

    def _place(self) -> bytes:
        client = self._choices.pick(self._clients)
        clock = self._choices.number(self._clock(client) + 2)
        return encode_varint(client) + encode_varint(clock)

    def _deletions(self) -> bytes:
        choices = self._choices
        clients = choices.some(self._clients, 2)
        out = encode_varint(len(clients))
        for client in clients:
            ranges = 1 + choices.number(3)
            out += encode_varint(client) + encode_varint(ranges)
            at = 0
            for _ in range(ranges):
                start = at + choices.number(self._clock(client) + 2)
                length = 1 + choices.number(4)
                out += encode_varint(start) + encode_varint(length)
                at = start + length
        return out


def _sessions(data: bytes) -> bool:
    choices = Choices(data)
    author = _Author(choices)
    while not choices.is_spent and len(author.written) < _UPDATES_MAX:
        author.write()
    one, other = _replica(_DEVICES[0]), _replica(_DEVICES[1])
    _told(one, author.written)
    _told(other, _shuffled(author.written, len(data)))
    for replica in (one, other):
        assert not replica._broken, "what the reader let through broke the text library"
    assert (one.version, one.skipped) == (other.version, other.skipped)
    for replica in (one, other):
        length = len(replica.text)
        edits = [Edit(0, min(length, 2), "n"), Edit(length // 2, 0, "😀")]
        written = [
            read_update(u, client_of(replica.device, _SUBJECT, 9)) for u in replica.edit(edits)
        ]
        assert [update.first_clock for update in written] == [0]
        assert len(replica.text) == length - min(length, 2) + 2
        SharedText(7, replica._shared.encoded())
    return one.updates > one.skipped


def _shuffled(written: list[_Written], seed: int) -> list[_Written]:
    """Return the same updates in another order in which each device's come as it wrote them."""
    rng = Random(seed)
    logs = [[update for update in written if update.device == device] for device in _DEVICES]
    mixed = []
    while any(logs):
        mixed.append(rng.choice([log for log in logs if log]).pop(0))
    return mixed


def _honest() -> list[bytes]:
    texts = (SharedText(ME), SharedText(6))
    updates = texts[0].edit([Edit(0, 0, "hello"), Edit(2, 1, "😀"), Edit(0, 0, "x" * 500)])
    return [*updates, texts[0].encoded()]


DOCUMENTS = (
    Target(
        name="document-update",
        run=_reader,
        seeds=lambda: [*map(bytes.fromhex, HOSTILE.values()), *_honest()],
        covers=(f"{P}.updates.read_update",),
        bytes_max=PAYLOAD_BYTES_MAX,
        budget=Budget(units_per_kib=8),
    ),
    Target(
        name="document-sessions",
        run=_sessions,
        seeds=lambda: [Random(seed).randbytes(40 + 40 * seed) for seed in range(12)],
        covers=(f"{P}.document_replica._check", f"{P}.text.apply"),
        shape="program",
        bytes_max=1_024,
        budget=Budget(units=60, units_per_kib=60),
    ),
)
