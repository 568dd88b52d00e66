"""A document as its snapshot keeps it: the text, and the verdicts behind it."""

from __future__ import annotations

import zlib
from typing import Final

import msgspec

_ZLIB_LEVEL: Final = 1  # a third of the size, at 100 MB/s
_KEYSTROKE_BYTES: Final = 128


class _Form(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    text: bytes
    facts: bytes
    broken: list[bytes]


class KeptDocument(msgspec.Struct, frozen=True):
    """The text as the library encodes it, dumped facts, and which operations are skipped here."""

    text: bytes
    facts: bytes
    broken: list[bytes]

    def as_bytes(self) -> bytes:
        """Return this as the store keeps it; the text is compressed, facts are already."""
        form = _Form(zlib.compress(self.text, _ZLIB_LEVEL), self.facts, self.broken)
        return msgspec.msgpack.encode(form)


def weight_of(update: bytes) -> int:
    """Return how long it takes to take an update in again, in keystrokes."""
    return 1 + len(update) // _KEYSTROKE_BYTES


def kept_document(data: bytes) -> KeptDocument:
    """Return what `as_bytes` gave; ValueError for anything else."""
    try:
        form = msgspec.msgpack.decode(data, type=_Form)
        return KeptDocument(zlib.decompress(form.text), form.facts, form.broken)
    except (msgspec.DecodeError, zlib.error) as error:
        raise ValueError(f"this is no document that was kept: {error}") from None
