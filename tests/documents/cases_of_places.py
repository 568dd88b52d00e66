"""Histories by hand about what an update may name, and where it may write."""

from __future__ import annotations

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.rules import TYPE_DEPTH_MAX
from p2pvalue_protocol.documents.verdict import VoidReason as Reason
from tests.documents.by_hand import (
    ANA,
    APPLIES,
    EVA,
    KIM,
    Scene,
    string,
    struct,
    text_bytes,
    type_of,
    update,
)
from tests.documents.cases import WORD, A, Case, E, K, after, one

XML = "prosemirror"


def _unseen(scene: Scene) -> str:
    scene.give(ANA, WORD)
    return scene.give(EVA, update(E, 0, string("d", origin=(A, 2))), heads=())


def _deletes_unseen(scene: Scene) -> str:
    scene.give(ANA, WORD)
    return scene.give(EVA, update(-1, -1, deletes=((A, 0, 3),)), heads=())


def _deletes_more_than_seen(scene: Scene) -> str:
    scene.give(ANA, WORD)
    scene.give(ANA, update(A, 3, string("d", origin=(A, 2))))
    return scene.give(EVA, update(-1, -1, deletes=((A, 0, 4),)), heads=(0,))


def _seen_by_another(scene: Scene) -> str:
    scene.give(ANA, WORD)
    scene.give(EVA, b"\x00\x00", heads=(0,))
    return scene.give(KIM, update(K, 0, string("d", origin=(A, 2))), heads=(1,))


PAST = (
    after(
        "after-anothers",
        "a word after another's",
        APPLIES,
        WORD,
        update(E, 0, string("d", origin=(A, 2))),
    ),
    Case("origin-unseen", "an origin that no head holds", Reason.UNSEEN, _unseen),
    Case("origin-through-another", "an origin that a head's past holds", APPLIES, _seen_by_another),
    after(
        "origin-unwritten",
        "an origin that nobody has written",
        Reason.UNSEEN,
        WORD,
        update(E, 0, string("d", origin=(A, 3))),
    ),
    one(
        "origin-itself",
        "its own first unit as origin",
        Reason.UNSEEN,
        update(A, 0, string("x", origin=(A, 0))),
    ),
    one(
        "right-own-future",
        "its own next struct as right origin",
        Reason.UNSEEN,
        update(A, 0, string("x", right=(A, 1)), string("y")),
    ),
    one(
        "parent-own-future",
        "a type that it makes later as parent",
        Reason.UNSEEN,
        update(
            A,
            0,
            struct(form.ANY, parent=(A, 1), body=b"\x01\x78"),
            type_of(form.ARRAY, parent="meta", key="k"),
        ),
    ),
    after(
        "deletes-anothers",
        "another's word deleted",
        APPLIES,
        WORD,
        update(-1, -1, deletes=((A, 1, 2),)),
    ),
    Case(
        "deletes-unseen",
        "a word deleted that no head holds",
        Reason.DELETES_UNSEEN,
        _deletes_unseen,
    ),
    Case(
        "deletes-later",
        "a word deleted before it is written",
        Reason.DELETES_UNSEEN,
        _deletes_more_than_seen,
    ),
    one(
        "deletes-own",
        "its own word deleted at once",
        APPLIES,
        update(A, 0, string("abc"), deletes=((A, 0, 3),)),
    ),
    one(
        "deletes-own-future",
        "its own clocks deleted before they are written",
        Reason.DELETES_UNSEEN,
        update(A, 0, string("abc"), deletes=((A, 0, 4),)),
    ),
    one(
        "deletes-nobodys",
        "a client's clocks that nobody has",
        Reason.DELETES_UNSEEN,
        update(-1, -1, deletes=((7, 0, 1),)),
    ),
)


def nested(depth: int) -> bytes:
    """Return an update with XML elements in each other."""
    first = type_of(form.XML_ELEMENT, parent=XML)
    inner = (type_of(form.XML_ELEMENT, parent=(A, at)) for at in range(depth - 1))
    return update(A, 0, first, *inner)


def _in_meta(type_ref: int, inner: form.Struct) -> bytes:
    return update(A, 0, type_of(type_ref, parent="meta", key="k"), inner)


