"""Questions to the daemon: HTTP over the unix socket in its data folder."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click

from p2pvalue.config import socket_path
from p2pvalue_cli.command import data_dir, run_hint
from p2pvalue_cli.failures import Failed, failed
from p2pvalue_cli.waiting import told_if_long

ANSWER_S_MAX = 60
"""The daemon answers at once or, on a stream, at least with a heartbeat every 15 s."""
SAVED_S_MAX = 600
"""To save a text of 4 MiB with changes everywhere takes a small machine minutes."""

Answer = dict[str, Any]
Fields = Mapping[str, object]


def get(path: str, **query: object) -> Any:
    """The answer to a question; fields that are None are left out."""
    return _ask("GET", path + _query(query), None)


def post(path: str, **fields: object) -> Any:
    """The answer to a wish that adds something."""
    return _ask("POST", path, fields)


def put(path: str, **fields: object) -> Any:
    """The answer to a wish that changes something."""
    return _ask("PUT", path, fields)


def get_lines(path: str, **query: object) -> Iterator[Answer]:
    """The lines of a stream as they come; raises Failed when a line says so."""
    return _lines("GET", path + _query(query), None)


def post_lines(path: str, **fields: object) -> Iterator[Answer]:
    """The lines of a long task as they come; raises Failed when a line says so."""
    return _lines("POST", path, fields)


def quoted(reference: str) -> str:
    """A name or title as a part of a path; raises UsageError if it is empty."""
    if not reference.strip():
        raise click.UsageError("the name is empty: give a name, a title or the beginning of an id")
    return quote(reference, safe="")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, wait_s: float) -> None:
        super().__init__("localhost", timeout=wait_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _query(fields: Fields) -> str:
    given = {name: value for name, value in fields.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _ask(method: str, target: str, fields: Fields | None) -> Any:
    with told_if_long():
        response = _send(method, target, fields)
        try:
            with response:
                answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _interrupted(method, error) from error
    if response.status >= 400:
        raise _refused(answer)
    return answer


def _lines(method: str, target: str, fields: Fields | None) -> Iterator[Answer]:
    with _send(method, target, fields) as response:
        while True:
            try:
                line = response.readline()
                if not line:
                    return
                answer = json.loads(line)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _interrupted(method, error) from error
            if "error" in answer:
                raise _refused(answer)
            yield answer


def _send(method: str, target: str, fields: Fields | None) -> http.client.HTTPResponse:
    folder = data_dir()
    wait_s = ANSWER_S_MAX if method == "GET" else SAVED_S_MAX
    connection = _UnixConnection(socket_path(folder), wait_s)
    try:
        connection.connect()
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        connection.close()
        advice = f"no daemon is running on {folder}; start it with: {run_hint('run')}"
        raise failed("no-daemon", advice) from error
    except PermissionError as error:
        connection.close()
        advice = f"{folder} belongs to another user; name your own with --data-dir"
        raise failed("forbidden", advice) from error
    # One request a call: the connection closes with its answer.
    heads = {"Content-Type": "application/json", "Connection": "close"}
    given = {name: value for name, value in (fields or {}).items() if value is not None}
    body = None if fields is None else _as_json(given)
    try:
        # Who refuses a long request answers before all of it is sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, target, body, heads)
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise _interrupted(method, error) from error


def _as_json(given: Answer) -> bytes:
    try:
        return json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # the name of a file that is not UTF-8
        return json.dumps(given).encode()


def _interrupted(method: str, error: Exception) -> Failed:
    is_late = isinstance(error, TimeoutError)
    happened = "has not answered in time" if is_late else "stopped before it had answered"
    advice = "ask again" if method == "GET" else "look whether it was saved before you try again"
    return failed("interrupted", f"the daemon {happened}; {advice}")


def _refused(answer: Answer) -> Failed:
    return failed(str(answer.get("error", "failed")), str(answer.get("message", answer)))
