"""Newline-delimited JSON in both directions: for streams, bursts and tasks that take long."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from p2pvalue.api.failures import TooLarge, failure_of

LINE_BYTES_MAX = 1024 * 1024
MEDIA_TYPE = "application/x-ndjson"

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding a stranger's JSON may raise: no JSON, another shape, no UTF-8, nested too deep."""

SendLine = Callable[[msgspec.Struct], Awaitable[None]]


class BodyLines:
    """The lines of a request's body as they arrive, without their ends; raises TooLarge."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._complete: deque[bytes] = deque()
        self._rest = b""
        self._has_ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._complete:
            if self._has_ended:
                raise StopAsyncIteration
            await self._take_in()
        return self._complete.popleft()

    async def _take_in(self) -> None:
        message = await self._receive()
        *complete, rest = (self._rest + message.get("body", b"")).split(b"\n")
        self._has_ended = not message.get("more_body", False)
        if self._has_ended:
            complete, rest = [*complete, rest], b""
        if max(len(line) for line in (*complete, rest)) > LINE_BYTES_MAX:
            raise TooLarge(f"a line is longer than {LINE_BYTES_MAX} bytes: send it in several")
        self._complete.extend(line for line in complete if line.strip())
        self._rest = rest


class LineResponse(Response):
    """An answer that is written line by line while `produce` runs.

    `produce` sends from one task, and does not cancel it while it sends. The head leaves with the
    first line, so that what fails before it has its status; what fails later is the last line.
    """

    media_type = MEDIA_TYPE

    def __init__(self, produce: Callable[[SendLine], Awaitable[None]]) -> None:
        super().__init__()
        self._produce = produce
        self._has_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_line(value: msgspec.Struct) -> None:
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
