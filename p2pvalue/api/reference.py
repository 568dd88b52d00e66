"""The reference page of the API, written from its table: `python -m p2pvalue.api.reference`."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import msgspec

from p2pvalue import fact_types, need_types, notify_types, past_types, project_types, proof_types
from p2pvalue import types as t
from p2pvalue.api import blob_schema, device_schema, need_schema, schema, streams
from p2pvalue.api.app import BODY_BYTES_MAX
from p2pvalue.api.endpoints import ENDPOINTS, Endpoint, Stream
from p2pvalue.api.failures import INTERNAL, NAMED, NO_ENDPOINT
from p2pvalue.api.lines import LINE_BYTES_MAX

OPENING = f"""\
# API

Written by `python -m p2pvalue.api.reference`; a test compares.

A running node answers HTTP/1.1 on the unix socket `api.sock` in its data folder, to the user who
runs it (and to root) and to nobody else. Requests that a web browser would send are refused.

```
curl --unix-socket ~/.local/share/p2pvalue/api.sock http://localhost/status
```

The fields of a question come from the path, the query and the JSON body, whichever suits; one that
is not listed here is an error. Answers are JSON with the field names below. A request holds at most
{BODY_BYTES_MAX} bytes; a line of a stream at most {LINE_BYTES_MAX}.

Times are milliseconds since 1970 (UTC), ids are lower-case hex. Where a community, document, need
or pledge is named, its full id, a unique beginning of at least 4 digits, or its exact name or title
will do. Without `community`, the only one is meant.

An error is `{{"error": "not-found", "message": "what happened, and what to do next"}}`:

| status | error |
|---|---|
"""


def reference() -> str:
    """The page as Markdown."""
    named = sorted({(status, name) for _, status, name in NAMED} | {(404, NO_ENDPOINT)})
    rows = [f"| {status} | `{name}` |" for status, name in [*named, (500, INTERNAL)]]
    parts = [OPENING + "\n".join(rows) + "\n"]
    parts += ["## Questions\n", *(_endpoint(endpoint) for endpoint in ENDPOINTS), DAEMON]
    parts += ["## Values\n", *(_value(value) for value in _values())]
    return "\n".join(parts)


DAEMON = """\
### POST /stop

End the daemon after this answer.

Answer: [Done](#done).

### POST /lock

Stop the node after this answer, and start again without the keys; only for keys under a passphrase.

Answer: [Done](#done).

### POST /unlock

Open the keys of a locked daemon, and answer when its node does. Until then it answers GET /status,
POST /stop and this; to all else it says `locked`.

- `passphrase`: text

Answer: [Done](#done).
"""


def _endpoint(endpoint: Endpoint[Any] | Stream[Any]) -> str:
    path = endpoint.path.replace(":path", "")
    function = endpoint.ask if isinstance(endpoint, Endpoint) else endpoint.produce
    fields = msgspec.structs.fields(endpoint.question)
    lines = [f"### {endpoint.method} {path}\n", inspect.getdoc(function) or "", ""]
    lines += [f"- {_field(field)}" for field in fields]
    if fields:
        lines.append("")
    if isinstance(endpoint, Stream):
        kinds = " or ".join(_linked(kind) for kind in endpoint.lines)
        lines.append(f"Answer, line by line: {kinds}; an error is the last line.")
    else:
        answer = typing.get_type_hints(endpoint.ask)["return"]
        lines.append(f"Answer: {_type(answer)}.")
    return "\n".join(lines) + "\n"


def _value(value: type[msgspec.Struct]) -> str:
    lines = [f"### {value.__name__}\n"]
    if value.__doc__ and value.__doc__ != t.Value.__doc__:
        lines += [inspect.cleandoc(value.__doc__), ""]
    lines += [f"- {_field(field)}" for field in msgspec.structs.fields(value)]
    return "\n".join(lines) + "\n"


def _values() -> list[type[msgspec.Struct]]:
    """Every value that occurs in a question or an answer, by name."""
    modules = (t, fact_types, need_types, notify_types, past_types, project_types, proof_types)
    answers = {getattr(m, name) for m in modules for name in dir(m) if name.endswith("View")}
    ours = [need_schema.AddLine, schema.Digest, schema.Done, schema.Opened, schema.Spliced]
    ours += [schema.Words, schema.WordsCheck, device_schema.CommunityLink]
    ends = [schema.Progress, schema.Finished, streams.Heartbeat, blob_schema.Shared]
    return sorted([*answers, *ours, *ends], key=lambda value: str(value.__name__))


def _field(field: msgspec.structs.FieldInfo) -> str:
    text = f"`{field.name}`: {_type(field.type)}"
    if field.required:
        return text
    default = field.default
    if default is msgspec.NODEFAULT:
        return f"{text}, may be left out"
    return f"{text}, else `{msgspec.json.encode(default).decode()}`"


def _type(kind: Any) -> str:
    """A type as a reader of JSON says it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _type(arguments[0]) + _bounds(arguments[1])
    if origin is typing.Literal:
        return " | ".join(f'`"{word}"`' for word in arguments)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"object of {_type(arguments[1])}"
    if arguments:
        return " or ".join(_type(argument) for argument in arguments)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _linked(kind)
    names = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return names.get(kind, "null")


def _bounds(meta: Any) -> str:
    low = meta.ge if meta.ge is not None else meta.min_length
    high = meta.le if meta.le is not None else meta.max_length
    if meta.lt is not None:
        high = meta.lt - 1
    if low is not None and high is not None:
        return f" ({low} to {high})"
    return f" ({low} or more)"


def _linked(kind: type[msgspec.Struct]) -> str:
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


if __name__ == "__main__":
    print(reference(), end="")
