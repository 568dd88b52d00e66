"""Why a tab of an editor is closed, as it can show it."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

REASON_BYTES_MAX: Final = 123  # of a WebSocket's closing frame


class Refusal(IntEnum):
    """Codes of a WebSocket's close. From 4400 on a tab need not come back, from 4500 on it should.

    y-websocket keeps to that by itself.
    """

    UNKNOWN = 4401  # token or document: attach again
    NOT_ALLOWED = 4403  # may not write here
    ANEW = 4409  # its text is not ours any more: attach again, with an empty document
    REFUSED = 4422  # what it said, nobody would show
    BUSY = 4503  # the daemon cannot write just now, or ends
    SLOW = 4508  # it does not read what we send


class EditorRefused(Exception):
    """The tab's connection ends here; `reason` is for its person."""

    def __init__(self, code: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
