"""Values inside updates: those that lib0 writes as "any", and JSON.

They are not turned into anything, only walked over: the library reads them, and must neither fail
nor read other than a browser does.
"""

from __future__ import annotations

import math
import re
from typing import Final

from p2pvalue_protocol.documents.numbers import read_number, read_text
from p2pvalue_protocol.documents.verdict import Malformed, UpdateInvalid, VoidReason

NESTING_MAX: Final = 32
_UNDEFINED, _NULL, _TRUE, _FALSE, _INTEGER = 127, 126, 120, 121, 125
_TEXT, _OBJECT, _ARRAY, _BYTES = 119, 118, 117, 116
_FIXED: Final = {_UNDEFINED: 0, _NULL: 0, _TRUE: 0, _FALSE: 0, 124: 4, 123: 8, 122: 8}
_INTEGER_BITS = 53
_OF_MOST_MARKS = ("true", "null", "{}")
_SPACES = (" ", "\t", "\n", "\r")
_IN_STRING = (
    r'[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # both halves of a pair
)
_STRING = re.compile(f'"(?:{_IN_STRING})*+"')
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_SCALAR = re.compile(f"{_STRING.pattern}|true|false|null|(?P<number>{_NUMBER})")


def skip_value(data: bytes, at: int, nesting: int = 1) -> int:
    """Return where a lib0 "any" value ends that is nested so deep; raises UpdateInvalid."""
    kind = data[at]
    at += 1
    if kind in _FIXED:
        at += _FIXED[kind]
    elif kind == _TEXT:
        _, at = read_text(data, at)
    elif kind == _INTEGER:
        at = _skip_integer(data, at)
    elif kind == _BYTES:
        size, at = read_number(data, at)
        at += size
    elif kind in (_OBJECT, _ARRAY):
        at = _skip_container(data, at, nesting, is_object=kind == _OBJECT)
    else:
        raise Malformed
    if at > len(data):
        raise Malformed
    return at


def _skip_container(data: bytes, at: int, nesting: int, *, is_object: bool) -> int:
    if nesting > NESTING_MAX:
        raise UpdateInvalid(VoidReason.TOO_DEEP)
    count, at = read_number(data, at)
    if count > len(data) - at:
        raise Malformed
    for _ in range(count):
        if is_object:
            _, at = read_text(data, at)
        at = skip_value(data, at, nesting + 1)
    return at


def _skip_integer(data: bytes, at: int) -> int:
    """Skip a signed number: six bits and a sign in its first byte, then groups of seven."""
    byte = data[at]
    value, shift, at = byte & 0x3F, 6, at + 1
    is_negative = byte & 0x40
    while byte >= 0x80:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte == 0 or shift > _INTEGER_BITS + 7:
            raise Malformed
    if value >> _INTEGER_BITS or (is_negative and not value):
        raise Malformed
    return at


# --- JSON


def skip_json(data: bytes, at: int) -> int:
    """Return where a text ends that is JSON which all readers read alike; raises UpdateInvalid."""
    text, end = read_text(data, at)
    if text not in _OF_MOST_MARKS and _skip_space(text, _skip_item(text, 0)) != len(text):
        raise Malformed
    return end


def _skip_item(text: str, at: int, nesting: int = 1) -> int:
    """Return where a JSON value ends that is nested so deep."""
    at = _skip_space(text, at)
    scalar = _SCALAR.match(text, at)
    if scalar is not None:
        if scalar["number"] and not math.isfinite(float(scalar["number"])):
            raise Malformed  # one library refuses it, another says that it is infinite
        return scalar.end()
    if text[at : at + 1] not in ("[", "{"):
        raise Malformed
    if nesting > NESTING_MAX:
        raise UpdateInvalid(VoidReason.TOO_DEEP)
    is_object = text[at] == "{"
    close = "}" if is_object else "]"
    at = _skip_space(text, at + 1)
    if text[at : at + 1] == close:
        return at + 1
    while True:
        at = _skip_space(
            text, _skip_item(text, _skip_name(text, at) if is_object else at, nesting + 1)
        )
        follows = text[at : at + 1]
        at += 1
        if follows == close:
            return at
        if follows != ",":
            raise Malformed


def _skip_name(text: str, at: int) -> int:
    """Return where the value of a member begins whose name stands there."""
    name = _STRING.match(text, _skip_space(text, at))
    at = _skip_space(text, name.end()) if name is not None else at
    if name is None or text[at : at + 1] != ":":
        raise Malformed
    return at + 1


def _skip_space(text: str, at: int) -> int:
    while text[at : at + 1] in _SPACES:
        at += 1
    return at
