"""How the payload of a kind is read and written, and what its texts may hold (spec: encoding).

A kind states its rules once, as a function that names the problem of a payload in words for the
person who can mend it. From a peer, a payload with a problem has no meaning; from a caller, it is
an error.

No rule here asks what a character is by Unicode's tables: they change between versions of Python,
and two nodes would disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import PayloadInvalid, decode_payload, encode
from p2pvalue_protocol.errors import LocalProtocolError

P = TypeVar("P", bound=msgspec.Struct)

Subject = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
SubjectOrNone = Annotated[bytes, msgspec.Meta(max_length=16)]  # 16 bytes, or empty
RootKey = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
U53 = Annotated[int, msgspec.Meta(ge=0, le=limits.SEQ_MAX)]

_SHORT_BYTES = 512
_KNOWN_MAX = 1_024  # of each kind: half a mebibyte

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_LIMIT = re.compile(
    r"Expected `(int|array|str)`(?: of length)? ([<>])= (\d+) - at `\$[^`]*?(\w+)(?:\[[^`]*\])?`"
)


class PayloadForm(Generic[P]):
    """The one reading and writing of a payload type."""

    def __init__(self, payload_type: type[P], problem: Callable[[P], str | None]) -> None:
        self._decoder = msgspec.msgpack.Decoder(payload_type)
        self._problem = problem
        self._last: tuple[bytes, P | None] = (b"", None)
        self._known: dict[bytes, P] = {}  # of the last short ones

    def decode(self, data: bytes) -> P:
        """Return what a peer's payload says, not to be changed; raises PayloadInvalid. About 4 µs.

        The rungs of the ladder ask for the same bytes one after the other, and a subject that
        changes again is folded from all its payloads: short ones are remembered.
        """
        last_data, last = self._last
        if data is last_data and last is not None:
            return last
        known = self._known.get(data)
        if known is not None:
            return known
        payload = decode_payload(self._decoder, data)
        if self._problem(payload) is not None:
            raise PayloadInvalid
        self._last = (data, payload)
        if len(data) <= _SHORT_BYTES:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[data] = payload
        return payload

    def read(self, data: bytes) -> P:
        """Return what a payload says that was found valid before it was shown; ~0.6 µs."""
        return self._decoder.decode(data)

    def encode(self, payload: P) -> bytes:
        """Return the bytes of a caller's payload; LocalProtocolError says what to mend."""
        try:
            data = encode(payload)
            self.read(data)
            self.decode(data)  # as everybody will, ourselves next: so it is remembered
        except (PayloadInvalid, UnicodeEncodeError, msgspec.ValidationError) as error:
            problem = self._problem(payload) or limit_in_words(error)
            problem = problem or f"this cannot be written: {error}; correct the value"
            raise LocalProtocolError(problem) from None
        return data


def _is_plain(text: str) -> bool:
    """Return whether a text is of one line in ASCII, which is told in a fifth of the time."""
    return text.isascii() and text.isprintable()


def line_problem(what: str, text: str, bytes_max: int) -> str | None:
    """Return what is wrong with a text of one line that may not be empty, or None."""
    if not text.strip(" "):
        return f"the {what} is empty: give some text"
    if _CONTROL.search(text):
        return f"the {what} holds a line break or control character: remove it"
    return _size_problem(what, text, bytes_max)


def text_problem(what: str, text: str, bytes_max: int) -> str | None:
    """Return what is wrong with a text of any number of lines, or None."""
    if not _is_plain(text) and _CONTROL_IN_LINES.search(text):
        return f"the {what} holds a control character: only tabs and line feeds may stay"
    return _size_problem(what, text, bytes_max)


def name_problem(what: str, text: str) -> str | None:
    """Return what is wrong with a machine-readable name, or None."""
    if _NAME.fullmatch(text) is None:
        return f"the {what} is no name: use 1 to 32 of a-z, 0-9 and '-'"
    return None


def subject_problem(what: str, subject: bytes | None) -> str | None:
    """Return what is wrong with a subject that may be empty, or None."""
    is_whole = len(subject or b"") in (0, 16)
    return None if is_whole else f"the {what} is no subject of 16 bytes: name it in full"


def order_problem(what: str, named: Sequence[Any] | None) -> str | None:
    """Return what is wrong with a list whose items are to be ascending, each once, or None."""
    is_ascending = all(low < high for low, high in pairwise(named or ()))
    return None if is_ascending else f"the {what} are not ascending: sort them, each once"


def limit_in_words(error: Exception) -> str | None:
    """Return which number, list or text is beyond its limit, by msgspec's words; else None.

    >>> limit_in_words(ValueError("Expected `int` <= 1000 - at `$.lines[0].minimum`"))
    'minimum is at most 1,000: give less'
    """
    found = _LIMIT.fullmatch(str(error))
    if found is None:
        return None
    kind, sign, limit, name = found.groups()
    side, advice = ("least", "more") if sign == ">" else ("most", "less")
    if kind == "int":
        return f"{name} is at {side} {int(limit):,}: give {advice}"
    of_what = "items" if kind == "array" else "letters"
    return f"{name} has at {side} {int(limit):,} {of_what}: give {advice}"


def given_fields(payload: msgspec.Struct, fields: Iterable[str]) -> dict[str, Any]:
    """Return those of some optional fields that a payload gives."""
    found = {field: getattr(payload, field) for field in fields}
    return {field: value for field, value in found.items() if value is not None}


def first_problem(*problems: str | None) -> str | None:
    """Return the first that is a problem."""
    return next((problem for problem in problems if problem is not None), None)


def _size_problem(what: str, text: str, bytes_max: int) -> str | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return f"the {what} holds half a character (a lone surrogate): type it again"
    if size > bytes_max:
        return f"the {what} has {size:,} bytes of at most {bytes_max:,}: shorten it"
    return None
