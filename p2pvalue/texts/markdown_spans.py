"""What stands in a line of Markdown: words with marks, breaks, images, and what it cannot say.

A line end in a paragraph is a space, or nothing between two characters of scripts that have no
spaces. Some tags of HTML are read as what they are, because no other form says a bold part of a
word in all places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard
from unicodedata import east_asian_width

from markdown_it.token import Token

from p2pvalue.texts import schema
from p2pvalue.texts.blocks import (
    FINGERPRINT_DIGITS,
    Element,
    Node,
    Run,
    Words,
    text_of,
    words,
)
from p2pvalue.texts.kept_nodes import SHOWN
from p2pvalue_protocol.errors import LocalProtocolError

KEPT: Final = "\ud800"  # half a character: no document can hold it
"""The name of an element that stands for one which Markdown cannot say."""
KEPT_SIGN: Final = "p2pvalue"
"""Is in all that stands for such an element."""
ATTRIBUTE_MAX: Final = 8_192  # code points; an attribute is in one update

BREAK_TAG: Final = "<br>"
TAGS: Final = {schema.BOLD: "strong", schema.ITALIC: "em", schema.STRIKE: "s"}
_OPENED_BY: Final = {
    "strong_open": schema.BOLD,
    "em_open": schema.ITALIC,
    "s_open": schema.STRIKE,
    "link_open": schema.LINK,
} | {f"<{tag}>": mark for mark, tag in TAGS.items()}
_CLOSED_BY: Final = {
    "strong_close": schema.BOLD,
    "em_close": schema.ITALIC,
    "s_close": schema.STRIKE,
    "link_close": schema.LINK,
} | {f"</{tag}>": mark for mark, tag in TAGS.items()}
_NAME = f"[0-9a-f]{{{FINGERPRINT_DIGITS}}}"
_COMMENT = re.compile(rf"<!-- {KEPT_SIGN} ({_NAME}) [^\n]*-->")
_TAG = re.compile(rf'<{KEPT_SIGN} id="({_NAME})" [^\n<>]*/>')


def comment_for(node: Node) -> str:
    """Return what stands for a block; it shows the beginning of its words."""
    if _is_kept(node):
        return str(node.attributes["source"])
    return f"<!-- {KEPT_SIGN} {SHOWN.keep(node)} {_shown(node)} -->"


def tag_for(node: Node) -> str:
    """Return what stands for an element between words."""
    if _is_kept(node):
        return str(node.attributes["source"])
    return f'<{KEPT_SIGN} id="{SHOWN.keep(node)}" is="{_shown(node)}"/>'


def _is_kept(node: Node) -> TypeGuard[Element]:
    return isinstance(node, Element) and node.name == KEPT


def _shown(node: Node) -> str:
    name = "" if isinstance(node, Words) else "".join(re.findall(r"\w+", node.name))
    shown = " ".join(re.findall(r"\w+", text_of(node)[:80]))[:40].strip()
    return f"{name or 'text'}{shown and ': '}{shown}"


def kept_block(source: str) -> Element | None:
    """Return what HTML stands for, if `comment_for` or, alone in its line, `tag_for` wrote it."""
    found = _COMMENT.fullmatch(source)
    if found is not None:
        return _kept(found)
    alone = kept_between_words(source)
    return None if alone is None else Element(schema.PARAGRAPH, {}, (alone,))


def kept_between_words(source: str) -> Element | None:
    """Return what HTML stands for, if `tag_for` wrote it."""
    found = _TAG.fullmatch(source)
    return None if found is None else _kept(found)


def _kept(found: re.Match[str]) -> Element:
    return Element(KEPT, {"fingerprint": found[1], "source": found[0]}, ())


def said_attributes(named: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the attributes that are there; raises LocalProtocolError if one is too long."""
    for name, value in named.items():
        if value and len(value) > ATTRIBUTE_MAX:
            raise LocalProtocolError(
                f"the text has a {name} of {len(value)} characters, and {ATTRIBUTE_MAX} are the"
                " most: keep an image as a file, and name it"
            )
    return {name: value for name, value in named.items() if value}


def read_spans(tokens: Sequence[Token]) -> tuple[Node, ...]:
    """Return what the parser found in one line or paragraph."""
    reader = _Spans()
    for token in tokens:
        reader.take(token)
    return reader.nodes()


class _Spans:
    """Words and elements as they come, and the marks that are open."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._runs: list[Run] = []
        self._open: list[tuple[str, dict[str, Any]]] = []
        self._is_line_end = False

    def take(self, token: Token) -> None:
        name = token.content if token.type == "html_inline" else token.type
        if name in _OPENED_BY:
            self._open.append((_OPENED_BY[name], _link(token) if name == "link_open" else {}))
        elif name in _CLOSED_BY:
            self._close(_CLOSED_BY[name])
        elif name == "softbreak":
            self._is_line_end = True
        elif name in ("hardbreak", BREAK_TAG):
            self._element(Element(schema.HARD_BREAK, {}, ()))
        elif name == "image":
            self._element(Element(schema.IMAGE, _image(token), ()))
        elif token.type == "html_inline" and (kept := kept_between_words(name)) is not None:
            self._element(kept)
        else:
            self._text(token.content, is_code=token.type == "code_inline")

    def nodes(self) -> tuple[Node, ...]:
        self._end_words()
        return tuple(self._nodes)

    def _close(self, mark: str) -> None:
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == mark:
                del self._open[at]
                return

    def _text(self, text: str, *, is_code: bool) -> None:
        marks = dict(self._open)
        if self._is_line_end:
            self._is_line_end = False
            before = self._runs[-1].text[-1:] if self._runs else ""
            if not (_is_wide(before) and _is_wide(text[:1])):
                self._runs.append(Run(" ", marks))
        self._runs.append(Run(text, one_kind(marks | {schema.CODE: {}}) if is_code else marks))

    def _element(self, element: Element) -> None:
        if self._is_line_end:
            self._text("", is_code=False)
        self._end_words()
        self._nodes.append(element)

    def _end_words(self) -> None:
        found = words(self._runs)
        if found.runs:
            self._nodes.append(found)
        self._runs = []


def one_kind(marks: Mapping[str, Any]) -> dict[str, Any]:
    """Return marks that editors accept together: code stands alone, and a link says more."""
    if schema.CODE not in marks:
        return dict(marks)
    if schema.LINK in marks:
        return {name: value for name, value in marks.items() if name != schema.CODE}
    return {schema.CODE: marks[schema.CODE]}


def _is_wide(character: str) -> bool:
    return character != "" and east_asian_width(character) in "WF"


def _link(token: Token) -> dict[str, Any]:
    return said_attributes({name: _text_of(token, name) for name in schema.MARKS[schema.LINK]})


def _image(token: Token) -> dict[str, Any]:
    alt = "".join(child.content for child in token.children or ())
    return said_attributes(
        {"src": _text_of(token, "src"), "alt": alt, "title": _text_of(token, "title")}
    )


def _text_of(token: Token, name: str) -> str | None:
    value = token.attrGet(name)
    return None if value is None else str(value)
