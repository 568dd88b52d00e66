"""One number for "we see the same": a hash over views that no local number enters."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from p2pvalue.store.interface import Entry
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.ids import payload_hash_of
from p2pvalue_protocol.past import StateRow


def digest_of_views(states: Iterable[StateRow], entries: Iterable[Entry]) -> bytes:
    """Return 32 bytes over states (by kind, subject) and entries (by container, kind, order)."""
    digest = sha256(b"p2pv1/views\x00")
    for state in states:
        digest.update(encode([0, *state]))
    for entry in entries:
        held = b"" if entry.payload is None else payload_hash_of(entry.payload)
        sort = 2 if entry.is_hidden else 1
        digest.update(encode([sort, entry.container, entry.kind, *entry.order, entry.member, held]))
    return digest.digest()
