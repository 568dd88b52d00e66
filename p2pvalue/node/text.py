"""One replica of a plain text: the only file that knows pycrdt.

Positions are code points here; pycrdt counts UTF-8 bytes. A panic inside pycrdt is a BaseException
that `except Exception` would let through to end the daemon, and there is no rollback: after a
`TextBroken` the replica is thrown away and made anew from the operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pycrdt

from p2pvalue.node.difference import Edit, edits_between
from p2pvalue_protocol.errors import LocalProtocolError

ROOT_NAME: Final = "content"

# A burst is one transaction and one operation; these keep its update below a payload's size.
BURST_COST_MAX: Final = 56_000
BURST_CHARACTERS_MAX: Final = 8_192  # at most 16,384 UTF-16 units in one block
DELETED_AT_ONCE_MAX: Final = 2_048
_EDIT_COST: Final = 40  # a block's head with two references
_DELETED_COST: Final = 8  # a character deleted may be a range of its own


class TextBroken(Exception):
    """pycrdt failed on this replica; it must not be used any more."""


class SharedText:
    """A replica of one text that writes with the Yjs client id `client`."""

    def __init__(self, client: int, encoded: bytes | None = None) -> None:
        self.client = client
        self._shown: str | None = None
        with _contained():
            self._doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=client)
            self._text = self._doc.get(ROOT_NAME, type=pycrdt.Text)
            if encoded is not None:
                self._doc.apply_update(encoded)

    @property
    def text(self) -> str:
        """The text as it reads now; a copy, made when it changed."""
        if self._shown is None:
            with _contained():
                self._shown = str(self._text)
        return self._shown

    def apply(self, update: bytes) -> None:
        """Take in a verified update of anybody; ~10 µs for a few keystrokes."""
        self._shown = None
        with _contained():
            self._doc.apply_update(update)

    def take_from(self, other: SharedText) -> None:
        """Take in what another replica has and this one lacks."""
        self._shown = None
        with _contained():
            self._doc.apply_update(other._doc.get_update(self._doc.get_state()))

    def edit(self, edits: Sequence[Edit]) -> list[bytes]:
        """Apply edits, one after the other; return the updates that tell others, in order.

        Raises LocalProtocolError and changes nothing if an edit reaches out of the text.
        """
        check_edits(len(self.text), edits)
        return [self._edit_at_once(burst) for burst in in_bursts(edits)]

    def encoded(self) -> bytes:
        """Return the whole replica as one update; ~1 ms for 100 kB."""
        with _contained():
            return bytes(self._doc.get_update())

    def _edit_at_once(self, burst: Sequence[Edit]) -> bytes:
        updates: list[bytes] = []
        shown = self.text
        self._shown = None
        with _contained():
            subscription = self._doc.observe(lambda event: updates.append(event.update))
            try:
                with self._doc.transaction():
                    for position, deleted, inserted in burst:
                        start = _byte_offset(shown, position)
                        end = position + deleted
                        if deleted:
                            del self._text[start : start + len(shown[position:end].encode())]
                        if inserted:
                            self._text.insert(start, inserted)
                        shown = shown[:position] + inserted + shown[end:]
            finally:
                self._doc.unobserve(subscription)
        if len(updates) != 1:
            raise TextBroken(f"{len(updates)} updates came from one transaction")
        self._shown = shown
        return updates[0]


def check_edits(length: int, edits: Iterable[Edit]) -> None:
    """Raise LocalProtocolError unless the edits fit a text of `length` code points."""
    for position, deleted, inserted in edits:
        if position < 0 or deleted < 0 or position + deleted > length:
            raise LocalProtocolError(
                f"an edit at {position} that deletes {deleted} does not fit a text of {length}"
                " characters: read the text again and count in code points"
            )
        try:
            inserted.encode()
        except UnicodeEncodeError:
            raise LocalProtocolError(
                "the text holds half a character (a lone surrogate): type it again"
            ) from None
        length += len(inserted) - deleted


def in_bursts(edits: Iterable[Edit]) -> Iterator[list[Edit]]:
    """Yield the same edits in groups, large ones cut, each small enough for one operation."""
    burst: list[Edit] = []
    cost = characters = 0
    for piece in _in_pieces(edits):
        size = len(piece.inserted.encode()) + _EDIT_COST + _DELETED_COST * piece.deleted
        length = len(piece.inserted)
        if burst and (cost + size > BURST_COST_MAX or characters + length > BURST_CHARACTERS_MAX):
            yield burst
            burst, cost, characters = [], 0, 0
        burst.append(piece)
        cost += size
        characters += length
    if burst:
        yield burst


def _in_pieces(edits: Iterable[Edit]) -> Iterator[Edit]:
    for position, deleted, inserted in edits:
        while deleted > DELETED_AT_ONCE_MAX:
            yield Edit(position, DELETED_AT_ONCE_MAX, "")
            deleted -= DELETED_AT_ONCE_MAX
        first, rest = inserted[:BURST_CHARACTERS_MAX], inserted[BURST_CHARACTERS_MAX:]
        if deleted or first:
            yield Edit(position, deleted, first)
        for start in range(0, len(rest), BURST_CHARACTERS_MAX):
            piece = rest[start : start + BURST_CHARACTERS_MAX]
            yield Edit(position + len(first) + start, 0, piece)


def _byte_offset(text: str, position: int) -> int:
    return position if text.isascii() else len(text[:position].encode())


@contextmanager
def _contained() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit, TextBroken):
        raise
    except BaseException as error:  # noqa: BLE001 - a PanicException is no Exception
        raise TextBroken(f"{type(error).__name__}: {error}") from None


def merged(base: str, text: str, now: str) -> str:
    """Return `now` with the changes from `base` to `text` in it, merged as two people's edits."""
    mine, theirs, seed = SharedText(1), SharedText(2), SharedText(3)
    start = seed.edit([Edit(0, 0, base)] if base else [])
    for replica in (mine, theirs):
        for update in start:
            replica.apply(update)
    for update in mine.edit(edits_between(base, text)):
        seed.apply(update)
    for update in theirs.edit(edits_between(base, now)):
        seed.apply(update)
    return seed.text
