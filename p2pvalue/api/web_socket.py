"""One WebSocket (RFC 6455) on a stream: wsproto's protocol, and the bounds that it leaves to us."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Final

import trio
from wsproto import ConnectionType, WSConnection
from wsproto import events as w
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

READ_BYTES: Final = 64 * 1024
CLOSE_S_MAX: Final = 1.0
STALLED_WRITE_S_MAX: Final = 30.0
TOO_BIG, NOT_BINARY, MALFORMED = 1009, 1003, 1002


class Closed(Exception):
    """The connection is over; `code` is what the other side said, 1006 if it said nothing."""

    def __init__(self, code: int = 1006) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocket:
    """The server's side: `request`, then `accept` or `reject`, then messages, then `close`.

    Every method raises Closed when the other side has left or broken the protocol.
    """

    def __init__(self, stream: trio.abc.Stream, *, message_bytes_max: int) -> None:
        self._stream = stream
        self._message_bytes_max = message_bytes_max
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._sending = trio.Lock()
        self._message = bytearray()
        self._events: deque[w.Event] = deque()

    async def request(self) -> w.Request:
        """Return what is asked for; answers what is no WebSocket request and raises Closed."""
        event = await self._next()
        if not isinstance(event, w.Request):
            raise Closed(MALFORMED)
        return event

    async def accept(self) -> None:
        """Begin to talk, without extensions: nothing is compressed."""
        await self._send(w.AcceptConnection())

    async def reject(self, status: int, reason: str) -> None:
        """Answer with an HTTP status instead."""
        body = reason.encode()
        head = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
        await self._send(w.RejectConnection(status_code=status, headers=head, has_body=True))
        await self._send(w.RejectData(data=body))

    async def receive(self) -> bytes:
        """Return the next message."""
        while True:
            event = await self._next()
            if isinstance(event, w.BytesMessage):
                self._message += event.data
                if len(self._message) > self._message_bytes_max:
                    await self.close(TOO_BIG, f"more than {self._message_bytes_max} bytes at once")
                    raise Closed(TOO_BIG)
                if event.message_finished:
                    message, self._message = bytes(self._message), bytearray()
                    return message
            elif isinstance(event, w.Ping):
                await self._send(event.response())
            elif isinstance(event, w.CloseConnection):
                with contextlib.suppress(Closed):
                    await self._send(event.response())
                raise Closed(event.code)
            elif isinstance(event, w.TextMessage):
                await self.close(NOT_BINARY, "only bytes are understood")
                raise Closed(NOT_BINARY)

    async def send(self, message: bytes) -> None:
        """Send a message; returns when the system has it."""
        await self._send(w.BytesMessage(data=message))

    async def close(self, code: int, reason: str) -> None:
        """Say that it is over, and why; waits a little until the other side has taken it."""
        with trio.move_on_after(CLOSE_S_MAX), contextlib.suppress(Closed):
            await self._send(w.CloseConnection(code=code, reason=reason))
            while not isinstance(await self._next(), w.CloseConnection):
                pass

    async def linger(self) -> None:
        """Take what is still being sent: to close over it would take our last words away."""
        with trio.move_on_after(CLOSE_S_MAX), contextlib.suppress(trio.BrokenResourceError):
            if isinstance(self._stream, trio.SocketStream):
                await self._stream.send_eof()
            while await self._stream.receive_some(READ_BYTES):
                pass

    async def _next(self) -> w.Event:
        while True:
            try:
                self._events.extend(self._protocol.events())
                if self._events:
                    return self._events.popleft()
                data = bytes(await self._stream.receive_some(READ_BYTES))
                if not data:
                    raise Closed
                self._protocol.receive_data(data)
            except RemoteProtocolError as error:
                if error.event_hint is not None:
                    await self._send(error.event_hint)
                raise Closed(MALFORMED) from None
            except (trio.BrokenResourceError, trio.ClosedResourceError, UnicodeError):
                raise Closed from None

    async def _send(self, event: w.Event) -> None:
        async with self._sending:
            try:
                data = self._protocol.send(event)
                with trio.fail_after(STALLED_WRITE_S_MAX):
                    await self._stream.send_all(data)
            except (LocalProtocolError, trio.BrokenResourceError, trio.ClosedResourceError):
                raise Closed from None
            except trio.TooSlowError:  # half a frame may be sent: nothing else can be said
                raise Closed from None
