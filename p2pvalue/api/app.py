"""The API as an ASGI application: every request is judged, decoded, asked and answered here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from p2pvalue import sizes
from p2pvalue.api.advice import in_words
from p2pvalue.api.endpoints import ENDPOINTS, Endpoint, Stream
from p2pvalue.api.failures import BadRequest, Forbidden, TooLarge, failure_of
from p2pvalue.api.lines import UNREADABLE, BodyLines, LineResponse, SendLine
from p2pvalue.api.schema import Done, Question, Unlock
from p2pvalue.node.documents.document_shapes import TEXT_BYTES_MAX
from p2pvalue.node.interface import NodeInterface
from p2pvalue_protocol.errors import LocalProtocolError

BODY_BYTES_MAX = 6 * TEXT_BYTES_MAX  # a text and the one it was, with most letters escaped
HOSTS = frozenset({"localhost", "p2pvalue"})
# Programs do not send these. A web page cannot keep its browser from sending them.
BROWSER_HEADERS = ("origin", "sec-fetch-site", "sec-fetch-mode")

Q = TypeVar("Q", bound=Question)
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def application(
    node: NodeInterface,
    *,
    stop: Callable[[], None] | None = None,
    lock: Callable[[], None] | None = None,
) -> ASGIApp:
    """The API of one node; `stop` and `lock` are called when a caller asks the daemon to.

    Without them POST /stop and POST /lock do not exist: who embeds a node ends it without asking.
    """
    routes = [
        Route(endpoint.path, _handler(node, endpoint), methods=[endpoint.method])
        for endpoint in ENDPOINTS
    ]
    if stop is not None:
        routes.append(Route("/stop", contained(stopping(stop)), methods=["POST"]))
    if lock is not None:
        routes.append(Route("/lock", contained(_locking(node, lock)), methods=["POST"]))
        routes.append(Route("/unlock", contained(_unlocked), methods=["POST"]))
    return Starlette(routes=routes, exception_handlers={HTTPException: _on_http_error})


def _handler(node: NodeInterface, endpoint: Endpoint[Any] | Stream[Any]) -> Handler:
    asked = endpoint.question

    async def answer(request: Request) -> Response:
        if isinstance(endpoint, Endpoint):
            question = decoded(asked, request, await fields_of(request))
            return answered(200, await endpoint.ask(node, question))
        fields = {} if endpoint.is_fed_by_body else await fields_of(request)
        question = decoded(asked, request, fields)

        async def produce(send_line: SendLine) -> None:
            await endpoint.produce(node, question, send_line, BodyLines(request))

        return LineResponse(produce)

    return contained(answer)


def _locking(node: NodeInterface, lock: Callable[[], None]) -> Handler:
    async def answer(request: Request) -> Response:
        if node.keys.protection != "passphrase":
            raise LocalProtocolError(
                "the keys are under no passphrase, so nothing would open them again: give them one "
                "with `p2pvalue passphrase change`"
            )
        return await stopping(lock)(request)

    return answer


async def _unlocked(request: Request) -> Response:
    decoded(Unlock, request, await fields_of(request))
    return answered(200, Done())


def stopping(stop: Callable[[], None]) -> Handler:
    """Answer first and call `stop` then, so that the caller hears of it."""

    async def answer(request: Request) -> Response:
        await fields_of(request)  # a caller who still sends when all ends would miss the answer

        async def afterwards() -> None:
            stop()

        response = answered(200, Done())
        response.background = BackgroundTask(afterwards)
        return response

    return answer


def contained(handler: Handler) -> Handler:
    """The handler with every failure answered, and web pages refused."""

    async def answer(request: Request) -> Response:
        try:
            _refuse_web_pages(request)
            return await handler(request)
        except Exception as error:  # noqa: BLE001  # no request may end the daemon
            return _failure(error)

    return answer


def _refuse_web_pages(request: Request) -> None:
    """Refuse what a browser sends, even when something carried it to our socket.

    A page that points its own name at this machine (DNS rebinding) is known by the Host it names.
    """
    for name in BROWSER_HEADERS:
        if name in request.headers:
            raise Forbidden(f"web pages may not use this API (the request has the header {name})")
    host = request.headers.get("host", "").partition(":")[0]
    if host not in HOSTS:
        raise Forbidden("this API answers to the host name localhost only")


async def fields_of(request: Request) -> dict[str, object]:
    """The fields in a request's body; raises BadRequest or TooLarge."""
    body = bytearray()
    try:
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise TooLarge(
                        f"the request is longer than {sizes.said(BODY_BYTES_MAX)}: send less at"
                        f" once; a text may have {sizes.said(TEXT_BYTES_MAX)}"
                    )
    except ClientDisconnect:
        raise BadRequest("the body broke off, or is not as its head says: send all of it") from None
    if not body:
        return {}
    try:
        return msgspec.json.decode(bytes(body), type=dict[str, object])
    except UNREADABLE as error:
        raise BadRequest(f"the body must be one JSON object: {error}") from error


def decoded(question: type[Q], request: Request, fields: dict[str, object]) -> Q:
    """The question that path, query and body ask together; raises BadRequest."""
    given: dict[str, object] = dict(fields)
    for name, value in (*request.path_params.items(), *request.query_params.multi_items()):
        if name in given:
            raise BadRequest(f"`{name}` was given twice: name it once, in the path, query or body")
        given[name] = value
    # Not strict: numbers in a query are text.
    try:
        return msgspec.convert(given, question, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(in_words(error)) from None


async def _on_http_error(_: Request, error: Exception) -> Response:
    return _failure(error)


def _failure(error: Exception) -> Response:
    status, failure = failure_of(error)
    return answered(status, failure)


def answered(status: int, value: object) -> Response:
    """An answer with one value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
