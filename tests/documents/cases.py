"""Histories by hand, one or more for each rule: those that keep it, and those that break it.

A case ends with the update that it is about. `ends` is "applies", "waits" or the reason for which
that update is void.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.numbers import write_number
from p2pvalue_protocol.documents.verdict import VoidReason as Reason
from tests.documents.by_hand import (
    ANA,
    APPLIES,
    EVA,
    KIM,
    Scene,
    client,
    string,
    struct,
    text_bytes,
    type_of,
    update,
)

A, E, K = client(ANA), client(EVA), client(KIM)


class Case(NamedTuple):
    """A named history of a document of a shape."""

    name: str
    comment: str
    ends: str
    play: Callable[[Scene], str]
    shape: str = "plain"


def one(name: str, comment: str, ends: str, data: bytes, shape: str = "plain") -> Case:
    """Return a case of one update by Ana."""
    return Case(name, comment, ends, lambda scene: scene.give(ANA, data), shape)


def after(
    name: str, comment: str, ends: str, first: bytes, second: bytes, shape: str = "plain"
) -> Case:
    """Return a case of an update by Ana, and one by Eva who has seen it."""

    def play(scene: Scene) -> str:
        assert scene.give(ANA, first) == APPLIES
        return scene.give(EVA, second)

    return Case(name, comment, ends, play, shape)


def raw(*parts: bytes | int) -> bytes:
    """Return bytes with numbers among them in their shortest form."""
    return b"".join(write_number(part) if isinstance(part, int) else part for part in parts)


ROOT = b"\x01" + text_bytes("content")
WORD = update(A, 0, string("abc"))
HEAD = raw(1, 1, A, 0)
LIST = type_of(form.ARRAY, parent="meta", key="list")


def in_list(*structs: form.Struct) -> bytes:
    """Return an update that begins with an array, whose place is (A, 0)."""
    return update(A, 0, LIST, *structs)


FORM = (
    one("word", "one word", APPLIES, WORD),
    one("nothing", "no structs and no deletions", APPLIES, b"\x00\x00"),
    one("empty", "no bytes", Reason.MALFORMED, b""),
    one("cut-short", "fewer bytes than it says", Reason.MALFORMED, WORD[:-3]),
    one("goes-on", "a byte after its end", Reason.MALFORMED, WORD + b"\x00"),
    one("empty-section", "five bytes that panic", Reason.MALFORMED, bytes.fromhex("0100010100")),
    one("section-of-none", "a section of no struct", Reason.MALFORMED, raw(1, 0, A, 0, 0)),
    one("empty-string", "a text of no length", Reason.MALFORMED, raw(HEAD, b"\x04", ROOT, 0, 0)),
    one("empty-deleted", "a block of no length", Reason.MALFORMED, raw(HEAD, b"\x01", ROOT, 0, 0)),
    one(
        "empty-collected",
        "a collected block of no length",
        Reason.MALFORMED,
        raw(HEAD, b"\x00", 0, 0),
    ),
    one(
        "collected-with-flags",
        "a collected block that names sides",
        Reason.MALFORMED,
        raw(HEAD, b"\x80", 5, 0),
    ),
    one(
        "no-utf8",
        "a text that is no UTF-8",
        Reason.MALFORMED,
        raw(HEAD, b"\x04", ROOT, 1, b"\xff", 0),
    ),
    one(
        "half-a-pair",
        "a text with half a surrogate pair",
        Reason.MALFORMED,
        raw(HEAD, b"\x04", ROOT, 3, b"\xed\xa0\xbd", 0),
    ),
    one(
        "long-number",
        "a number in a longer form",
        Reason.MALFORMED,
        raw(1, b"\x81\x00", A, 0, b"\x04", ROOT, text_bytes("a"), 0),
    ),
    one("endless-number", "a number of twenty bytes", Reason.MALFORMED, b"\x01" + b"\xff" * 20),
    one(
        "client-54-bits",
        "a client id that one library masks",
        Reason.MALFORMED,
        raw(1, 1, b"\x81\x80\x80\x80\x80\x80\x80\x10", 0, b"\x04", ROOT, text_bytes("a"), 0),
    ),
    one(
        "parent-flag",
        "a parent that is neither a root nor a unit",
        Reason.MALFORMED,
        raw(HEAD, b"\x04\x02", text_bytes("content"), text_bytes("a"), 0),
    ),
    one("deletes-no-range", "a client with no range", Reason.MALFORMED, raw(0, 1, A, 0)),
    one("deletes-nothing", "a range of no length", Reason.MALFORMED, raw(0, 1, A, 1, 0, 0)),
    one(
        "deletes-client-twice",
        "one client's deletions twice",
        Reason.MALFORMED,
        raw(HEAD, b"\x04", ROOT, text_bytes("abc"), 2, A, 1, 0, 1, A, 1, 2, 1),
    ),
    one(
        "deletes-overlapping",
        "ranges that overlap",
        Reason.MALFORMED,
        raw(HEAD, b"\x04", ROOT, text_bytes("abc"), 1, A, 2, 0, 2, 1, 2),
    ),
    one(
        "deletes-twice-apart",
        "ranges side by side",
        APPLIES,
        raw(HEAD, b"\x04", ROOT, text_bytes("abc"), 1, A, 2, 0, 1, 2, 1),
    ),
    one("string-full", "16,384 units in one block", APPLIES, update(A, 0, string("x" * 16_384))),
    one(
        "string-long",
        "16,385 units in one block",
        Reason.TOO_LARGE,
        update(A, 0, string("x" * 16_385)),
    ),
    one("structs-full", "4,096 structs", APPLIES, raw(1, 4_096, A, 0, b"\x00\x01" * 4_096, 0)),
    one(
        "structs-many",
        "4,097 structs",
        Reason.TOO_LARGE,
        raw(1, 4_097, A, 0, b"\x00\x01" * 4_097, 0),
    ),
    one("ranges-many", "4,097 ranges", Reason.TOO_LARGE, raw(0, 1, A, 4_097)),
    one("written-full", "65,536 clocks", APPLIES, raw(HEAD, b"\x00", 65_536, 0)),
    one("written-much", "65,537 clocks", Reason.TOO_LARGE, raw(HEAD, b"\x00", 65_537, 0)),
    one(
        "clock-over",
        "clocks of 32 bits",
        Reason.TOO_LARGE,
        raw(1, 1, A, 2**31 - 1, b"\x04", ROOT, text_bytes("a"), 0),
    ),
    one(
        "deletes-over",
        "a deletion of clocks of 32 bits",
        Reason.TOO_LARGE,
        raw(0, 1, A, 1, 2**31 - 1, 1),
    ),
    one(
        "skip",
        "a skip before the first block",
        Reason.CONTENT_REFUSED,
        raw(1, 1, A, 0, b"\x0a", 5, 0),
    ),
    one(
        "json-content",
        "content that nobody writes any more",
        Reason.CONTENT_REFUSED,
        raw(HEAD, b"\x02", ROOT, 1, text_bytes("1"), 0),
    ),
    one(
        "sub-document",
        "a document in a document",
        Reason.CONTENT_REFUSED,
        raw(HEAD, b"\x09", ROOT, text_bytes("x"), b"\x76\x00", 0),
    ),
    one("move", "a move", Reason.CONTENT_REFUSED, raw(HEAD, b"\x0b", ROOT, 0, 0)),
    one(
        "weak-link",
        "a type that links",
        Reason.CONTENT_REFUSED,
        raw(HEAD, b"\x07", b"\x01", text_bytes("meta"), 7, 0),
    ),
    one(
        "xml-hook",
        "a type that no editor makes",
        Reason.CONTENT_REFUSED,
        raw(HEAD, b"\x07", b"\x01", text_bytes("meta"), 5, text_bytes("h"), 0),
    ),
)


def any_of(value: bytes) -> bytes:
    """Return an update that sets a value of a map."""
    return update(A, 0, struct(form.ANY, parent="meta", key="k", body=b"\x01" + value))


def embed(text: str) -> bytes:
    """Return an update that embeds JSON in a text."""
    text_type = type_of(form.TEXT, parent="meta", key="k")
    return update(A, 0, text_type, struct(form.EMBED, parent=(A, 0), body=text_bytes(text)))


VALUES = (
    one(
        "values",
        "every kind of value",
        APPLIES,
        any_of(
            b"\x75\x0b"
            b"\x7f\x7e\x7d\x05\x7c\0\0\0\0\x7b"
            + bytes(8)
            + b"\x7a"
            + bytes(8)
            + b"\x79\x78\x77\x01a\x76\x01\x01b\x7d\xc1\x01\x74\x02\x00\xff"
        ),
    ),
    one("value-unknown", "a kind of value that there is not", Reason.MALFORMED, any_of(b"\x73")),
    one(
        "value-long-integer",
        "an integer in a longer form",
        Reason.MALFORMED,
        any_of(b"\x7d\x81\x00"),
    ),
    one("value-minus-zero", "an integer below no other", Reason.MALFORMED, any_of(b"\x7d\x40")),
    one(
        "value-54-bits",
        "an integer beyond what is exact",
        Reason.MALFORMED,
        any_of(b"\x7d\x80" + b"\x80" * 6 + b"\x40"),
    ),
    one(
        "value-huge-count",
        "a list of more than there is",
        Reason.MALFORMED,
        any_of(b"\x75\xff\xff\xff\xff\x0f"),
    ),
    one("value-deep", "32 lists in each other", APPLIES, any_of(b"\x75\x01" * 31 + b"\x75\x00")),
    one(
        "value-too-deep",
        "33 lists in each other",
        Reason.TOO_DEEP,
        any_of(b"\x75\x01" * 32 + b"\x75\x00"),
    ),
    one(
        "value-bomb",
        "20,000 lists in each other",
        Reason.TOO_DEEP,
        any_of(b"\x75\x01" * 20_000 + b"\x7e"),
    ),
    one(
        "json",
        "JSON in a text",
        APPLIES,
        embed(' {"a" : [1, -2.5e3, "\\ud83d\\ude00\\u00e9\\n", true], "b": []} '),
    ),
    one("json-open", "JSON that does not end", Reason.MALFORMED, embed('{"a": ')),
    one("json-nan", "JSON that is none", Reason.MALFORMED, embed("NaN")),
    one("json-infinite", "a number that one reader refuses", Reason.MALFORMED, embed("1e999")),
    one("json-half-a-pair", "half a surrogate pair, escaped", Reason.MALFORMED, embed('"\\ud83d"')),
    one("json-deep", "32 lists in each other", APPLIES, embed("[" * 32 + "]" * 32)),
    one("json-too-deep", "33 lists in each other", Reason.TOO_DEEP, embed("[" * 33 + "]" * 33)),
)

_NO_JSON = (
    *("", "[1", "[1,]", "{1: 2}", '{"a"}', '{"a": 1,}', "01", "1.", "tru", '"a', '"\\x"'),
    *('"\\udc00"', '"\t"', "1 2", "[1 2]", "'a'", "\ufeff1", "+1"),
)
NO_JSON = tuple(
    one(f"no-json-{number}", f"no JSON: {text!r}", Reason.MALFORMED, embed(text))
    for number, text in enumerate(_NO_JSON)
)


def _both_sessions(scene: Scene) -> str:
    scene.give(ANA, WORD)
    return scene.give(ANA, update(client(ANA, 1), 0, string("d", origin=(A, 2))), session=1)


def _next(second: bytes) -> Callable[[Scene], str]:
    def play(scene: Scene) -> str:
        scene.give(ANA, WORD)
        return scene.give(ANA, second)

    return play


SESSIONS = (
    after(
        "others-clock",
        "another's next clock",
        Reason.CLIENT_FOREIGN,
        WORD,
        update(A, 3, string("x", origin=(A, 2))),
    ),
    one(
        "two-sections",
        "two clients in one update",
        Reason.CLIENT_FOREIGN,
        raw(2, 1, A, 0, b"\x04", ROOT, text_bytes("a"), 1, E, 0, b"\x04", ROOT, text_bytes("a"), 0),
    ),
    Case("own-session", "a second session of a device", APPLIES, _both_sessions),
    Case("next", "the next clock", APPLIES, _next(update(A, 3, string("d", origin=(A, 2))))),
    Case(
        "clock-again",
        "a clock that was written already, at another length",
        Reason.OUT_OF_TURN,
        _next(update(A, 0, string("hello"))),
    ),
    Case(
        "gap",
        "a clock that leaves a gap",
        Reason.OUT_OF_TURN,
        _next(update(A, 9, string("d", origin=(A, 2)))),
    ),
    one(
        "gap-at-first", "a first clock of 1,000", Reason.OUT_OF_TURN, update(A, 1_000, string("x"))
    ),
)
