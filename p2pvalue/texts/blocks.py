"""What a rich document says, as values: elements in each other, and words with marks in them.

The names are those of its schema (`schema`): paragraph, heading, bold. Both readers, of Markdown
and of the shared document, make these values; the difference of two documents is taken in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

Attributes: TypeAlias = Mapping[str, Any]  # JSON values; whole numbers are integers

FINGERPRINT_DIGITS: Final = 32


class Run(NamedTuple):
    """Letters that have the same marks: by name, what is said with each."""

    text: str
    marks: Attributes


class Words(NamedTuple):
    """What stands between two elements in a paragraph: one XmlText."""

    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """All letters, without marks."""
        return "".join(run.text for run in self.runs)


class Element(NamedTuple):
    """A block, or what stands between words: a break of a line, an image."""

    name: str
    attributes: Attributes
    children: tuple[Element | Words, ...]


Node: TypeAlias = Element | Words


def words(runs: Iterable[Run]) -> Words:
    """Return runs as words, neighbours with equal marks joined."""
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1].marks == run.marks:
            joined[-1] = Run(joined[-1].text + run.text, run.marks)
        elif run.text:
            joined.append(run)
    return Words(tuple(joined))


def key_of(node: Node) -> str:
    """Return a text that is the same for equal nodes only."""
    return json.dumps(_plain(node), sort_keys=True, ensure_ascii=False)


def fingerprint(node: Node) -> str:
    """Return hex digits by which a node is known again: 128 bits, for liars write nodes too."""
    return sha256(key_of(node).encode()).hexdigest()[:FINGERPRINT_DIGITS]


def text_of(node: Node) -> str:
    """Return all letters in a node."""
    if isinstance(node, Words):
        return node.text
    return " ".join(text_of(child) for child in node.children)


def _plain(node: Node) -> object:
    if isinstance(node, Words):
        return [[run.text, dict(run.marks)] for run in node.runs]
    return [node.name, dict(node.attributes), [_plain(child) for child in node.children]]
