"""The same update under other names: what its own past calls so, as a set of updates calls it."""

from __future__ import annotations

from p2pvalue_protocol.documents.naming import Naming
from p2pvalue_protocol.documents.past import Past
from p2pvalue_protocol.documents.update_form import Place, Struct, Update


def renamed(update: Update, past: Past, naming: Naming) -> Update:
    """Return an update that counts with the names of `naming` for those of its past."""

    def called(place: Place) -> Place:
        char = past.char(*place)
        assert char is not None, "an update that counts names what is there"
        return naming.called(*char)

    def struct_renamed(struct: Struct) -> Struct:
        parent = struct.parent
        return struct._replace(
            origin=None if struct.origin is None else called(struct.origin),
            right=None if struct.right is None else called(struct.right),
            parent=called(parent) if isinstance(parent, tuple) else parent,
        )

    client, first_clock = update.client, update.first_clock
    if past.writing is not None:
        client, first_clock = naming.called(past.writing, past.first)
    structs = tuple(struct_renamed(struct) for struct in update.structs)
    return Update(client, first_clock, structs, _deletions(update, past, naming))


def _deletions(
    update: Update, past: Past, naming: Naming
) -> tuple[tuple[int, tuple[tuple[int, int], ...]], ...]:
    found: dict[int, list[tuple[int, int]]] = {}
    for client, ranges in update.deletions:
        for start, length in ranges:
            for strand, first, end in past.parts(client, start, start + length) or ():
                at = first
                while at < end:
                    changes = naming.next_piece(strand, at)
                    stop = end if changes is None else min(end, changes)
                    name, clock = naming.called(strand, at)
                    found.setdefault(name, []).append((clock, stop - at))
                    at = stop
    return tuple((name, tuple(sorted(ranges))) for name, ranges in found.items())
