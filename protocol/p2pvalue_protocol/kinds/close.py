"""Kind 41, close: what its author held, and counts, when something came to its end.

A close names operations one by one: who holds it can check it without the rest of the history
(spec: kinds/close).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.kind import EntryKind
from p2pvalue_protocol.payload_form import PayloadForm, Subject, order_problem

NUMBER: Final = 41
NAME_BYTES: Final = 16
NAMES_MAX: Final = 3_500  # they leave room for the other fields in one payload

_Names = Annotated[bytes, msgspec.Meta(max_length=NAMES_MAX * NAME_BYTES)]


class Close(msgspec.Struct, frozen=True, omit_defaults=True):
    """Closes what `about` names, as it stood under `terms`, with the operations that count."""

    about: Subject
    terms: Subject
    counts: _Names = b""  # their names, one after the other, ascending


def operation_name(op_id: bytes) -> bytes:
    """Return the 16 bytes by which a close names an operation."""
    return op_id[:NAME_BYTES]


def names(close: Close) -> tuple[bytes, ...]:
    """Return the names of the operations that count, ascending."""
    starts = range(0, len(close.counts), NAME_BYTES)
    return tuple(close.counts[start : start + NAME_BYTES] for start in starts)


def _problem(close: Close) -> str | None:
    if len(close.counts) % NAME_BYTES:
        return f"what counts is named by {NAME_BYTES} bytes each: give whole names"
    return order_problem("names", names(close))


_form = PayloadForm(Close, _problem)


def encode_close(about: bytes, terms: bytes, names: Iterable[bytes]) -> bytes:
    """Return the payload of a close that counts what `names` name, in any order.

    Raises LocalProtocolError.
    """
    return _form.encode(Close(about, terms, b"".join(sorted(set(names)))))


def read_close(payload: bytes) -> Close:
    """Return what a close in a list says: it was found valid then."""
    return _form.read(payload)


def _container(payload: msgspec.Struct, subject: bytes) -> bytes:
    assert isinstance(payload, Close)
    return payload.about


CLOSE = EntryKind(NUMBER, "close", _form.decode, _container)
