"""The blocks of a rich document as Markdown that is read back as the same blocks.

What Markdown cannot say stands as a comment, in its own place, which reading gives back as `KEPT`.
Lists that follow each other have different signs, so that they stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from p2pvalue.texts import schema
from p2pvalue.texts.blocks import Element, Node, Words, text_of
from p2pvalue.texts.markdown_lines import write_line
from p2pvalue.texts.markdown_reading import read_markdown
from p2pvalue.texts.markdown_spans import ATTRIBUTE_MAX, comment_for, kept_between_words, tag_for
from p2pvalue.texts.said import is_said_in_line, said_in_line

APART: Final = "\n\n"
"""Stands between two blocks of a document."""
_RULE: Final = "---"
_RULE_IN_LIST: Final = "___"  # the other might be read as the sign of an item
_BEGINS_LIST = re.compile(r"([-*]|1[.)]) +[^ ]")  # directly under words: no other is read as one
_BEGINS_BLOCK = re.compile(r"#{1,6}( |$)|```|~~~|> |___|---|<|([-*]|\d+[.)])( |$)")
_START_MAX: Final = 999_000_000  # numbers have at most nine digits
_BULLETS: Final = ("-", "*")
_NUMBER_ENDS: Final = (".", ")")


def joined(written: Sequence[str]) -> str:
    """Return a whole document from its blocks."""
    text = APART.join(block for block in written if block)
    return text and text + "\n"


def write_blocks(blocks: Sequence[Node]) -> list[str]:
    """Return each block as Markdown, "" for one that Markdown does not show; ~1 ms per kB."""
    return ["\n".join(lines) for lines in _written(blocks, is_in_list=False)]


def _written(
    blocks: Sequence[Node], *, is_in_list: bool, first_signs: int = 0
) -> Iterator[list[str]]:
    """Yield the lines of each block; a list that comes first has the signs `first_signs`."""
    before, last_signs = "", 1 - first_signs
    for block in blocks:
        name = schema.name_of(block)
        is_beside = name in schema.LISTS and before in (name, "")
        signs = 1 - last_signs if is_beside else 0
        lines = _block(block, signs, is_in_list=is_in_list)
        if lines:
            before, last_signs = name, signs
        yield lines


def _block(block: Node, signs: int, *, is_in_list: bool) -> list[str]:
    if isinstance(block, Words) or not _is_said(block):
        return [comment_for(block)]
    match block.name:
        case schema.PARAGRAPH:
            return _line(block, "")
        case schema.HEADING:
            sign = "#" * block.attributes["level"]
            return _line(block, f"{sign} ") or [sign]
        case schema.CODE_BLOCK:
            return _code(block)
        case schema.HORIZONTAL_RULE:
            return [_RULE_IN_LIST if is_in_list else _RULE]
        case schema.BLOCKQUOTE:
            lines = _apart(_written(block.children, is_in_list=is_in_list))
            return [f"> {line}" if line else ">" for line in lines]
    return _list(block, signs)


def _is_said(block: Element) -> bool:
    """Whether Markdown has a form for a block; what is in it is another question."""
    name, attributes = block.name, block.attributes
    if name in schema.LISTS:
        start = attributes.get("start", 1)
        is_fine = isinstance(start, int) and 0 <= start <= _START_MAX
        return is_fine and all(schema.name_of(item) == schema.LIST_ITEM for item in block.children)
    if name == schema.HEADING:
        level = attributes.get("level")
        return isinstance(level, int) and 1 <= level <= schema.HEADING_LEVEL_MAX
    if name == schema.CODE_BLOCK:
        language = attributes.get("language") or ""
        is_fine = (
            isinstance(language, str)
            and len(language) <= ATTRIBUTE_MAX
            and re.search(r"[\r\n]|^\s|\s$", language) is None
        )
        return is_fine and all(isinstance(child, Words) for child in block.children)
    return name in schema.BLOCKS and (name != schema.HORIZONTAL_RULE or not block.children)


def _line(block: Element, sign: str) -> list[str]:
    said = said_in_line(block.children)
    expected = Element(block.name, block.attributes if sign else {}, tuple(map(_as_read, said)))
    written = write_line(
        said,
        is_one_line=bool(sign),
        is_read_back=lambda text: read_markdown(sign + text) == (expected,),
    )
    return (sign + written).split("\n") if written else []


def _as_read(node: Node) -> Node:
    if isinstance(node, Words) or is_said_in_line(node):
        return node
    return kept_between_words(tag_for(node)) or node


def _code(block: Element) -> list[str]:
    text = "".join(text_of(child) for child in block.children)
    language = block.attributes.get("language") or ""
    sign = "~" if "`" in language else "`"
    rows = [len(row) for row in re.findall(sign + "{3,}", text)]
    fence = sign * (max(rows, default=2) + 1)
    return [fence + language, *(text.split("\n") if text else ()), fence]


def _list(block: Element, signs: int) -> list[str]:
    items: list[list[list[str]]] = []
    for item in block.children:
        assert isinstance(item, Element), "said lists hold items only"
        written = _written(item.children, is_in_list=True, first_signs=1 - signs)  # - - - is a rule
        items.append([lines for lines in written if lines])
    is_tight = all(map(_is_tight, items))
    found: list[str] = []
    for number, blocks in enumerate(items):
        sign = f"{_BULLETS[signs]} "
        if block.name == schema.ORDERED_LIST:
            sign = f"{block.attributes.get('start', 1) + number}{_NUMBER_ENDS[signs]} "
        lines = [line for lines in blocks for line in lines] if is_tight else _apart(blocks)
        if number and not is_tight:
            found.append("")
        found.append(sign + lines[0] if lines else sign.rstrip(" "))
        found += [" " * len(sign) + line if line else "" for line in lines[1:]]
    return found


def _is_tight(blocks: Sequence[Sequence[str]]) -> bool:
    """Whether the blocks of an item need no empty line: at most a line, and a list under it."""
    return len(blocks) < 2 or (
        len(blocks) == 2
        and len(blocks[0]) == 1
        and _BEGINS_BLOCK.match(blocks[0][0]) is None
        and _BEGINS_LIST.match(blocks[1][0]) is not None
    )


def _apart(blocks: Iterator[list[str]] | Sequence[list[str]]) -> list[str]:
    """Return the lines of blocks with an empty line between each two."""
    found: list[str] = []
    for lines in blocks:
        if lines and found:
            found.append("")
        found += lines
    return found
