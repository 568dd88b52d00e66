"""Ports on loopback for daemons that must come back at the same one."""

from __future__ import annotations

import socket
from typing import Self


class KeptPort:
    """A port that nobody else on this machine is given until it is closed.

    A port that was free a moment ago is not free for sure: the kernel may give it to any connection
    that is made meanwhile. So a socket stays bound here, without listening. Whoever also sets
    `SO_REUSEADDR`, as servers do, can listen at the port; until then a call is refused.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()
