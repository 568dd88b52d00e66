"""Markdown (CommonMark and strike-through) as the blocks of a rich document.

What has no element stays as a code block of its source: tables, HTML, and names and values before
the text. Comments that stand for what Markdown cannot say (`markdown_spans`) come back as elements
named `KEPT`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from p2pvalue.texts import schema
from p2pvalue.texts.blocks import Element, Run, Words
from p2pvalue.texts.markdown_spans import kept_block, read_spans, said_attributes
from p2pvalue.texts.said import said_in_line
from p2pvalue_protocol.errors import LocalProtocolError

_NESTING_MAX: Final = 60  # levels of the parser, which leaves out what is deeper
_DEPTH_MAX: Final = 21  # of a list: its item, a paragraph and words in it make 24
_CONTAINERS: Final = {
    "paragraph_open": schema.PARAGRAPH,
    "heading_open": schema.HEADING,
    "bullet_list_open": schema.BULLET_LIST,
    "ordered_list_open": schema.ORDERED_LIST,
    "list_item_open": schema.LIST_ITEM,
    "blockquote_open": schema.BLOCKQUOTE,
}
_FRONT = re.compile(r"---\r?\n(\w[\w -]*:(?:.*\n)*?)---[ \t]*(?:\r?\n|$)")
"""What some programs write before the text: names and values between two rules."""
_RULES: Final = {"text-align:left": ":--", "text-align:right": "--:", "text-align:center": ":-:"}


def read_markdown(text: str) -> tuple[Element, ...]:
    """Return the blocks of a text; ~1.5 ms per kB.

    Raises LocalProtocolError if it is nested too deep, or if an address in it is too long.
    """
    text = text.removeprefix("\ufeff")
    front = _FRONT.match(text)
    tokens = _parser().parse(text if front is None else text[front.end() :])
    if any(token.level >= _NESTING_MAX - 1 for token in tokens):
        raise LocalProtocolError("the text is nested too deep: take some lists or quotes apart")
    begun = () if front is None else (_code("yaml", front[1]),)
    return (*begun, *_blocks(iter(tokens), 1))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING_MAX})
    parser.enable(["strikethrough", "table"])
    # As it was typed: the parser would write addresses in another form than their author.
    setattr(parser, "normalizeLink", str)  # noqa: B010 - so its users set it; mypy sees a method
    return parser


def _blocks(tokens: Iterator[Token], depth: int) -> Iterator[Element]:
    """Yield the blocks until the end of what holds them; they stand so deep in the document."""
    for token in tokens:
        if token.type in _CONTAINERS:
            yield from _container(token, tokens, depth)
        elif token.type in ("fence", "code_block"):
            yield _code(token.info.strip(), token.content)
        elif token.type == "hr":
            yield Element(schema.HORIZONTAL_RULE, {}, ())
        elif token.type == "html_block":
            yield kept_block(token.content.strip()) or _code("html", token.content)
        elif token.type == "table_open":
            yield _code("markdown", _table(tokens))
        elif token.nesting < 0:
            return


def _container(token: Token, tokens: Iterator[Token], depth: int) -> Iterator[Element]:
    name = _CONTAINERS[token.type]
    if name in (schema.PARAGRAPH, schema.HEADING):
        spans = said_in_line(read_spans(next(tokens).children or ()))
        next(tokens)
        if name == schema.HEADING:
            yield Element(name, {"level": int(token.tag[1:])}, spans)
        elif spans:
            yield Element(name, {}, spans)
        return
    children = tuple(_blocks(tokens, depth + 1))
    if name == schema.LIST_ITEM and (not children or children[0].name != schema.PARAGRAPH):
        # Editors want a paragraph at the start of an item.
        children = (Element(schema.PARAGRAPH, {}, ()), *children)
    if depth > _DEPTH_MAX + (name == schema.LIST_ITEM) or not children:
        yield from children  # nobody would show elements so deep; what is in them stays
    else:
        yield Element(name, _start(token) if name == schema.ORDERED_LIST else {}, children)


def _start(token: Token) -> dict[str, Any]:
    start = token.attrGet("start")
    return {"start": 1 if start is None else int(start)}


def _code(language: str, text: str) -> Element:
    text = text.removesuffix("\n")
    children = (Words((Run(text, {}),)),) if text else ()
    return Element(schema.CODE_BLOCK, said_attributes({"language": language}), children)


def _table(tokens: Iterator[Token]) -> str:
    """Return the source of a table, in the plainest form."""
    lines: list[str] = []
    cells: list[str] = []
    rules: list[str] = []
    for token in tokens:
        if token.type == "th_open":
            rules.append(_RULES.get(str(token.attrGet("style")), "---"))
        elif token.type == "inline":
            cells.append(token.content.replace("|", "\\|"))
        elif token.type == "tr_close":
            lines.append(_row(cells))
            if len(lines) == 1:
                lines.append(_row(rules))
            cells.clear()
        elif token.type == "table_close":
            break
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
