"""The frames of Yamux: their header, kinds and flags (hashicorp/yamux, spec.md)."""

from __future__ import annotations

import struct
from typing import Final

WINDOW_BYTES: Final = 256 * 1024
OUTPUT_BYTES_MAX: Final = 65_519  # of plaintext in one Noise message: what is written in one go

HEADER: Final = struct.Struct("!BBHII")
DATA, WINDOW, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
DATA_BYTES_MAX: Final = OUTPUT_BYTES_MAX - HEADER.size


class SessionEnded(Exception):
    """The connection is over: closed by us, by the peer, or because the peer broke the protocol."""


class StreamEnded(Exception):
    """This stream is over, the connection may well live on."""
