"""Updates of documents that are asked for by id, since something shown rests on them (spec: sync).

An update names others by their ids alone. Where one of these stands in a log that nobody lists any
more, nobody would ever bring it; so peers are asked where it is, and what they say is asked for as
all that something held names. What they say is not believed: it says what to ask for, no more.
"""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol import limits
from p2pvalue_protocol.ids import Reference


class Sought:
    """What is sought of one community; not kept over a restart."""

    def __init__(self) -> None:
        self.version = 0  # grows when what is missing may be other
        self._documents: dict[bytes, bytes] = {}  # by op id, the newest last
        self._places: dict[bytes, set[Reference]] = {}  # by op id: where peers said that it is

    def seek(self, document: bytes, op_ids: Iterable[bytes]) -> bool:
        """Seek these updates of a document and no others; return whether any was not sought yet."""
        wanted = frozenset(op_ids)
        for op_id, owner in list(self._documents.items()):
            if owner == document and op_id not in wanted:
                self._forget(op_id)
        new = sorted(wanted.difference(self._documents))
        for op_id in new:
            self._documents[op_id] = document
        too_many = max(0, len(self._documents) - limits.UPDATES_SOUGHT_MAX)
        for op_id in list(self._documents)[:too_many]:
            self._forget(op_id)
        return bool(new)

    def _forget(self, op_id: bytes) -> None:
        del self._documents[op_id]
        self.version += self._places.pop(op_id, None) is not None

    def questions(self) -> list[tuple[bytes, bytes]]:
        """Return (document, op id) of all that is sought, ascending."""
        return sorted((document, op_id) for op_id, document in self._documents.items())

    def found(self, place: Reference) -> None:
        """Note where a peer says that an update is; of what is not sought nothing."""
        if place.op_id not in self._documents:
            return
        places = self._places.setdefault(place.op_id, set())
        if len(places) < limits.UPDATE_PLACES_MAX and place not in places:
            places.add(place)
            self.version += 1

    def places(self) -> set[Reference]:
        """Return the places that peers said, held or not."""
        return set().union(*self._places.values())

    def reaches(self, device: bytes, log_class: int, seq: int) -> bool:
        """Return whether something is sought at a place in a log, or behind it."""
        return any(
            (place.device, place.log_class) == (device, log_class) and place.seq >= seq
            for place in self.places()
        )
