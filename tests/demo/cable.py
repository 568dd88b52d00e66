"""A network cable that can be pulled: a TCP relay in front of one daemon."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.ports import KeptPort

_READ_BYTES = 64 * 1024


class Cable:
    """Relays from its port to `target_port`, both on loopback, while it is plugged in."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._target = KeptPort()
        self.target_port = self._target.number
        self._is_plugged_in = True
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        """End all connections and take no new ones."""
        with self._lock:
            self._is_plugged_in = False
            for end in self._sockets:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def plug_in(self) -> None:
        with self._lock:
            self._is_plugged_in = True

    def close(self) -> None:
        self.pull()
        self._listener.close()
        self._target.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._is_plugged_in:
                    caller.close()
                    continue
                try:
                    target = socket.create_connection(("127.0.0.1", self.target_port))
                except OSError:
                    caller.close()
                    continue
                self._sockets |= {caller, target}
            for source, sink in ((caller, target), (target, caller)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._relay, args=(source, sink), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_READ_BYTES):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._sockets.discard(source)
        source.close()
