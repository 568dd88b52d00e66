"""Honest edits of every shape, as editors make them: words, emoji, marks, blocks, maps, undo."""

from __future__ import annotations

from random import Random
from typing import Any

import pycrdt

from tests.documents.peers import LOCAL, Person

WORDS = ("a", "bc", "é", "😀", "x😀y", "\n", "日本", "مرحبا", "\u0301", "👩‍👩‍👧")
MARKS: tuple[dict[str, Any], ...] = (
    *({"strong": {}}, {"em": {}}, {"link": {"href": "https://example.org"}}),
    *({"strong": None}, {"em": None}),
)


def edit_anything(person: Person, rng: Random) -> None:
    """Make one edit, or several at once, or undo or redo one."""
    dice = rng.random()
    if dice < 0.12:
        person.take_back()
    elif dice < 0.18:
        person.bring_back()
    else:
        with person.doc.transaction(origin=LOCAL):
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                if rng.random() < 0.2:
                    edit_map(person.roots["meta"], rng)
                elif person.shape == "rich":
                    edit_tree(person.roots["prosemirror"], rng)
                else:
                    edit_text(person.roots["content"], rng)


def edit_text(text: Any, rng: Random) -> None:
    boundaries = _boundaries([(str(text), None)])
    _insert_or_delete(text, boundaries, rng)


def _boundaries(chunks: list[tuple[Any, Any]]) -> list[int]:
    """Return the byte offsets between characters; the library counts bytes."""
    found = [0]
    for value, _ in chunks:
        sizes = [len(c.encode()) for c in value] if isinstance(value, str) else [1]
        for size in sizes:
            found.append(found[-1] + size)
    return found


def _insert_or_delete(text: Any, boundaries: list[int], rng: Random) -> None:
    start, end = sorted(rng.choices(range(len(boundaries)), k=2))
    if rng.random() < 0.35 and start < end:
        end = min(end, start + 3)
        del text[boundaries[start] : boundaries[end]]
    else:
        text.insert(boundaries[rng.choice((start, end, -1))], rng.choice(WORDS))


def edit_map(meta: Any, rng: Random) -> None:
    key = rng.choice(("title", "schema", "tags"))
    if key in meta and rng.random() < 0.3:
        del meta[key]
    else:
        meta[key] = rng.choice(
            ("Plan", 3, 2.5, True, None, b"\x00\xff", ["a", {"b": [1]}], {"😀": "é"})
            if rng.random() < 0.7
            else (pycrdt.Map({"a": 1}), pycrdt.Array([1, "b"]), pycrdt.Text("deep"))
        )


def edit_tree(fragment: Any, rng: Random) -> None:
    """Edit as a rich text editor does: blocks, their attributes, words and marks in them."""
    parents: list[Any] = [fragment]
    texts: list[Any] = []
    for child in _walk(fragment):
        (parents if isinstance(child, pycrdt.XmlElement) else texts).append(child)
    dice = rng.random()
    if dice < 0.3 or not texts:
        _edit_blocks(rng.choice(parents), rng)
    elif dice < 0.4 and len(parents) > 1:
        attributes = rng.choice(parents[1:]).attributes
        name = rng.choice(("level", "align"))
        if name in attributes and rng.random() < 0.3:
            del attributes[name]
        else:
            attributes[name] = rng.choice((1, 2, "left", {"a": [1]}, True))
    else:
        _edit_words(rng.choice(texts), rng)


def _edit_blocks(parent: Any, rng: Random) -> None:
    count = len(parent.children)
    if count and rng.random() < 0.3:
        del parent.children[rng.randrange(count)]
        return
    block = pycrdt.XmlElement(
        rng.choice(("paragraph", "heading", "bulletList")), {"align": "left"} if count % 2 else {}
    )
    parent.children.insert(rng.randint(0, count), block)
    if rng.random() < 0.8:
        block.children.append(pycrdt.XmlText(rng.choice(WORDS)))


def _edit_words(text: Any, rng: Random) -> None:
    boundaries = _boundaries(text.diff())
    start, end = sorted(rng.choices(range(len(boundaries)), k=2))
    dice = rng.random()
    if dice < 0.25 and start < end:
        text.format(boundaries[start], boundaries[end], rng.choice(MARKS))
    elif dice < 0.32:
        text.insert_embed(boundaries[start], {"image": "x.png"}, rng.choice(MARKS[:3]))
    elif dice < 0.45:
        text.insert(boundaries[start], rng.choice(WORDS), rng.choice(MARKS[:3]))
    else:
        _insert_or_delete(text, boundaries, rng)


def _walk(parent: Any) -> list[Any]:
    found = []
    for child in parent.children:
        found.append(child)
        if isinstance(child, pycrdt.XmlElement):
            found += _walk(child)
    return found
