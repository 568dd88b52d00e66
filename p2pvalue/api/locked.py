"""The API while the keys are closed: it says what it waits for, takes the passphrase, and stops.

`Gate` is what the server serves: the answers of a locked daemon first, a node's once it is open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from p2pvalue import types as t
from p2pvalue.api.app import answered, contained, decoded, fields_of, stopping
from p2pvalue.api.schema import Done, Unlock
from p2pvalue.keyfile import KeysLocked


class Gate:
    """An ASGI application that passes each request to the one that answers at the moment."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def locked_application(
    status: Callable[[], t.StatusView],
    unlock: Callable[[str], Awaitable[None]],
    stop: Callable[[], None],
) -> ASGIApp:
    """The API of a daemon whose keys are under a passphrase that nobody has given yet.

    `unlock` returns when a node answers, and raises WrongPassphrase.
    """

    async def show(_: Request) -> Response:
        return answered(200, status())

    async def open_keys(request: Request) -> Response:
        await unlock(decoded(Unlock, request, await fields_of(request)).passphrase)
        return answered(200, Done())

    async def refuse(_: Request) -> Response:
        raise KeysLocked(f"the daemon is locked and waits for {status().waiting_for}")

    every = ["GET", "POST", "PUT", "DELETE", "PATCH"]
    return Starlette(
        routes=[
            Route("/status", contained(show), methods=["GET"]),
            Route("/unlock", contained(open_keys), methods=["POST"]),
            Route("/stop", contained(stopping(stop)), methods=["POST"]),
            Route("/{anything:path}", contained(refuse), methods=every),
        ]
    )
