"""What goes between the node and the worker process: a length of four bytes, then msgpack."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import msgspec

HEAD_BYTES: Final = 4
FRAME_BYTES_MAX: Final = 2**28

# Four names that are no row of `CALLS`: they are about more than one document.
OPEN: Final = "open"  # shape, client, encoded or None
COPY: Final = "copy"  # number of the new document, its client
TAKE_FROM: Final = "take_from"  # number of the other document
SHOW: Final = "show"  # number of the other document, version of the schema


class Question(msgspec.Struct, array_like=True, frozen=True):
    """Something asked of the document `number`; those `dropped` are not needed any more.

    It ends the process if it takes more than `work_s` seconds of processor time.
    """

    number: int
    name: str
    arguments: list[Any]
    work_s: float
    dropped: list[int] = []


class Outcome(IntEnum):
    """What became of a question."""

    ANSWERED = 0
    BROKEN = 1
    REFUSED = 2


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """What came of it: the value, or a message; `at` as in TextBroken."""

    outcome: Outcome
    value: msgspec.Raw = msgspec.Raw(b"\xc0")
    message: str = ""
    at: int | None = None


class Cut(msgspec.Struct, array_like=True, frozen=True):
    """What an editor said, as updates that say the same one after the other, or why not (`reason`).

    `structs` are how many pieces are written; without any the clocks and the client are -1.
    """

    reason: str = ""
    structs: int = 0
    client: int = -1
    first_clock: int = -1
    end_clock: int = -1
    parts: list[bytes] = []


def framed(body: bytes) -> bytes:
    """Return a frame; raises ValueError if it would be too long."""
    if len(body) > FRAME_BYTES_MAX:
        raise ValueError(f"a frame of {len(body)} bytes is too long")
    return len(body).to_bytes(HEAD_BYTES, "big") + body
