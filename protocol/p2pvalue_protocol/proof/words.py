"""Whose words a proof may show, and how they are read (spec: proof, "What is shown")."""

from __future__ import annotations

from typing import Final

from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kinds import close, need, pledge, profile
from p2pvalue_protocol.operation import CLEAR_KINDS, Core, Operation
from p2pvalue_protocol.sealing import open_with_key

SHOWN_KINDS: Final = frozenset((need.NUMBER, pledge.NUMBER, close.NUMBER, profile.NUMBER))
"""Of other sealed kinds a file shows nothing."""


def is_about(op_id: bytes, core: Core, subject: bytes) -> bool:
    """Return whether an operation makes this need or changes it, by its core alone."""
    return core.kind == need.NUMBER and (core.subject or subject_of(op_id)) == subject


def words_of(op: Operation, key: bytes) -> bytes | None:
    """Return the words of an operation that a file shows, None if it shows none.

    Raises Refused if it may not show them, or if the key of a sealed payload does not open it.
    """
    core = op.core
    is_shown = bool(op.payload) and core.kind not in CLEAR_KINDS
    if (key and not is_shown) or (is_shown and core.kind not in SHOWN_KINDS):
        raise Refused(Reason.PROOF_INVALID)
    if op.payload is None or not is_shown:
        return None
    if not core.epoch and not key:
        return op.payload
    opened = open_with_key(key, core, op.payload) if core.epoch and len(key) == 32 else None
    if opened is None:
        raise Refused(Reason.PROOF_INVALID)
    return opened
