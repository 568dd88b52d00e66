"""The API as an ASGI application: every request is judged, decoded, asked and answered here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import msgspec
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from p2pvalue.api.endpoints import ENDPOINTS, Endpoint, Stream
from p2pvalue.api.failures import BadRequest, Forbidden, TooLarge, failure_of
from p2pvalue.api.lines import UNREADABLE, BodyLines, LineResponse, SendLine
from p2pvalue.api.schema import Done, Question
from p2pvalue.node.interface import NodeInterface

BODY_BYTES_MAX = 1024 * 1024
HOSTS = frozenset({"localhost", "p2pvalue"})
# Programs do not send these. A web page cannot keep its browser from sending them.
BROWSER_HEADERS = ("origin", "sec-fetch-site", "sec-fetch-mode")

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def application(node: NodeInterface, *, stop: Callable[[], None] | None = None) -> ASGIApp:
    """The API of one node; `stop` is called when a caller asks the daemon to end.

    Without `stop` the endpoint POST /stop does not exist: a program that embeds a node ends itself.
    """
    routes = [
        Route(endpoint.path, _handler(node, endpoint), methods=[endpoint.method])
        for endpoint in ENDPOINTS
    ]
    if stop is not None:
        routes.append(Route("/stop", _contained(_stopping(stop)), methods=["POST"]))
    return Starlette(routes=routes, exception_handlers={HTTPException: _on_http_error})


def _handler(node: NodeInterface, endpoint: Endpoint[Any] | Stream[Any]) -> Handler:
    async def answer(request: Request) -> Response:
        if isinstance(endpoint, Endpoint):
            question = _decoded(endpoint.question, request, await _body_fields(request))
            return _json(200, await endpoint.ask(node, question))
        fields = {} if endpoint.is_fed_by_body else await _body_fields(request)
        question = _decoded(endpoint.question, request, fields)

        async def produce(send_line: SendLine) -> None:
            await endpoint.produce(node, question, send_line, BodyLines(request))

        return LineResponse(produce)

    return _contained(answer)


def _stopping(stop: Callable[[], None]) -> Handler:
    async def answer(_: Request) -> Response:
        async def afterwards() -> None:
            stop()

        response = _json(200, Done())
        response.background = BackgroundTask(afterwards)
        return response

    return answer


def _contained(handler: Handler) -> Handler:
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


async def _body_fields(request: Request) -> dict[str, object]:
    body = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                raise TooLarge(f"the request is longer than {BODY_BYTES_MAX} bytes: send less")
    if not body:
        return {}
    try:
        return msgspec.json.decode(bytes(body), type=dict[str, object])
    except UNREADABLE as error:
        raise BadRequest(f"the body must be one JSON object: {error}") from error


def _decoded(question: type[Question], request: Request, fields: dict[str, object]) -> Question:
    given: dict[str, object] = dict(fields)
    for name, value in (*request.path_params.items(), *request.query_params.multi_items()):
        if name in given:
            raise BadRequest(f"`{name}` was given twice: name it once, in the path, query or body")
        given[name] = value
    # Not strict: numbers in a query are text.
    return msgspec.convert(given, question, strict=False)


async def _on_http_error(_: Request, error: Exception) -> Response:
    return _failure(error)


def _failure(error: Exception) -> Response:
    status, failure = failure_of(error)
    return _json(status, failure)


def _json(status: int, value: object) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
