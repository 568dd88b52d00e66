"""Which epochs are valid, and how they hang together (spec: epochs, "Depth").

An EPOCH wraps the secrets of older ones, and so the epochs form chains; the ids in the wraps are
hashes, so no ring can be made. A chain may come in any order, and depths are counted anew where
something was missing below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush

import msgspec

from p2pvalue_protocol.encoding import PayloadInvalid
from p2pvalue_protocol.kinds.epoch import Epoch, Wrap, decode_epoch


class EpochRecord(msgspec.Struct, frozen=True, array_like=True):
    """A valid epoch, as far as it is needed once its operations are folded."""

    epoch: bytes  # op id of its last part
    device: bytes  # of its author
    time: int
    frontier: int  # number of its auth frontier, on this node
    commitment: bytes
    audience: tuple[bytes, ...]  # roots, ascending; empty: everybody
    wraps: tuple[Wrap, ...]


_record_decoder = msgspec.msgpack.Decoder(EpochRecord)


class EpochRecords:
    """The valid epochs of one community; about 1 kB each."""

    def __init__(self, rows: Iterable[bytes]) -> None:
        """Take the encoded records that were stored."""
        self._records: dict[bytes, EpochRecord] = {}
        self._depths: dict[bytes, int] = {}
        self._newer: dict[bytes, list[bytes]] = {}  # epoch -> those that wrap its secret
        self._deepest_first: list[EpochRecord] | None = None
        records = [_record_decoder.decode(row) for row in rows]
        for record in sorted(
            records, key=lambda record: record.time
        ):  # so that chains grow upwards
            self.insert(record)

    def get(self, epoch: bytes) -> EpochRecord | None:
        """Return a valid epoch that is held and folded."""
        return self._records.get(epoch)

    def insert(self, record: EpochRecord) -> None:
        """Take a valid epoch; costs as many steps as epochs hang above it and become deeper.

        Each is looked at once, whatever else it wraps: those come first that were less deep.
        """
        self._records[record.epoch] = record
        for wrap in record.wraps:
            self._newer.setdefault(wrap.epoch, []).append(record.epoch)
        self._deepest_first = None
        above = [(0, record.epoch)]  # with the depth until now
        met = {record.epoch}
        while above:
            _, current = heappop(above)
            wraps = self._records[current].wraps
            depth = 1 + max((self._depths.get(wrap.epoch, 0) for wrap in wraps), default=0)
            if self._depths.get(current) == depth:
                continue
            self._depths[current] = depth
            for newer in self._newer.get(current, ()):
                if newer not in met:
                    met.add(newer)
                    heappush(above, (self._depths[newer], newer))

    def deepest_first(self) -> list[EpochRecord]:
        """Return all, the deepest first, of equal depth the smallest id first."""
        if self._deepest_first is None:
            self._deepest_first = sorted(
                self._records.values(), key=lambda r: (-self._depths[r.epoch], r.epoch)
            )
        return self._deepest_first

    def by_turns(self) -> list[EpochRecord]:
        """Return all: the deepest by each device, then the second by each, and so on."""
        made: dict[bytes, int] = {}
        turns: list[tuple[int, int, EpochRecord]] = []
        for place, record in enumerate(self.deepest_first()):
            turn = made.get(record.device, 0)
            made[record.device] = turn + 1
            turns.append((turn, place, record))
        return [record for _, _, record in sorted(turns, key=lambda found: found[:2])]

    def wrapping(self, epoch: bytes) -> list[tuple[EpochRecord, Wrap]]:
        """Return the valid epochs that wrap the secret of one, with what they hold of it."""
        return [
            (self._records[newer], wrap)
            for newer in self._newer.get(epoch, ())
            for wrap in self._records[newer].wraps
            if wrap.epoch == epoch
        ]


def parts_of(payload: bytes, earlier: Callable[[int], list[bytes]]) -> list[Epoch]:
    """Return the parts of the epoch that an EPOCH's payload completes; empty if it completes none.

    `earlier` returns the payloads of so many operations before it in its log.
    """
    try:
        last = decode_epoch(payload)
        if not last.is_last:
            return []
        parts = [*(decode_epoch(before) for before in earlier(last.part)), last]
    except PayloadInvalid:
        return []
    expected = [(number, last.parts, last.commitment) for number in range(last.parts)]
    found = [(part.part, part.parts, part.commitment) for part in parts]
    return parts if found == expected else []
