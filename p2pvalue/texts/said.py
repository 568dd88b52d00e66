"""What Markdown can say of what stands in a line of a rich document.

Other marks are left out, and so are marks of spaces at the ends of what is marked and spaces at the
ends of lines: no reader of Markdown would see them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from markdown_it.common.normalize_url import validateLink

from p2pvalue.texts import schema
from p2pvalue.texts.blocks import Attributes, Element, Node, Run, Words, words
from p2pvalue.texts.markdown_spans import ATTRIBUTE_MAX, one_kind

Piece: TypeAlias = Run | Element
_PARTS = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


def said_in_line(children: Iterable[Node]) -> tuple[Node, ...]:
    """Return what Markdown can say, trimmed; elements that it cannot say are left as they are."""
    pieces = [piece for child in children for piece in _known(child)]
    if len(pieces) == 1 and isinstance(pieces[0], Run) and not pieces[0].marks:
        text = pieces[0].text.strip()
        return (Words((Run(text, {}),)),) if text else ()
    pieces = _trimmed(_without_marks_on_edges(pieces))
    if all(isinstance(piece, Element) and piece.name == schema.HARD_BREAK for piece in pieces):
        return ()
    return tuple(_in_words(pieces))


def is_said_in_line(element: Element) -> bool:
    """Whether Markdown has a form for an element between words."""
    return not element.children and (
        element.name == schema.HARD_BREAK
        or (element.name == schema.IMAGE and _is_target(element.attributes.get("src")))
    )


def _known(node: Node) -> Iterator[Piece]:
    if isinstance(node, Words):
        for run in node.runs:
            yield Run(re.sub(r"[\r\n]+", " ", run.text), known_marks(run.marks))
    elif is_said_in_line(node):
        yield Element(
            node.name, _known_texts(node.attributes, schema.ATTRIBUTES.get(node.name, ())), ()
        )
    else:
        yield node


def known_marks(marks: Attributes) -> dict[str, Any]:
    """Return of some marks those that Markdown can say, and what it can say with them."""
    known: dict[str, Any] = {}
    for name, said in schema.MARKS.items():
        if name in marks:
            value = marks[name] if isinstance(marks[name], dict) else {}
            if name != schema.LINK or _is_target(value.get("href")):
                known[name] = _known_texts(value, said)
    return one_kind(known)


def _known_texts(attributes: Attributes, said: Iterable[str]) -> dict[str, Any]:
    texts = {name: attributes.get(name) for name in said}
    return {
        name: re.sub(r"\s+", " ", text)
        for name, text in texts.items()
        if isinstance(text, str) and 0 < len(text) <= ATTRIBUTE_MAX
    }


def _is_target(value: object) -> bool:
    """Whether readers of Markdown take something for an address."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= ATTRIBUTE_MAX
        and re.search(r"[\x00-\x1f\x7f]|^\s|\s$", value) is None
        and validateLink(value)
    )


# --- spaces


def _without_marks_on_edges(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the same, where spaces keep those marks that stand on both sides of them."""
    parts: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Run) and schema.CODE not in piece.marks:
            found = _PARTS.fullmatch(piece.text)
            assert found is not None, "everything matches"
            parts += [Run(text, piece.marks) for text in found.groups() if text]
        else:
            parts.append(piece)
    after = _marks_beside(parts[::-1])[::-1]
    return [
        Run(part.text, {name: marks for name, marks in left.items() if right.get(name) == marks})
        if isinstance(part, Run) and _is_space(part)
        else part
        for part, left, right in zip(parts, _marks_beside(parts), after, strict=True)
    ]


def _marks_beside(parts: Sequence[Piece]) -> list[Attributes]:
    """Return for each piece the marks of the next letters before it, code aside."""
    found: list[Attributes] = []
    marks: Attributes = {}
    for part in parts:
        found.append(marks)
        if isinstance(part, Element) or schema.CODE in part.marks:
            marks = {}
        elif not _is_space(part):
            marks = part.marks
    return found


def _is_space(run: Run) -> bool:
    return run.text.isspace() and schema.CODE not in run.marks


def _trimmed(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the same without spaces at the ends of lines."""
    found: list[Piece] = []
    is_start = True
    for piece in pieces:
        if isinstance(piece, Element):
            if piece.name == schema.HARD_BREAK:
                _drop_space(found)
            is_start = piece.name == schema.HARD_BREAK
        elif is_start and _is_space(piece):
            continue
        else:
            is_start = False
        found.append(piece)
    _drop_space(found)
    return found


def _drop_space(pieces: list[Piece]) -> None:
    while pieces and isinstance(pieces[-1], Run) and _is_space(pieces[-1]):
        pieces.pop()


def _in_words(pieces: Sequence[Piece]) -> Iterator[Node]:
    runs: list[Run] = []
    for piece in [*pieces, None]:
        if isinstance(piece, Run):
            runs.append(piece)
            continue
        found = words(runs)
        if found.runs:
            yield found
        runs = []
        if piece is not None:
            yield piece
