"""Whether the journal that a process left behind lost commits to a failing disk.

SQLite reads a journal (WAL) up to the first frame whose checksum is wrong and takes that for its
end, as it is where a power cut tore a commit that nobody was told of. A bit that flipped later ends
a journal in the same way, and every commit behind it would vanish without a word. The two differ in
what follows. A commit is flushed before the next one is written, so behind a torn one lie frames of
older commits only; behind a flipped bit the chain of checksums goes on.

What this cannot see: damage in the last commit, or in the last frame of the one before it. That
looks as if it had been torn, and to refuse what a power cut left would be worse.
"""

from __future__ import annotations

import struct
import sys
from typing import NamedTuple

import apsw

_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_SEQUENCE = slice(12, 16)
_SALTS = slice(16, 24)
_WORD = "<" if sys.byteorder == "little" else ">"  # SQLite sums up in the machine's own order

_Sums = tuple[int, int]
_Pair = struct.Struct(">2I")


class _Frame(NamedTuple):
    summed: bytes  # page number and size after a commit, then the page as it lies on the disk
    is_commit: bool
    salts: bytes
    sums: _Sums  # over everything from the journal's beginning to here, as written

    def sums_after(self, before: _Sums) -> _Sums:
        return _sums_after(before, self.summed)


def has_lost_commits(connection: apsw.Connection) -> bool:
    """Return whether the journal holds commits that SQLite will not read, behind damage.

    To be asked before anything is written. Reads the part of the journal that SQLite does not.
    """
    frames_read = connection.pragma("wal_checkpoint", "NOOP")[1]  # and opens the journal
    if frames_read < 0:
        return False  # in memory, or new on a disk that fails: there is no such journal
    is_whole, header = connection.read("main", 1, 0, _HEADER_BYTES)
    if not is_whole:
        return False  # it is empty
    page_bytes = connection.pragma("page_size")
    written = _Pair.unpack(header[_SALTS.stop :])
    computed = _sums_after((0, 0), header[: _SALTS.stop])
    if written == computed:
        return _goes_on(connection, page_bytes, frames_read, header[_SALTS], written)
    first = _read_frame(connection, page_bytes, 0)
    return first is not None and _is_damaged(header, written, computed, first)


def _is_damaged(header: bytes, written: _Sums, computed: _Sums, first: _Frame) -> bool:
    """Return whether a journal that began with this header goes on, so that nothing tore it."""
    if first.sums == first.sums_after(computed):
        return first.salts == header[_SALTS]
    if first.sums != first.sums_after(written):
        return False
    # The next journal's header may have been torn while it was written over this one's: then the
    # former one has the number before it, and what lies behind is in the database already.
    former = int.from_bytes(header[_SEQUENCE], "big") - 1
    beginning = header[: _SEQUENCE.start] + (former % 2**32).to_bytes(4, "big") + first.salts
    return _sums_after((0, 0), beginning) != written


def _goes_on(
    connection: apsw.Connection, page_bytes: int, start: int, salts: bytes, sums: _Sums
) -> bool:
    """Return whether from frame `start` on a commit is followed by a frame written after it."""
    before = _read_frame(connection, page_bytes, start - 1) if start else None
    end = sums if before is None else before.sums
    is_after_commit = False
    number = start
    while (frame := _read_frame(connection, page_bytes, number)) is not None:
        # Summed up where a commit is in question only: elsewhere nobody asks.
        is_ours = (frame.is_commit or is_after_commit) and frame.salts == salts
        continues = is_ours and frame.sums == frame.sums_after(end)
        if continues and is_after_commit:
            return True
        is_after_commit = continues and frame.is_commit
        end = frame.sums
        number += 1
    return False


def _read_frame(connection: apsw.Connection, page_bytes: int, number: int) -> _Frame | None:
    # Header and page in one read, as SQLite reads them to recover: the page alone is deciphered.
    amount = _FRAME_HEADER_BYTES + page_bytes
    is_whole, data = connection.read("main", 1, _HEADER_BYTES + number * amount, amount)
    if not is_whole:
        return None
    sums = _Pair.unpack(data[16:_FRAME_HEADER_BYTES])
    summed = data[:8] + data[_FRAME_HEADER_BYTES:]
    return _Frame(summed, data[4:8] != bytes(4), data[8:16], sums)


def _sums_after(sums: _Sums, data: bytes) -> _Sums:
    """Return SQLite's checksum of a journal, continued over more data."""
    first, second = sums
    words = struct.unpack(f"{_WORD}{len(data) // 4}I", data)
    for at in range(0, len(words), 2):
        first = (first + words[at] + second) & 0xFFFFFFFF
        second = (second + words[at + 1] + first) & 0xFFFFFFFF
    return first, second
