"""Targets for what an editor's tab sends: y-websocket messages, and what we sign of them."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from p2pvalue.node.editors import editor_messages as messages
from p2pvalue.node.editors.editor_leases import Kept, Lease, read_leases
from p2pvalue.texts.cutting import cut
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.documents.bursts import in_parts, joined, said_anew, united
from p2pvalue_protocol.documents.state_form import write_state
from p2pvalue_protocol.documents.update_form import Update, read_update, write_update
from p2pvalue_protocol.documents.verdict import UpdateInvalid, VoidReason
from tests.fuzz.document_facts import updates_by_hand
from tests.fuzz.target import Budget, Target

N, P = "p2pvalue.node.editors.editor_messages", "p2pvalue_protocol.documents"


def _message(data: bytes) -> bool:
    try:
        message = messages.read_message(data)
    except UpdateInvalid:
        return False
    if isinstance(message, messages.Said):
        _sign(message.update)
        with suppress(UpdateInvalid):
            _sign(said_anew(message.update, message.update.first_clock + len(data) % 8))
    elif isinstance(message, messages.SaidMuch):
        known = len(data) % 8  # so much it has said before
        found = cut(SharedDocument("plain", 1), message.update, message.is_all, known)
        return not found.reason
    elif isinstance(message, messages.Presences):
        assert messages.presences(message.found) == data
    elif isinstance(message, messages.Holds):
        assert messages.holding(message.state) == data
    return True


def _sign(update: Update) -> None:
    """Cut an update up: the parts say the same, and each is in the form that others read."""
    parts = in_parts(joined([update]))
    assert united(part.deletions for part in parts) == united([update.deletions])
    for part in parts:
        try:
            assert read_update(write_update(part)) == part
        except UpdateInvalid as error:
            is_one_too_large = error.reason == VoidReason.TOO_LARGE and len(part.structs) == 1
            if not is_one_too_large:  # that one is refused before it is signed
                raise


def _messages() -> list[bytes]:
    found = [messages.news(data) for data in updates_by_hand()]
    found += [messages.all_missing(data) for data in updates_by_hand()[:8]]
    found.append(messages.holding(write_state({5: 7, 2**53 - 1: 3})))
    found.append(messages.presences([messages.Presence(5, 1, '{"name":"é"}')]))
    return [*found, b"\x03", b"\x02\x00"]


def _leases(data: bytes) -> bool:
    kept = read_leases(data)
    assert read_leases(msgspec.msgpack.encode(kept)) == kept
    return bool(kept.port)


def _kept_leases() -> list[bytes]:
    lease = Lease(bytes(16), bytes(32), bytes(32), 2**31, bytes(32), "http://a", True, "0", 1)
    return [msgspec.msgpack.encode(Kept(5173, [lease] * count)) for count in (0, 1, 3)]


EDITORS = (
    Target(
        name="editor-leases",
        run=_leases,
        seeds=_kept_leases,
        covers=("p2pvalue.node.editors.editor_leases.read_leases",),
        shape="msgpack",
    ),
    Target(
        name="editor-message",
        run=_message,
        seeds=_messages,
        covers=(N, "p2pvalue.texts.cutting", f"{P}.bursts", f"{P}.state_form"),
        bytes_max=16_384,
        budget=Budget(units_per_kib=30, memory_per_byte=1_600),
    ),
)
