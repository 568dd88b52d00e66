"""A rich document's shared tree as blocks, and blocks written into the tree.

Whatever is written is counted first, so that each transaction becomes one update that fits into an
operation (spec: kinds/document-update, "Bytes").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final, TypeAlias, cast

import pycrdt

from p2pvalue.texts.blocks import Attributes, Element, Node, Run, Words, words

Tree: TypeAlias = pycrdt.XmlFragment | pycrdt.XmlElement
EMBEDDED: Final = "\ufffc"
"""Shown for what stands in words and is no letter."""

_COST_MAX: Final = 56_000
_STRUCT: Final = 40  # bytes of a block's head with two references, at most
_UNIT_DELETED: Final = 8  # what is deleted may be a range of its own
_LETTERS_MAX: Final = 8_192  # at most 16,384 UTF-16 units in one text and update
_UNITS_DELETED_MAX: Final = 1_024
_ROW: Final = 64  # children that are written one behind the other


# --- reading


def read_tree(parent: Tree) -> tuple[Node, ...]:
    """Return what stands in a fragment or an element, each child in its place; ~0.3 ms per kB."""
    return tuple(_node(child) for child in parent.children)


def _node(child: Any) -> Node:
    if isinstance(child, pycrdt.XmlElement):
        said = cast("Iterable[tuple[str, Any]]", child.attributes)
        attributes = {name: whole(value) for name, value in said}
        return Element(str(child.tag), attributes, read_tree(child))
    return read_words(child)


def read_words(text: pycrdt.XmlText) -> Words:
    """Return the letters of a text and their marks."""
    return words(
        Run(value if isinstance(value, str) else EMBEDDED, whole(marks or {}))
        for value, marks in text.diff()
    )


def whole(value: Any) -> Any:
    """Return a JSON value with whole numbers as integers; the library gives all as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return type(value).__name__  # a shared type or bytes: no editor writes these


# --- writing


class Bursts:
    """Collects what is done to a document in updates, each small enough for one operation."""

    def __init__(self, document: pycrdt.Doc[Any]) -> None:
        self._document = document
        self._updates: list[bytes] = []
        self._stack = ExitStack()
        self._cost = 0

    def spend(self, cost: int) -> None:
        """Make room for a change that takes so many bytes in an update, at most."""
        if self._cost + cost > _COST_MAX:
            self.end()
        if not self._cost:
            subscription = self._document.observe(
                lambda event: self._updates.append(bytes(event.update))
            )
            self._stack.callback(self._document.unobserve, subscription)
            self._stack.enter_context(self._document.transaction())
        self._cost += cost

    def end(self) -> list[bytes]:
        """End the last update; return all."""
        self._stack.close()
        self._cost = 0
        return self._updates


def insert_nodes(parent: Tree, index: int, nodes: Sequence[Node], bursts: Bursts) -> None:
    """Write nodes, with all that is in them, before the child `index`.

    Of many the last ones come first, a row at a time. So neither the library nor whoever judges an
    update walks through all others to find a place, and two who paste the same stay apart.
    """
    for start in reversed(range(0, len(nodes), _ROW)):
        for at, node in enumerate(nodes[start : start + _ROW], index):
            if isinstance(node, Words):
                bursts.spend(_STRUCT)
                _insert_runs(parent.children.insert(at, pycrdt.XmlText("")), node, bursts)
                continue
            bursts.spend(_STRUCT + len(node.name.encode()))
            element = parent.children.insert(at, pycrdt.XmlElement(node.name))
            for name, value in node.attributes.items():
                set_attribute(element, name, value, bursts)
            insert_nodes(element, 0, node.children, bursts)


def _insert_runs(text: pycrdt.XmlText, written: Words, bursts: Bursts) -> None:
    at = 0
    for run in written.runs:
        insert_letters(text, at, run, bursts)
        at += len(run.text.encode())


def set_attribute(element: pycrdt.XmlElement, name: str, value: Any, bursts: Bursts) -> None:
    """Say an attribute of an element; None takes it away."""
    bursts.spend(_STRUCT + _size({name: value}))
    if value is None:
        del element.attributes[name]
    else:
        element.attributes[name] = value


def insert_letters(text: pycrdt.XmlText, at: int, run: Run, bursts: Bursts) -> None:
    """Write letters with exactly these marks before the byte `at`."""
    for start in range(0, len(run.text), _LETTERS_MAX):
        piece = run.text[start : start + _LETTERS_MAX]
        if start:
            bursts.end()  # the library joins what one update writes in a row
        size = len(piece.encode())
        bursts.spend(size + _STRUCT + 2 * (_size(run.marks) + _STRUCT * len(run.marks)))
        text.insert(at, piece, run.marks)
        at += size


def _size(attributes: Attributes) -> int:
    return sum(len(f"{name}{value}".encode()) for name, value in attributes.items())


# --- taking away


def delete_child(parent: Tree, index: int, bursts: Bursts) -> None:
    """Take away the child `index` and all that is in it, piece by piece if that is much."""
    child = parent.children[index]
    units = _units(child)
    if units > _UNITS_DELETED_MAX:
        if isinstance(child, pycrdt.XmlText):
            delete_letters(child, offsets_of(child), bursts)
        else:
            for at in range(len(child.children) - 1, -1, -1):
                delete_child(child, at, bursts)
        units = 1
    bursts.spend(_STRUCT + _UNIT_DELETED * units)
    del parent.children[index]


def _units(child: Any) -> int:
    """Return how many things a child is made of, at most; marks begin and end."""
    if isinstance(child, pycrdt.XmlElement):
        return 1 + len(child.attributes) + sum(map(_units, child.children))
    return 1 + sum(len(run.text) + 2 * len(run.marks) for run in read_words(child).runs)


def offsets_of(text: pycrdt.XmlText) -> list[int]:
    """Return where each code point begins, in the library's bytes, and where the last one ends."""
    offsets = [0]
    for value, _ in text.diff():
        for character in value if isinstance(value, str) else EMBEDDED:
            size = len(character.encode()) if isinstance(value, str) else 1
            offsets.append(offsets[-1] + size)
    return offsets


def delete_letters(text: pycrdt.XmlText, offsets: list[int], bursts: Bursts) -> None:
    """Take away the letters that begin at these offsets, but the last, where they end."""
    for start, end in _pieces(len(offsets) - 1):
        bursts.spend(2 * _UNIT_DELETED * (end - start))
        del text[offsets[start] : offsets[end]]


def format_letters(
    text: pycrdt.XmlText, offsets: list[int], marks: Attributes, bursts: Bursts
) -> None:
    """Give letters marks, or take away those that are None."""
    for start, end in _pieces(len(offsets) - 1):
        size = 2 * (_size(marks) + _STRUCT * len(marks))
        bursts.spend(size + 2 * _UNIT_DELETED * (end - start))
        text.format(offsets[start], offsets[end], dict(marks))


def _pieces(count: int) -> Iterator[tuple[int, int]]:
    """Yield ranges that are small enough for one update, the last one first."""
    for end in range(count, 0, -_UNITS_DELETED_MAX):
        yield max(0, end - _UNITS_DELETED_MAX), end
