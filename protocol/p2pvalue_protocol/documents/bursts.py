"""What an editor says, as updates to sign: a burst of typing as one, a large paste as several.

Editors tell of every key in an update of its own, with places of some twenty bytes. Letters typed
in a row are one string to the text library, so they are written as one; nothing that they mean
changes. How updates are cut is the writer's choice, and no rule for readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from p2pvalue_protocol.documents.numbers import read_text, write_number
from p2pvalue_protocol.documents.update_form import (
    DELETED,
    GC,
    STRING,
    STRING_UNITS_MAX,
    STRUCTS_MAX,
    WRITTEN_UNITS_MAX,
    Caps,
    Place,
    Struct,
    Update,
    lows_of,
)
from p2pvalue_protocol.documents.verdict import UpdateInvalid, VoidReason

Ranges = tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
"""What is deleted: by client, pairs of first clock and length, as in `Update`."""

EDITOR_CAPS: Final = Caps(65_536, 65_536, 1_048_576, 1_048_576)
"""What an editor may say at once: a megabyte pasted, or all it did while it was cut off."""

TEXT_ROOT: Final = "content"
PART_BYTES_MAX: Final = 56_000  # beside heads and the operation's own fields
_HEAD_BYTES = 24  # of an update
_STRUCT_BYTES = 28  # of a struct besides what it holds: two places
_RANGE_BYTES = 20  # of a deleted range, the only one of its client
_RANGES_AT_ONCE: Final = 2_048
_PIECE_CHARACTERS: Final = STRING_UNITS_MAX // 2  # each of them may take two units


def joined(updates: Iterable[Update]) -> Update:
    """Return one update for those that one client wrote one after the other, or that only delete.

    What is typed in a row becomes one string, what is deleted one list of ranges. O(their bytes).
    """
    client = first = clock = -1
    runs: list[list[Struct]] = []
    units = 0
    deleted: list[Ranges] = []
    for update in updates:
        if update.structs and client < 0:
            client, first, clock = update.client, update.first_clock, update.first_clock
        for struct in update.structs:
            goes_on = struct.origin == (client, clock - 1) and runs and _goes_on(runs[-1], struct)
            if goes_on and units + struct.length <= STRING_UNITS_MAX:
                runs[-1].append(struct)
                units += struct.length
            else:
                runs.append([struct])
                units = struct.length
            clock += struct.length
        deleted.append(update.deletions)
    return Update(client, first, tuple(map(_as_one, runs)), united(deleted))


def _goes_on(run: Sequence[Struct], struct: Struct) -> bool:
    first = run[0]
    return first.content == struct.content == STRING and first.right == struct.right


def _as_one(run: Sequence[Struct]) -> Struct:
    if len(run) == 1:
        return run[0]
    return _string(run[0], "".join(read_text(struct.body, 0)[0] for struct in run))


def _string(struct: Struct, text: str) -> Struct:
    """Return a struct that writes another text."""
    data = text.encode()
    lows = lows_of(text)
    body = write_number(len(data)) + data
    return struct._replace(length=len(text) + len(lows), body=body, lows=lows)


def first_text(client: int, text: str) -> list[Update]:
    """Return the updates by which a client writes the first text of a plain or Markdown document.

    They are what the text library would say, without it. Raises UnicodeEncodeError for text with
    half a surrogate pair.
    """
    empty = Struct(STRING, 0, None, None, TEXT_ROOT, False, None, b"", -1, ())
    return in_parts(Update(client, 0, (_string(empty, text),), ())) if text else []


def in_parts(update: Update) -> list[Update]:
    """Return updates, each small enough for one operation, that say the same one after the other.

    One struct that is too large stays so, unless it is a string. What is deleted comes last.
    """
    parts: list[Update] = []
    structs: list[Struct] = []
    first = clock = update.first_clock
    units, size = 0, _HEAD_BYTES
    for struct in _pieces(update):
        cost = len(struct.body) + _STRUCT_BYTES
        is_full = units + struct.length > WRITTEN_UNITS_MAX or size + cost > PART_BYTES_MAX
        if structs and (is_full or len(structs) == STRUCTS_MAX):
            parts.append(Update(update.client, first, tuple(structs), ()))
            first, structs, units, size = clock, [], 0, _HEAD_BYTES
        structs.append(struct)
        units, size, clock = units + struct.length, size + cost, clock + struct.length
    deletions = list(_ranges_at_once(update.deletions))
    if structs:
        last = Update(update.client, first, tuple(structs), ())
        if deletions and size + _RANGE_BYTES * _count(deletions[0]) <= PART_BYTES_MAX:
            last = last._replace(deletions=deletions.pop(0))
        parts.append(last)
    return parts + [Update(-1, -1, (), ranges) for ranges in deletions]


def _pieces(update: Update) -> Iterator[Struct]:
    clock = update.first_clock
    for struct in update.structs:
        if struct.content != STRING or struct.length <= STRING_UNITS_MAX:
            yield struct
            clock += struct.length
            continue
        text, _ = read_text(struct.body, 0)
        following = struct
        for start in range(0, len(text), _PIECE_CHARACTERS):
            piece = _string(following, text[start : start + _PIECE_CHARACTERS])
            yield piece
            clock += piece.length
            following = piece._replace(origin=(update.client, clock - 1), parent=None)


# --- what is said again


def said_anew(update: Update, clock: int) -> Update:
    """Return what an update writes from a clock on, and all that it deletes.

    An editor that edits while it is told of an edit of its own says the second in both updates.
    Raises UpdateInvalid if the clock is within what cannot be parted.
    """
    at, structs = update.first_clock, []
    for struct in update.structs:
        if at >= clock:
            structs.append(struct)
        elif at + struct.length > clock:
            structs.append(_rest_of(struct, clock - at, (update.client, clock - 1)))
        at += struct.length
    if not structs:
        return Update(-1, -1, (), update.deletions)
    return update._replace(first_clock=max(update.first_clock, clock), structs=tuple(structs))


def _rest_of(struct: Struct, start: int, before: Place) -> Struct:
    length = struct.length - start
    if struct.content == GC:
        return struct._replace(length=length)
    rest = struct._replace(length=length, origin=before, parent=None, key=None)
    if struct.content == DELETED:
        return rest
    if struct.content != STRING or start in struct.lows:
        raise UpdateInvalid(VoidReason.OUT_OF_TURN)
    text = read_text(struct.body, 0)[0].encode("utf-16-le")
    return _string(rest, text[2 * start :].decode("utf-16-le"))


# --- what is deleted


def united(found: Iterable[Ranges]) -> Ranges:
    """Return all that is in any of these, in as few ranges as can be."""
    by_client: dict[int, list[tuple[int, int]]] = {}
    for deletions in found:
        for client, ranges in deletions:
            by_client.setdefault(client, []).extend(ranges)
    return tuple((client, tuple(_apart(ranges))) for client, ranges in by_client.items())


def _apart(ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    ranges.sort()
    first, end = ranges[0][0], 0
    for start, length in ranges:
        if start > end:
            if end:
                yield first, end - first
            first = start
        end = max(end, start + length)
    yield first, end - first


def without(deletions: Ranges, known: Ranges) -> Ranges:
    """Return what is in the first and not in the second; each as `read_update` returns it."""
    known_of = dict(known)
    left = []
    for client, ranges in deletions:
        rest = tuple(_rest(ranges, known_of.get(client, ())))
        if rest:
            left.append((client, rest))
    return tuple(left)


def _rest(
    ranges: tuple[tuple[int, int], ...], known: tuple[tuple[int, int], ...]
) -> Iterator[tuple[int, int]]:
    at = 0
    for start, length in ranges:
        end = start + length
        while at < len(known) and sum(known[at]) <= start:
            at += 1
        following = at
        while start < end and following < len(known) and known[following][0] < end:
            if known[following][0] > start:
                yield start, known[following][0] - start
            start = sum(known[following])
            following += 1
        if start < end:
            yield start, end - start


def _ranges_at_once(deletions: Ranges) -> Iterator[Ranges]:
    batch: list[tuple[int, tuple[tuple[int, int], ...]]] = []
    room = _RANGES_AT_ONCE
    for client, ranges in deletions:
        rest = ranges
        while rest:
            batch.append((client, rest[:room]))
            room, rest = room - len(batch[-1][1]), rest[room:]
            if not room:
                yield tuple(batch)
                batch, room = [], _RANGES_AT_ONCE
    if batch:
        yield tuple(batch)


def _count(deletions: Ranges) -> int:
    return sum(len(ranges) for _, ranges in deletions)
