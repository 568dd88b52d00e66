"""What a document shows as 32 bytes: equal wherever the same is shown (spec: digests).

A rich document is given as plain data: an element is `(name, attributes, children)`, a text a list
of `(value, marks)`, as they stand, whoever wrote them in how many pieces.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from p2pvalue_protocol.ids import tagged_hash

Run = tuple[Any, Mapping[str, Any]]
Node = tuple[str, Mapping[str, Any], Sequence[Any]] | list[Run]  # children are nodes
_encode: Final = msgspec.json.Encoder(order="sorted").encode
_WHOLE_MAX: Final = 2**53
_DEPTH_MAX: Final = 100  # the rules let nothing deeper than 24 types in


def text_digest(text: str) -> bytes:
    """Return what a plain or Markdown document shows in short; ~1 ms per megabyte."""
    return tagged_hash("document-text", text.encode())


def rich_digest(nodes: Sequence[Node]) -> bytes:
    """Return what a rich document shows in short."""
    return tagged_hash("document-nodes", canonical(nodes))


def canonical(nodes: Sequence[Node]) -> bytes:
    """Return the canonical JSON of nodes."""
    plain = [_node(node, _DEPTH_MAX) for node in nodes]
    return _encode(plain)


def _node(node: Node, depth: int) -> Any:
    if isinstance(node, list):
        return {"text": _joined(node)}
    name, attributes, children = node
    return {
        "attributes": _value(attributes),
        "children": [_node(child, depth - 1) for child in children] if depth else [],
        "name": name,
    }


def _joined(runs: Sequence[Run]) -> list[Any]:
    """Return runs without empty ones, neighbours with equal marks as one."""
    joined: list[Any] = []
    for value, marks in runs:
        plain, plain_marks = _value(value), _value(marks)
        before = joined[-1] if joined else [None, None]
        if plain == "":
            continue
        if isinstance(plain, str) and isinstance(before[0], str) and before[1] == plain_marks:
            before[0] += plain
        else:
            joined.append([plain, plain_marks])
    return joined


def _value(value: Any) -> Any:
    """Return a value with each number in one form: as an integer, or as its bytes."""
    if isinstance(value, Mapping):
        return {name: _value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    if isinstance(value, float):
        is_whole = value.is_integer() and abs(value) < _WHOLE_MAX
        return int(value) if is_whole else {"float": struct.pack(">d", value).hex()}
    if isinstance(value, bytes | bytearray):
        return {"bytes": value.hex()}
    return value
