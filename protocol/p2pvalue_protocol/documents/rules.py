"""The rules by which what an update says is judged in its past (spec: kinds/document-update).

They make that all who apply the same updates show the same: each unit stands where an honest
editor could have put it, in something that can hold it, beside what the writer had seen.
"""

from __future__ import annotations

from typing import Final

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.chains import may_be_neighbours, run_of, settle
from p2pvalue_protocol.documents.past import Past
from p2pvalue_protocol.documents.steps import Steps
from p2pvalue_protocol.documents.strands import Char, Node, Run, Strand
from p2pvalue_protocol.documents.update_form import Place, Struct, Update
from p2pvalue_protocol.documents.verdict import UpdateInvalid, VoidReason

_STRUCTS_PER_STEP: Final = 256
TYPE_DEPTH_MAX: Final = 24  # printing some 20,000 XML elements in each other exhausts a stack
PLAIN_TEXT: Final = -1  # a text of strings only: its positions are those of its characters

SHAPES: Final = {
    "plain": {"content": PLAIN_TEXT, "meta": form.MAP},
    "markdown": {"content": PLAIN_TEXT, "meta": form.MAP},
    "rich": {"prosemirror": form.XML_FRAGMENT, "meta": form.MAP},
}
"""By shape of a document the roots that it has, and what they are."""

_LISTED: Final = {
    PLAIN_TEXT: (form.STRING, form.DELETED),
    form.TEXT: (form.STRING, form.EMBED, form.FORMAT, form.DELETED),
    form.XML_TEXT: (form.STRING, form.EMBED, form.FORMAT, form.DELETED),
    form.ARRAY: (form.ANY, form.BINARY, form.TYPE, form.DELETED),
    form.XML_ELEMENT: (form.TYPE, form.DELETED),
    form.XML_FRAGMENT: (form.TYPE, form.DELETED),
}
"""What may stand in the list of a type."""

_KEYED: Final = (form.ANY, form.BINARY, form.TYPE, form.DELETED)
_HOLDS_KEYS: Final = (form.MAP, form.XML_ELEMENT, form.XML_TEXT)
_XML_CHILDREN: Final = (form.XML_ELEMENT, form.XML_TEXT)
_ELEMENTS: Final = (form.XML_ELEMENT, form.XML_FRAGMENT)


def roots_of(shape: str) -> dict[str, Node]:
    """Return the roots of a document of a shape; KeyError if there is no such shape."""
    return {name: Node(kind, 0) for name, kind in SHAPES[shape].items()}


def take_structs(update: Update, strand: Strand, past: Past, roots: dict[str, Node]) -> Steps[None]:
    """Judge what an update writes and add it to its strand.

    Raises UpdateInvalid; what was added until then is for the caller to cut.
    """
    for count, struct in enumerate(update.structs, 1):
        take_struct(struct, strand, past, roots)
        if count % _STRUCTS_PER_STEP == 0:
            yield


def take_struct(struct: Struct, strand: Strand, past: Past, roots: dict[str, Node]) -> None:
    """Judge one struct and add it to its strand, as `take_structs` does.

    One whose sides are refused has added nothing.
    """
    clock = past.written
    if struct.content == form.GC:
        _add_run(strand, clock, Run(None, None, None), None)
    else:
        origin = side_of(struct.origin, past)
        right = side_of(struct.right, past)
        after = None if origin is None else run_of(origin)
        node, key = _parent(struct, origin, right, after, past, roots)
        _check_content(struct, node)
        _check_unsplit(origin, right)
        if right is not None and not may_be_neighbours(origin, right):
            raise UpdateInvalid(VoidReason.NOT_ADJACENT)
        if origin is None or origin[0] is not strand or origin[1] != clock - 1:
            _add_run(strand, clock, Run(node, key, origin), after)
        if struct.type_ref >= 0:
            _add_type(struct, strand, clock, node)
        elif struct.lows:
            strand.lows.update(clock + low for low in struct.lows)
    past.written = clock + struct.length


def _add_run(strand: Strand, clock: int, run: Run, after: Run | None) -> None:
    settle(run, after)
    strand.add(clock, run)


def side_of(place: Place | None, past: Past) -> Char | None:
    """Return the unit on one side of a struct, which its writer had seen."""
    if place is None:
        return None
    char = past.char(*place)
    if char is None:
        raise UpdateInvalid(VoidReason.UNSEEN)
    return char


def _parent(
    struct: Struct,
    origin: Char | None,
    right: Char | None,
    after: Run | None,
    past: Past,
    roots: dict[str, Node],
) -> tuple[Node, str | None]:
    """Return what a struct is in, and its key there: those of both its sides.

    `after` is the run of its origin, if it has one.
    """
    before = None if right is None else run_of(right)
    side = after or before
    if side is None:
        return _named_parent(struct, past, roots), struct.key
    if origin == right:
        raise UpdateInvalid(VoidReason.SIDES_DIFFER)
    node, key = side.node, side.key
    if node is None or (before is not None and before.node is None):
        raise UpdateInvalid(VoidReason.NAMES_COLLECTED)
    if before is not None and (before.node is not node or before.key != key or key is not None):
        raise UpdateInvalid(VoidReason.SIDES_DIFFER)
    if struct.is_keyed != (key is not None):
        raise UpdateInvalid(VoidReason.SIDES_DIFFER)
    return node, key


def _named_parent(struct: Struct, past: Past, roots: dict[str, Node]) -> Node:
    if isinstance(struct.parent, str):
        node = roots.get(struct.parent)
    else:
        char = side_of(struct.parent, past)
        assert char is not None, "a struct without sides names its parent"
        node = char[0].types.get(char[1])
    if node is None:
        raise UpdateInvalid(VoidReason.PARENT_INVALID)
    return node


def _check_content(struct: Struct, node: Node) -> None:
    """Refuse content that does not fit into what holds it."""
    content = struct.content
    if struct.is_keyed:
        fits = node.kind in _HOLDS_KEYS and content in _KEYED
    else:
        fits = content in _LISTED.get(node.kind, ())
        if fits and content == form.TYPE and node.kind in _ELEMENTS:
            fits = struct.type_ref in _XML_CHILDREN
    if not fits:
        raise UpdateInvalid(VoidReason.CONTENT_MISPLACED)


def _add_type(struct: Struct, strand: Strand, clock: int, node: Node) -> None:
    if node.depth >= TYPE_DEPTH_MAX:
        raise UpdateInvalid(VoidReason.TOO_DEEP)
    strand.types[clock] = Node(struct.type_ref, node.depth + 1)


# --- sides


def _check_unsplit(origin: Char | None, right: Char | None) -> None:
    """Refuse to write between the two halves of one character."""
    if origin is not None and origin[1] + 1 in origin[0].lows:
        raise UpdateInvalid(VoidReason.SPLITS_CHARACTER)
    if right is not None and right[1] in right[0].lows:
        raise UpdateInvalid(VoidReason.SPLITS_CHARACTER)


# --- deletions


def check_deletions(update: Update, past: Past) -> None:
    """Refuse deletions of what the writer had not seen, and of half a character."""
    for client, ranges in update.deletions:
        for start, length in ranges:
            parts = past.parts(client, start, start + length)
            if parts is None:
                raise UpdateInvalid(VoidReason.DELETES_UNSEEN)
            for strand, first, end in parts:
                if strand.lows and (first in strand.lows or end in strand.lows):
                    raise UpdateInvalid(VoidReason.SPLITS_CHARACTER)
