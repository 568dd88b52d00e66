"""A rich document in the names of one version of the schema, for editors that know no more.

Editors delete from their own copy what they cannot show. So who may only read gets, in the place of
each block that is unknown, a known one with its words; all of it fits into the schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from p2pvalue.texts import schema as s
from p2pvalue.texts.blocks import Element, Node, Run, Words, text_of, words

_IN_WORDS: Final = (s.HARD_BREAK, s.IMAGE)
_EMPTY: Final = Element(s.PARAGRAPH, {}, ())


def known_only(nodes: Sequence[Node], version: int) -> tuple[Element, ...]:
    """Return blocks that say what `nodes` do and that a version knows; O(n)."""
    return tuple(_blocks(nodes, s.SCHEMAS[min(version, s.NEWEST)]))


def _blocks(nodes: Iterable[Node], known: s.Schema) -> Iterator[Element]:
    for is_in_words, group in groupby(nodes, _stands_in_words):
        if is_in_words:
            children = _line(group, known)
            if children:
                yield Element(s.PARAGRAPH, {}, children)
            continue
        for node in group:
            assert isinstance(node, Element), "words stand in words"
            yield _block(node, known)


def _stands_in_words(node: Node) -> bool:
    return isinstance(node, Words) or node.name in _IN_WORDS


def _block(node: Element, known: s.Schema) -> Element:
    said = _said(s.ATTRIBUTES.get(node.name, ()), node.attributes)
    if node.name not in known.elements or node.name == s.LIST_ITEM:
        return _placeholder(node)
    if node.name in (s.PARAGRAPH, s.HEADING):
        return Element(node.name, said, _line(node.children, known))
    if node.name == s.CODE_BLOCK:
        return Element(node.name, said, _literally(text_of(node)))
    if node.name == s.BLOCKQUOTE:
        return Element(node.name, said, tuple(_blocks(node.children, known)) or (_EMPTY,))
    if node.name in s.LISTS:
        items = tuple(_item(child, known) for child in node.children)
        return Element(node.name, said, items or (Element(s.LIST_ITEM, {}, (_EMPTY,)),))
    return Element(node.name, said, ())


def _item(node: Node, known: s.Schema) -> Element:
    inner: tuple[Node, ...] = (node,)
    if isinstance(node, Element) and node.name == s.LIST_ITEM:
        inner = node.children
    children = tuple(_blocks(inner, known))
    is_headed = bool(children) and children[0].name == s.PARAGRAPH
    return Element(s.LIST_ITEM, {}, children if is_headed else (_EMPTY, *children))


def _line(nodes: Iterable[Node], known: s.Schema) -> tuple[Node, ...]:
    """Return what can stand in a paragraph: words in one piece, breaks and images."""
    found: list[Node] = []
    for is_words, group in groupby(nodes, lambda node: not _is_leaf(node)):
        if is_words:
            line = words(run for node in group for run in _runs(node, known))
            found += [line] if line.runs else []
        else:
            found += [
                Element(n.name, _said(s.ATTRIBUTES.get(n.name, ()), n.attributes), ())
                for n in group
                if isinstance(n, Element)
            ]
    return tuple(found)


def _is_leaf(node: Node) -> bool:
    return isinstance(node, Element) and node.name in _IN_WORDS


def _runs(node: Node, known: s.Schema) -> Iterator[Run]:
    if isinstance(node, Element):
        yield Run(text_of(node) or _told(node), {})
        return
    for run in node.runs:
        marks = {
            name: _said(s.MARKS.get(name, ()), said if isinstance(said, Mapping) else {})
            for name, said in run.marks.items()
            if name in known.marks
        }
        yield Run(run.text, marks)


def _said(names: Iterable[str], attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: attributes[name] for name in names if name in attributes}


def _placeholder(node: Element) -> Element:
    """Return a code block with the words of a block that is unknown, named after it."""
    return Element(
        s.CODE_BLOCK, {"language": node.name}, _literally(text_of(node).strip() or _told(node))
    )


def _told(node: Element) -> str:
    """Return what a node without words says."""
    said = json.dumps(dict(node.attributes), ensure_ascii=False) if node.attributes else ""
    return f"[{node.name}{said and ' '}{said}]"


def _literally(text: str) -> tuple[Words, ...]:
    return (Words((Run(text, {}),)),) if text else ()
