"""The messages of the y-websocket protocol, as an editor's tab sends and gets them.

pycrdt has helpers for these, of its own use: they take what is cut short, and count letters where
the protocol counts bytes. Everything here is read strictly, before anything else sees it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from p2pvalue_protocol.documents.bursts import EDITOR_CAPS
from p2pvalue_protocol.documents.numbers import read_number, read_text, write_number
from p2pvalue_protocol.documents.state_form import read_state
from p2pvalue_protocol.documents.update_form import Update, read_update
from p2pvalue_protocol.documents.verdict import Malformed

MESSAGE_BYTES_MAX: Final = 2 * 1024 * 1024
READ_BYTES_MAX: Final = 8 * 1024
"""What is longer is read where it stops nobody: these take up to 7 ms."""
PRESENCES_MAX: Final = 256  # in one message; a tab tells of all that it knows
GONE: Final = "null"
_SYNC, _PRESENCE, _AUTH, _PRESENCE_ASKED = 0, 1, 2, 3
_STATE, _ALL_MISSING, _UPDATE = 0, 1, 2


class Holds(NamedTuple):
    """Sync step 1: how much the tab holds, as a state; not looked at if it is long."""

    state: bytes


class Said(NamedTuple):
    """An update."""

    update: Update


class SaidMuch(NamedTuple):
    """An update that is not looked at yet; `is_all` if it is all that we lack (sync step 2)."""

    update: bytes
    is_all: bool


class Presence(NamedTuple):
    """Who shows what beside the text, a cursor for example: JSON as text, `GONE` for nothing."""

    client: int
    clock: int
    state: str


class Presences(NamedTuple):
    """What the tab knows of who is there, itself among them."""

    found: tuple[Presence, ...]


class PresenceAsked(NamedTuple):
    """The tab asks who is there."""


Message: TypeAlias = Holds | Said | SaidMuch | Presences | PresenceAsked | None


def read_message(data: bytes) -> Message:
    """Return what a tab says, None if it needs no answer; raises UpdateInvalid with a reason."""
    try:
        kind, at = read_number(data, 0)
        if kind == _SYNC:
            return _read_sync(data, at)
        if kind == _PRESENCE:
            return _read_presences(_body(data, at))
        if kind == _PRESENCE_ASKED and at == len(data):
            return PresenceAsked()
        if kind == _AUTH:
            return None
    except (IndexError, UnicodeDecodeError):
        pass
    raise Malformed


def _read_sync(data: bytes, at: int) -> Holds | Said | SaidMuch:
    kind, at = read_number(data, at)
    body = _body(data, at)
    is_short = len(body) <= READ_BYTES_MAX
    if kind == _STATE:
        if is_short:
            read_state(body)
        return Holds(body)
    if kind not in (_ALL_MISSING, _UPDATE):
        raise Malformed
    if is_short and kind == _UPDATE:
        return Said(read_update(body, EDITOR_CAPS))
    return SaidMuch(body, kind == _ALL_MISSING)


def _body(data: bytes, at: int) -> bytes:
    """Return the bytes that a message ends with, whose length it says."""
    size, at = read_number(data, at)
    if at + size != len(data):
        raise Malformed
    return data[at:]


def _read_presences(data: bytes) -> Presences:
    count, at = read_number(data, 0)
    if count > PRESENCES_MAX:
        raise Malformed
    found = []
    for _ in range(count):
        client, at = read_number(data, at)
        clock, at = read_number(data, at)
        state, at = read_text(data, at)
        found.append(Presence(client, clock, state))
    if at != len(data):
        raise Malformed
    return Presences(tuple(found))


def holding(state: bytes) -> bytes:
    """Return the message that says how much we hold, and asks for the rest (sync step 1)."""
    return _sync(_STATE, state)


def all_missing(update: bytes) -> bytes:
    """Return the message with all that the tab lacks (sync step 2)."""
    return _sync(_ALL_MISSING, update)


def news(update: bytes) -> bytes:
    """Return the message with an update of somebody else."""
    return _sync(_UPDATE, update)


def _sync(kind: int, body: bytes) -> bytes:
    return bytes((_SYNC, kind)) + write_number(len(body)) + body


def presences(found: Iterable[Presence]) -> bytes:
    """Return the message that tells who is there."""
    told = list(found)
    body = bytearray(write_number(len(told)))
    for client, clock, state in told:
        text = state.encode()
        body += write_number(client) + write_number(clock) + write_number(len(text)) + text
    return bytes((_PRESENCE,)) + write_number(len(body)) + bytes(body)
