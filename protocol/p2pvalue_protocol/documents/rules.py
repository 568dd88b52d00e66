"""The rules by which what an update says is judged in its past (spec: kinds/document-update).

They make that all who apply the same updates show the same: each unit stands where an honest
editor could have put it, in something that can hold it, beside what the writer had seen.
"""

from __future__ import annotations

from typing import Final

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.past import Past
from p2pvalue_protocol.documents.steps import Steps
from p2pvalue_protocol.documents.strands import Char, Node, Run, Strand
from p2pvalue_protocol.documents.update_form import Place, Struct, Update
from p2pvalue_protocol.documents.verdict import UpdateInvalid, VoidReason

HOPS_MAX: Final = 65_536  # of one update, from run to run: a tenth of a second
_STRUCTS_PER_STEP: Final = 256
_HOPS_LIKE_A_STRUCT: Final = 16
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


def take_structs(update: Update, strand: Strand, past: Past, roots: dict[str, Node]) -> Steps[int]:
    """Judge what an update writes and add it to its strand; return the hops that took.

    Raises UpdateInvalid; what was added until then is for the caller to cut.
    """
    hops_left = HOPS_MAX
    work = 0
    for struct in update.structs:
        clock = past.written
        if struct.content == form.GC:
            strand.add(clock, Run(None, None, None))
        else:
            origin = _side(struct.origin, past)
            right = _side(struct.right, past)
            node, key = _parent(struct, origin, right, past, roots)
            _check_content(struct, node)
            _check_unsplit(origin, right)
            if right is not None:
                hops = yield from _hops_between(origin, right, hops_left)
                hops_left -= hops
                work += hops // _HOPS_LIKE_A_STRUCT
            strand.add(clock, Run(node, key, origin))
            if struct.type_ref >= 0:
                _add_type(struct, strand, clock, node)
            elif struct.lows:
                strand.lows.update(clock + low for low in struct.lows)
        past.written = clock + struct.length
        work += 1
        if work >= _STRUCTS_PER_STEP:
            work = 0
            yield
    return HOPS_MAX - hops_left


def _side(place: Place | None, past: Past) -> Char | None:
    """Return the unit on one side of a struct, which its writer had seen."""
    if place is None:
        return None
    char = past.char(*place)
    if char is None:
        raise UpdateInvalid(VoidReason.UNSEEN)
    return char


def _parent(
    struct: Struct, origin: Char | None, right: Char | None, past: Past, roots: dict[str, Node]
) -> tuple[Node, str | None]:
    """Return what a struct is in, and its key there: those of both its sides."""
    if origin is None and right is None:
        return _named_parent(struct, past, roots), struct.key
    if origin == right:
        raise UpdateInvalid(VoidReason.SIDES_DIFFER)
    found = [_holder(side) for side in (origin, right) if side is not None]
    node, key = found[0]
    if len(found) == 2 and (found[1][0] is not node or found[1][1] != key):
        raise UpdateInvalid(VoidReason.SIDES_DIFFER)
    if struct.is_keyed != (key is not None) or (right is not None and key is not None):
        raise UpdateInvalid(VoidReason.SIDES_DIFFER)
    return node, key


def _holder(char: Char) -> tuple[Node, str | None]:
    strand, clock = char
    node, key, _ = strand.runs[strand.run_of(clock)]
    if node is None:
        raise UpdateInvalid(VoidReason.NAMES_COLLECTED)
    return node, key


def _named_parent(struct: Struct, past: Past, roots: dict[str, Node]) -> Node:
    if isinstance(struct.parent, str):
        node = roots.get(struct.parent)
    else:
        char = _side(struct.parent, past)
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


def _left_of(char: Char) -> Char | None:
    """Return the left origin of a unit."""
    strand, clock = char
    at = strand.run_of(clock)
    return strand.runs[at].origin if strand.run_starts[at] == clock else (strand, clock - 1)


def _hops_between(origin: Char | None, right: Char, hops_left: int) -> Steps[int]:
    """Judge whether two units can have stood beside each other; return the hops that took.

    The chain of a unit is the unit, its left origin, the left origin of that, and so on. What
    stood right of an honest struct has its own left origin in the chain of the struct's, and is not
    in that chain itself. A hop leads from a run to the one that it was begun after; a run that
    goes on where a fork cut it is one.
    """
    left = _left_of(right)
    char, hops = origin, 0
    while char is not None:
        strand, clock = char
        at = strand.run_of(clock)
        start = strand.run_starts[at]
        if right[0] is strand and start <= right[1] <= clock:
            break
        if left is not None and left[0] is strand and start <= left[1] <= clock:
            return hops
        char = strand.runs[at].origin
        if char is None or char[0] is not strand.base or char[1] != start - 1:
            hops += 1
            if hops > hops_left:
                raise UpdateInvalid(VoidReason.TOO_TANGLED)
            if hops % (_STRUCTS_PER_STEP * _HOPS_LIKE_A_STRUCT) == 0:
                yield
    if char is None and left is None:
        return hops
    raise UpdateInvalid(VoidReason.NOT_ADJACENT)


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
