"""A community for members only, whose content is sealed."""

from __future__ import annotations

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.inputs import Draft
from tests.protocol.authoring import key_named
from tests.protocol.replicas import NOW_MS, Copy, founded


def sealed_community() -> Copy:
    """The copy of who founded it."""
    return founded("ana", read=auth.READ_MEMBERS)


def epochs_of(copy: Copy) -> list[bytes]:
    """The names of the valid epochs held, the deepest first."""
    return [record.epoch for record in copy.replica.epochs.records.deepest_first()]


def removed(by: Copy, name: str, now_ms: int = NOW_MS) -> Reference:
    """Put a person out."""
    root = key_named(f"{name} root").public
    return by.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root)), now_ms=now_ms)[0]
