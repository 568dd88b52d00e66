"""Markdown brought into a rich document as the difference to what it says, block by block.

What is equal is not touched, so what others write in it at the same time stays, and so does what
Markdown cannot say. In a block that was changed, the letters that were changed are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import pycrdt

from p2pvalue.texts import schema
from p2pvalue.texts.block_matching import changes
from p2pvalue.texts.blocks import Element, Node, Run, Words, fingerprint, words
from p2pvalue.texts.kept_nodes import SHOWN
from p2pvalue.texts.markdown_reading import read_markdown
from p2pvalue.texts.markdown_spans import KEPT, KEPT_SIGN
from p2pvalue.texts.markdown_writing import APART, joined, write_blocks
from p2pvalue.texts.rich_tree import (
    Bursts,
    Tree,
    delete_child,
    insert_nodes,
    read_tree,
    set_attribute,
)
from p2pvalue.texts.rich_words import carried, change_words

Kept: TypeAlias = dict[str, Node]


class _Shown(NamedTuple):
    """A child of the document that Markdown shows: its place, what it is and what is read of it."""

    place: int
    actual: Node
    read: Node


def markdown_of(fragment: pycrdt.XmlFragment) -> str:
    """Return what a document says as Markdown; ~4 ms per kB."""
    return joined(write_blocks(read_tree(fragment)))


def change_to(document: pycrdt.Doc[Any], fragment: pycrdt.XmlFragment, text: str) -> list[bytes]:
    """Make a document say `text`; return the updates that tell others, in order.

    Costs as much as `markdown_of`, and ~5 ms for each kB that was changed. Raises
    LocalProtocolError, before anything is changed, if the text cannot be in a document.
    """
    actual = read_tree(fragment)
    written = [(index, block) for index, block in enumerate(write_blocks(actual)) if block]
    head, tail, read = _changed([block for _, block in written], text)
    kept = {fingerprint(node): node for node in _all(actual)} if KEPT_SIGN in text else {}
    shown = [
        _Shown(index, actual[index], node)
        for index, block in written[head : len(written) - tail]
        for node in _restored(read_markdown(block)[:1], kept)
    ]
    bursts = Bursts(document)
    _change_children(fragment, shown, _restored(read, kept), bursts)
    return bursts.end()


def change_blocks(
    document: pycrdt.Doc[Any], fragment: pycrdt.XmlFragment, blocks: Sequence[Node]
) -> list[bytes]:
    """Make a document consist of these blocks; return the updates that tell others, in order."""
    shown = [_Shown(index, node, node) for index, node in enumerate(read_tree(fragment))]
    bursts = Bursts(document)
    _change_children(fragment, shown, blocks, bursts)
    return bursts.end()


def _changed(written: Sequence[str], text: str) -> tuple[int, int, Sequence[Element]]:
    """Return how many blocks stay at the start and at the end, and the new ones between these.

    The last that stays at the start is among the new ones, and so is the first at the end: both
    must be read as before. If they are not, what was changed reaches into them.
    """
    head, start = 0, 0
    while head < len(written) and text.startswith(written[head] + APART, start):
        start += len(written[head] + APART)
        head += 1
    tail, end = 0, len(text.removesuffix("\n"))
    while tail < len(written) - head and text.endswith(APART + written[-1 - tail], start, end):
        end -= len(APART + written[-1 - tail])
        tail += 1
    if head:
        head -= 1
        start -= len(written[head] + APART)
    if tail:
        tail -= 1
        end += len(APART + written[-1 - tail])
    read = read_markdown(text[start : end if tail else None])
    is_apart = (not head or read[:1] == read_markdown(written[head])) and (
        not tail or read[-1:] == read_markdown(written[-1 - tail])
    )
    return (head, tail, read) if is_apart else (0, 0, read_markdown(text))


def _all(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        if isinstance(node, Element):
            yield from _all(node.children)


def _restored(nodes: Sequence[Node], kept: Kept) -> tuple[Node, ...]:
    """Return nodes with what comments stand for in their place; unknown ones are words."""
    found: list[Node] = []
    for node in nodes:
        restored = _restored_one(node, kept)
        if found and isinstance(restored, Words):
            before = found[-1]
            if isinstance(before, Words):
                found[-1] = words([*before.runs, *restored.runs])
                continue
        found.append(restored)
    return tuple(found)


def _restored_one(node: Node, kept: Kept) -> Node:
    if isinstance(node, Words):
        return node
    if node.name != KEPT:
        return node._replace(children=_restored(node.children, kept))
    source = str(node.attributes["source"])
    literally = Words((Run(source, {}),))
    is_block = source.startswith("<!--")
    unknown = Element(schema.PARAGRAPH, {}, (literally,)) if is_block else literally
    name = str(node.attributes["fingerprint"])
    return kept.get(name) or SHOWN.get(name) or unknown


# --- changing


def _change_children(
    parent: Tree, shown: Sequence[_Shown], new: Sequence[Node], bursts: Bursts
) -> None:
    end = shown[-1].place + 1 if shown else 0
    # From the end, so that places before stay what they are.
    for change in reversed([*changes([child.read for child in shown], new)]):
        i, j, k, m, is_same = change
        if is_same:
            _change(parent.children[shown[i].place], shown[i], new[k], bursts)
            continue
        at = shown[i].place if i < len(shown) else end
        for old in reversed(shown[i:j]):
            delete_child(parent, old.place, bursts)
        nodes = new[k:m]
        if (j - i, m - k) == (1, 1):
            nodes = [_of_another_kind(shown[i].actual, new[k])]
        insert_nodes(parent, at, nodes, bursts)


def _change(live: Any, shown: _Shown, new: Node, bursts: Bursts) -> None:
    _, actual, read = shown
    if isinstance(actual, Words) or isinstance(new, Words):
        if isinstance(read, Words) and isinstance(new, Words):
            change_words(live, read, new, bursts)
        return
    children = list(_visible(actual))
    # What is read may lack words without letters; what was kept has them.
    if isinstance(read, Element) and read != actual and _is_alike(actual, read):
        below = [
            _Shown(index, child, of_read)
            for (index, child), of_read in zip(children, read.children, strict=True)
        ]
    else:
        read = actual
        below = [_Shown(index, child, child) for index, child in children]
    for name in schema.ATTRIBUTES.get(actual.name, ()):
        if read.attributes.get(name) != new.attributes.get(name):
            set_attribute(live, name, new.attributes.get(name), bursts)
    _change_children(live, below, new.children, bursts)


def _of_another_kind(old: Node, new: Node) -> Node:
    """Return a block that came in another's place, with the marks that Markdown did not show."""
    if isinstance(old, Words) or isinstance(new, Words) or new.name == schema.CODE_BLOCK:
        return new
    match [child for _, child in _visible(old)], new.children:
        case [Words() as before], (Words() as after,):
            return new._replace(children=(carried(before, after),))
    return new


def _visible(element: Element) -> Iterator[tuple[int, Node]]:
    """Yield the children of an element but words without letters."""
    for index, child in enumerate(element.children):
        if isinstance(child, Element) or child.runs:
            yield index, child


def _is_alike(actual: Node, read: Node) -> bool:
    """Whether what was read has the same children as what there is."""
    if isinstance(actual, Words) or isinstance(read, Words):
        return isinstance(actual, Words) and isinstance(read, Words)
    if actual == read:
        return True
    children = [child for _, child in _visible(actual)]
    return (
        actual.name == read.name
        and len(children) == len(read.children)
        and all(_is_alike(*pair) for pair in zip(children, read.children, strict=True))
    )