ANY_ONE = b"\x01\x78"
PARAGRAPH = type_of(form.XML_ELEMENT, parent=XML)
MARK = text_bytes("em") + text_bytes("{}")
XML_WORDS = update(
    A, 0, PARAGRAPH, type_of(form.XML_TEXT, parent=(A, 0)), string("ab", parent=(A, 1))
)

PARENTS = (
    one(
        "root-unknown",
        "a root that the shape has not",
        Reason.PARENT_INVALID,
        update(A, 0, string("x", parent="test")),
    ),
    one(
        "root-of-another-shape",
        "the root of rich text",
        Reason.PARENT_INVALID,
        update(A, 0, type_of(form.XML_ELEMENT, parent=XML)),
    ),
    after(
        "parent-a-letter",
        "a parent that is a letter",
        Reason.PARENT_INVALID,
        WORD,
        update(E, 0, string("x", parent=(A, 0))),
    ),
    one(
        "in-an-array",
        "values in an array",
        APPLIES,
        _in_meta(form.ARRAY, struct(form.ANY, 2, parent=(A, 0), body=b"\x02\x78\x79")),
    ),
    one(
        "text-in-an-array",
        "seventeen bytes that hang",
        Reason.CONTENT_MISPLACED,
        _in_meta(form.ARRAY, string("😀x", parent=(A, 0))),
    ),
    one(
        "in-a-map-without-a-key",
        "an entry of a map without a key",
        Reason.CONTENT_MISPLACED,
        update(A, 0, struct(form.ANY, parent="meta", body=ANY_ONE)),
    ),
    one(
        "text-in-a-map",
        "a text as an entry of a map",
        Reason.CONTENT_MISPLACED,
        update(A, 0, string("x", parent="meta", key="k")),
    ),
    one(
        "key-in-a-text",
        "an entry with a key in a text",
        Reason.CONTENT_MISPLACED,
        update(A, 0, struct(form.ANY, key="k", body=ANY_ONE)),
    ),
    one(
        "mark-in-plain-text",
        "a mark in plain text",
        Reason.CONTENT_MISPLACED,
        update(A, 0, struct(form.FORMAT, body=MARK)),
    ),
    one(
        "embed-in-plain-text",
        "an embed in plain text",
        Reason.CONTENT_MISPLACED,
        update(A, 0, struct(form.EMBED, body=text_bytes("{}"))),
    ),
    one(
        "type-in-plain-text",
        "a type in plain text",
        Reason.CONTENT_MISPLACED,
        update(A, 0, type_of(form.MAP)),
    ),
    one("markdown", "a word in Markdown", APPLIES, WORD, "markdown"),
    one("rich", "a paragraph with a word", APPLIES, XML_WORDS, "rich"),
    one(
        "rich-marked",
        "a mark, a word and an attribute",
        APPLIES,
        update(
            A,
            0,
            PARAGRAPH,
            type_of(form.XML_TEXT, parent=(A, 0)),
            struct(form.FORMAT, parent=(A, 1), body=MARK),
            string("a", origin=(A, 2)),
            struct(form.ANY, parent=(A, 0), key="level", body=ANY_ONE),
        ),
        "rich",
    ),
    one(
        "map-in-xml",
        "a map among XML elements",
        Reason.CONTENT_MISPLACED,
        update(A, 0, type_of(form.MAP, parent=XML)),
        "rich",
    ),
    one(
        "text-in-an-element",
        "a text that is in no XML text",
        Reason.CONTENT_MISPLACED,
        update(A, 0, PARAGRAPH, string("x", parent=(A, 0))),
        "rich",
    ),
    one(
        "attribute-of-a-fragment",
        "an attribute of what has none",
        Reason.CONTENT_MISPLACED,
        update(A, 0, struct(form.ANY, parent=XML, key="k", body=ANY_ONE)),
        "rich",
    ),
    one("types-deep", "24 elements in each other", APPLIES, nested(TYPE_DEPTH_MAX), "rich"),
    one(
        "types-too-deep",
        "25 elements in each other",
        Reason.TOO_DEEP,
        nested(TYPE_DEPTH_MAX + 1),
        "rich",
    ),
)
