"""Which elements, attributes and marks rich documents have, by version of their schema.

The names are Tiptap's, so that its editor and others of its family show what Markdown made. Who
knows one version only must not write in a document that uses more: editors delete what they do not
know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from p2pvalue.texts.blocks import Node, Words
from p2pvalue_protocol.documents.numbers import read_number, read_text
from p2pvalue_protocol.documents.update_form import FORMAT, XML_ELEMENT, Update

PARAGRAPH: Final = "paragraph"
HEADING: Final = "heading"
BULLET_LIST: Final = "bulletList"
ORDERED_LIST: Final = "orderedList"
LIST_ITEM: Final = "listItem"
BLOCKQUOTE: Final = "blockquote"
CODE_BLOCK: Final = "codeBlock"
HORIZONTAL_RULE: Final = "horizontalRule"
HARD_BREAK: Final = "hardBreak"
IMAGE: Final = "image"
BOLD: Final = "bold"
ITALIC: Final = "italic"
STRIKE: Final = "strike"
CODE: Final = "code"
LINK: Final = "link"

HEADING_LEVEL_MAX: Final = 6
LISTS: Final = (BULLET_LIST, ORDERED_LIST)
BLOCKS: Final = frozenset({PARAGRAPH, HEADING, *LISTS, BLOCKQUOTE, CODE_BLOCK, HORIZONTAL_RULE})

ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    HEADING: ("level",),
    ORDERED_LIST: ("start",),
    CODE_BLOCK: ("language",),
    IMAGE: ("src", "alt", "title"),
}
"""By name of an element the attributes that Markdown can say."""

MARKS: Final[Mapping[str, tuple[str, ...]]] = {
    BOLD: (),
    ITALIC: (),
    STRIKE: (),
    CODE: (),
    LINK: ("href", "title"),
}
"""By name of a mark the attributes that Markdown can say."""


class Schema(NamedTuple):
    """The names of one version: attributes by element and by mark."""

    elements: Mapping[str, frozenset[str]]
    marks: Mapping[str, frozenset[str]]


_EDITORS_ADD: Final = {  # Tiptap writes these beside what Markdown says
    ORDERED_LIST: {"type"},
    IMAGE: {"width", "height"},
    LINK: {"target", "rel", "class"},
}

NEWEST: Final = 1
SCHEMAS: Final[Mapping[int, Schema]] = {
    1: Schema(
        {
            name: frozenset({*ATTRIBUTES.get(name, ()), *_EDITORS_ADD.get(name, ())})
            for name in (*BLOCKS, LIST_ITEM, HARD_BREAK, IMAGE)
        },
        {name: frozenset({*said, *_EDITORS_ADD.get(name, ())}) for name, said in MARKS.items()},
    ),
}
"""What there is by version; a document without a version has the first."""


_NAMES: Final = {
    version: (
        frozenset(schema.elements),
        frozenset(schema.marks),
        frozenset[str]().union(*schema.elements.values()),
    )
    for version, schema in SCHEMAS.items()
}
"""By version all names of elements, of marks, and of attributes of elements."""


def name_of(node: Node) -> str:
    """Return an element's name, and for words the empty one."""
    return "" if isinstance(node, Words) else node.name


def lacks(version: int, nodes: Iterable[Node]) -> list[str]:
    """Return what nodes use and a version does not know: "element callout", "mark underline".

    Later versions are taken to know all. O(n) in the size of the document.
    """
    if version not in SCHEMAS:
        return []
    return sorted(_used(nodes) - _known(SCHEMAS[version]))


def may_exceed(version: int, update: Update) -> bool:
    """Return whether an update writes a name that a version does not know, in a rich document.

    Without the document: which element an attribute is of is not looked up.
    """
    return version in SCHEMAS and any(
        name and name not in _NAMES[version][kind] for kind, name in _written(update)
    )


def _written(update: Update) -> Iterator[tuple[int, str]]:
    for struct in update.structs:
        if struct.type_ref == XML_ELEMENT:
            _, at = read_number(struct.body, 0)
            yield 0, read_text(struct.body, at)[0]
        elif struct.content == FORMAT:
            yield 1, read_text(struct.body, 0)[0]
        elif struct.is_keyed and not isinstance(struct.parent, str):
            yield 2, struct.key or ""  # without a key it goes on with one that was


def _used(nodes: Iterable[Node]) -> set[str]:
    used: set[str] = set()
    for node in nodes:
        if isinstance(node, Words):
            for run in node.runs:
                used |= _named("mark", run.marks)
        else:
            used |= _named("element", {node.name: node.attributes}) | _used(node.children)
    return used


def _known(schema: Schema) -> set[str]:
    return _named("element", schema.elements) | _named("mark", schema.marks)


def _named(kind: str, attributes: Mapping[str, Any]) -> set[str]:
    """Return names of elements or of marks, and of the attributes that each has."""
    named = {f"{kind} {name}" for name in attributes}
    for name, said in attributes.items():
        if isinstance(said, Mapping | frozenset):
            named |= {f"attribute {name}.{attribute}" for attribute in said}
    return named
