"""One replica of a document's text, in the library that merges what people type.

Positions are code points here; pycrdt counts UTF-8 bytes. A panic inside pycrdt is a BaseException
that `except Exception` would let through, and there is no rollback: after a `TextBroken` the
replica is thrown away and made anew from the operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pycrdt

from p2pvalue.texts.broken import TextBroken
from p2pvalue.texts.difference import edits_between
from p2pvalue.texts.edits import Edit, check_edits, in_bursts
from p2pvalue_protocol.errors import LocalProtocolError

TEXT_ROOT: Final = "content"
"""What holds the text of a plain or Markdown document."""
RICH_ROOT: Final = "prosemirror"
"""What holds the elements of a rich document."""
META_ROOT: Final = "meta"
RICH: Final = "rich"
_NO_ROOM: Final = "failed to allocate memory"  # yrs says it so


class SharedDocument:
    """A replica of one document of a shape (`plain`, `markdown`, `rich`) that writes as `client`.

    `doc` is the library's document and `content` the root of its text; whoever touches them does so
    inside `contained()` and calls `touch` after a change.
    """

    def __init__(self, shape: str, client: int, encoded: bytes | None = None) -> None:
        """Begin empty or with what `encoded` gave; `client` is a Yjs client id."""
        self.shape, self.client = shape, client
        self._shown: str | None = None
        with contained():
            self.doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=client)
            self.content: pycrdt.Text | pycrdt.XmlFragment = (
                self.doc.get(RICH_ROOT, type=pycrdt.XmlFragment)
                if shape == RICH
                else self.doc.get(TEXT_ROOT, type=pycrdt.Text)
            )
            if encoded is not None:
                self.doc.apply_update(encoded)

    @property
    def text(self) -> str:
        """The text, or a rich document as Markdown, as it reads now; made when it changed."""
        if self._shown is None:
            with contained():
                self._shown = self._read()
        return self._shown

    def _read(self) -> str:
        if isinstance(self.content, pycrdt.Text):
            return str(self.content)
        # What knows Markdown is loaded with the first rich document.
        from p2pvalue.texts.rich_edit import markdown_of  # noqa: PLC0415 - see above

        return markdown_of(self.content)

    def touch(self) -> None:
        """Note that the text may read otherwise now."""
        self._shown = None

    def apply(self, updates: Sequence[bytes]) -> None:
        """Take in verified updates of anybody, in order; ~10 µs for a few keystrokes each.

        `TextBroken.at` says which one the library failed on.
        """
        self.touch()
        for number, update in enumerate(updates):
            with contained(number):
                self.doc.apply_update(update)

    def take_from(self, other: SharedDocument) -> None:
        """Take in what another replica has and this one lacks."""
        self.touch()
        with contained():
            self.doc.apply_update(other.doc.get_update(self.doc.get_state()))

    def edit(self, edits: Sequence[Edit]) -> list[bytes]:
        """Apply edits, one after the other; return the updates that tell others, in order.

        Raises LocalProtocolError and changes nothing if an edit reaches out of the text, or if the
        document has no positions.
        """
        if not isinstance(self.content, pycrdt.Text):
            raise LocalProtocolError("a rich document has no positions: edit it as a whole")
        check_edits(len(self.text), edits)
        return [self._edit_at_once(self.content, burst) for burst in in_bursts(edits)]

    def rewrite(self, base: str | None, text: str) -> list[bytes]:
        """Bring the changes from `base` (None: what it says now) to `text` in, as updates in order.

        They are merged with what it says now as two people's edits. Raises LocalProtocolError and
        changes nothing if a rich document cannot hold them. Costs up to some seconds.
        """
        now = self.text
        if base is not None and base != now:
            text = _merged(base, text, now)
        if isinstance(self.content, pycrdt.Text):
            return self.edit(edits_between(now, text))
        from p2pvalue.texts.rich_edit import change_to  # noqa: PLC0415 - as in `_read`

        self.touch()
        with contained():
            return change_to(self.doc, self.content, text)

    def lacks(self, version: int) -> list[str]:
        """Return what a rich document uses and a version of its schema does not know."""
        if isinstance(self.content, pycrdt.Text):
            return []
        from p2pvalue.texts import rich_tree, schema  # noqa: PLC0415 - as in `_read`

        with contained():
            return schema.lacks(version, rich_tree.read_tree(self.content))

    def show(self, other: SharedDocument, version: int) -> list[bytes]:
        """Say what another rich document says, as editors of a version of the schema know it.

        Returns the updates that tell others, in order. Costs as much as to read both.
        """
        assert isinstance(self.content, pycrdt.XmlFragment), "both are rich"
        assert isinstance(other.content, pycrdt.XmlFragment), "both are rich"
        from p2pvalue.texts import known_only, rich_edit, rich_tree  # noqa: PLC0415 - as in `_read`

        self.touch()
        with contained():
            blocks = known_only.known_only(rich_tree.read_tree(other.content), version)
            return rich_edit.change_blocks(self.doc, self.content, blocks)

    def encoded(self) -> bytes:
        """Return the whole replica as one update; ~1 ms for 100 kB."""
        with contained():
            return bytes(self.doc.get_update())

    def _edit_at_once(self, content: pycrdt.Text, burst: Sequence[Edit]) -> bytes:
        updates: list[bytes] = []
        shown = self.text
        self.touch()
        with contained():
            subscription = self.doc.observe(lambda event: updates.append(event.update))
            try:
                with self.doc.transaction():
                    for position, deleted, inserted in burst:
                        start = _byte_offset(shown, position)
                        end = position + deleted
                        if deleted:
                            del content[start : start + len(shown[position:end].encode())]
                        if inserted:
                            content.insert(start, inserted)
                        shown = shown[:position] + inserted + shown[end:]
            finally:
                self.doc.unobserve(subscription)
        if len(updates) != 1:
            raise TextBroken(f"{len(updates)} updates came from one transaction")
        self._shown = shown
        return updates[0]


def _merged(base: str, text: str, now: str) -> str:
    """Return `now` with the changes from `base` to `text` in it."""
    mine, theirs, seed = (SharedDocument("plain", client) for client in (1, 2, 3))
    start = seed.edit([Edit(0, 0, base)] if base else [])
    for replica in (mine, theirs):
        replica.apply(start)
    seed.apply(mine.edit(edits_between(base, text)))
    seed.apply(theirs.edit(edits_between(base, now)))
    return seed.text


def _byte_offset(text: str, position: int) -> int:
    return position if text.isascii() else len(text[:position].encode())


@contextmanager
def contained(at: int | None = None) -> Iterator[None]:
    """Turn whatever the library throws into TextBroken, `at` an update of a batch.

    Raises MemoryError where there is no room: then nothing says which update is to blame, and the
    process had better end. A refusal passes: nothing was changed.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MemoryError, TextBroken, LocalProtocolError):
        raise
    except BaseException as error:  # noqa: BLE001 - a PanicException is no Exception
        if _NO_ROOM in str(error):
            raise MemoryError(str(error)) from None
        raise TextBroken(f"{type(error).__name__}: {error}", at) from None
