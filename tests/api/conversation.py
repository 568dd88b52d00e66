"""One caller of the API: whole answers, or an answer line by line."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h11
import trio


async def ask(
    socket_path: Path,
    method: str,
    target: str,
    body: bytes = b"",
    *,
    host: str = "localhost",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """The status and the decoded JSON of one answer."""
    async with Caller(socket_path) as caller:
        await caller.send(method, target, body, host=host, headers=headers)
        status = await caller.status()
        text = b"".join([part async for part in caller.parts()])
        return status, json.loads(text)


class Caller:
    """One connection that carries one request."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path
        self._http = h11.Connection(h11.CLIENT)
        self._unread = b""

    async def __aenter__(self) -> Self:
        self.stream = await trio.open_unix_socket(self._path)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stream.aclose()

    async def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        host: str = "localhost",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a whole request."""
        length = {"Content-Length": str(len(body))} if body else {}
        await self.begin(method, target, host=host, headers={**length, **(headers or {})})
        if body:
            await self._write(h11.Data(data=body))
        await self._write(h11.EndOfMessage())

    async def begin(
        self, method: str, target: str, *, host: str = "localhost", headers: dict[str, str]
    ) -> None:
        """Send a request's head."""
        every = [("Host", host), *headers.items()]
        await self._write(h11.Request(method=method, target=target, headers=every))

    async def feed(self, data: bytes) -> None:
        """Send a piece of the request's body."""
        await self._write(h11.Data(data=data))

    async def end(self) -> None:
        """Say that the request's body is over."""
        await self._write(h11.EndOfMessage())

    async def status(self) -> int:
        """The status of the answer, once its head has come."""
        event = await self._next()
        while isinstance(event, h11.InformationalResponse):
            event = await self._next()
        assert isinstance(event, h11.Response), event
        return event.status_code

    async def parts(self) -> Any:
        """The pieces of the answer's body as they come."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)
        assert isinstance(event, h11.EndOfMessage), event

    async def line(self) -> Any:
        """The next line of the answer, decoded; None at its end."""
        while b"\n" not in self._unread:
            event = await self._next()
            if not isinstance(event, h11.Data):
                return None
            self._unread += bytes(event.data)
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)

    async def _write(self, event: Any) -> None:
        data = self._http.send(event)
        if data:
            await self.stream.send_all(data)

    async def _next(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(bytes(await self.stream.receive_some(65_536)))
        return event
