"""Newline-delimited JSON in both directions: for streams, bursts and tasks that take long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from p2pvalue.api.failures import TooLarge, failure_of

LINE_BYTES_MAX = 1024 * 1024
MEDIA_TYPE = "application/x-ndjson"

SendLine = Callable[[msgspec.Struct], Awaitable[None]]


async def body_lines(request: Request) -> AsyncIterator[bytes]:
    """The lines of a request's body as they arrive, without their ends; raises TooLarge."""
    rest = bytearray()
    async for chunk in request.stream():
        rest += chunk
        *complete, last = rest.split(b"\n")
        rest = bytearray(last)
        if max((len(line) for line in (*complete, rest)), default=0) > LINE_BYTES_MAX:
            raise TooLarge(f"a line is longer than {LINE_BYTES_MAX} bytes: send it in several")
        for line in complete:
            if line.strip():
                yield bytes(line)
    if rest.strip():
        yield bytes(rest)


class LineResponse(Response):
    """An answer that is written line by line while `produce` runs.

    The head leaves with the first line, so that what fails before it still has its status; what
    fails later is the last line.
    """

    media_type = MEDIA_TYPE

    def __init__(self, produce: Callable[[SendLine], Awaitable[None]]) -> None:
        super().__init__()
        self._produce = produce
        self._has_started = False
        self._writing = trio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_line(value: msgspec.Struct) -> None:
            async with self._writing:
                if not self._has_started:
                    await self._start(send, 200)
                line = msgspec.json.encode(value) + b"\n"
                await send({"type": "http.response.body", "body": line, "more_body": True})

        try:
            await self._produce(send_line)
            if not self._has_started:
                await self._start(send, 200)
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller hears of it
            status, failure = failure_of(error)
            if not self._has_started:
                await self._start(send, status)
            await send_line(failure)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _start(self, send: Send, status: int) -> None:
        self._has_started = True
        headers = [(b"content-type", MEDIA_TYPE.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
