"""The files that members of one community share."""

from __future__ import annotations

import mimetypes
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, Literal, Protocol

import trio

from p2pvalue import sizes
from p2pvalue import types as t
from p2pvalue.folder import new_file
from p2pvalue.node.blobs.blob_room import BlobRoom
from p2pvalue.node.blobs.blob_states import BlobKey, blob_at, every_blob, resolve_blob, state_of
from p2pvalue.node.context import Context
from p2pvalue.node.people import Names
from p2pvalue_protocol.chunks import (
    SEALED_BYTES_MAX,
    chunk_count,
    chunk_hash,
    open_chunk,
    seal_chunk,
)
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import blob
from p2pvalue_protocol.limits import BLOB_BYTES_MAX, CHUNK_BYTES_MAX
from p2pvalue_protocol.past import StateRow

UNKNOWN_MEDIA: Final = "application/octet-stream"
WAIT_S: Final = 70.0  # a peer that has not got a chunk is asked for it again within a minute
_PIECES_AT_ONCE: Final = 16  # a mebibyte in one transaction

Progress = Callable[[int, int], None]


class Keeper(Protocol):
    """Where the chunks come from; see `chunk_keeper`."""

    @property
    def room(self) -> BlobRoom: ...
    def read(self, community: bytes, chunk: bytes) -> bytes | None: ...
    async def fetch(
        self, key: BlobKey, state: blob.BlobState, progress: Progress, wait_s: float
    ) -> int: ...


class Blobs:
    """The blobs of one community."""

    def __init__(
        self,
        context: Context,
        community: bytes,
        keeper: Keeper,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._context = context
        self._community = community
        self._keeper = keeper
        self._random_bytes = random_bytes

    # --- sharing

    async def add(self, path: Path, progress: Progress, *, name: str = "") -> t.BlobView:
        """Share a file, once; durable on return. `progress` is told bytes done and bytes in all.

        Memory for a mebibyte at a time. Raises ConfigError for a file that cannot be read,
        LocalProtocolError for one that may not be shared, or that there is no room for.
        """
        called = name or path.name
        problem = blob.file_name_problem(called)
        if problem is not None:
            raise LocalProtocolError(problem)
        size = _size_of(path)
        known = await self._shared_before(path, called, size)
        if known is not None:
            return self._view(known)
        await self._keeper.room.make(chunk_count(size) * SEALED_BYTES_MAX)
        key = self._random_bytes(blob.KEY_BYTES)
        hashes: list[bytes] = []
        is_shared = False
        try:
            await self._seal(path, size, key, hashes, progress)
            payload = blob.encode_blob(called, media_of(called), size, key, hashes)
            orders = await self._context.write(self._community, [Draft(blob.NUMBER, b"", payload)])
            is_shared = True
        finally:
            if not is_shared:
                self._context.store.chunks.remove(self._community, hashes)
        return self._view(subject_of(orders[0].op_id))

    async def _shared_before(self, path: Path, called: str, size: int) -> bytes | None:
        """Return the id of a file of ours with this name and content, or None."""
        root = self._context.root(self._community)
        for row, state in every_blob(self._context.store, self._community):
            is_alike = (state.author, state.name, state.size) == (root, called, size)
            if is_alike and not state.removed and await self._says_the_same(state, path):
                return row.subject
        return None

    async def _says_the_same(self, state: blob.BlobState, path: Path) -> bool:
        try:
            with path.open("rb") as file:
                for number in range(chunk_count(state.size)):
                    if self.piece_of(state, number) != file.read(CHUNK_BYTES_MAX):
                        return False
                    await trio.lowlevel.checkpoint()
        except OSError as error:
            raise _unreadable(path, error) from error
        return True

    async def _seal(
        self, path: Path, size: int, key: bytes, hashes: list[bytes], progress: Progress
    ) -> None:
        try:
            with path.open("rb") as file:
                while pieces := _pieces(file):
                    sealed = [
                        seal_chunk(key, number, piece)
                        for number, piece in enumerate(pieces, len(hashes))
                    ]
                    named = [(chunk_hash(chunk), chunk) for chunk in sealed]
                    hashes.extend(chunk for chunk, _ in named)
                    if len(hashes) > chunk_count(size):
                        break
                    self._context.store.chunks.put(self._community, named)
                    progress(min(size, len(hashes) * CHUNK_BYTES_MAX), size)
                    await trio.lowlevel.checkpoint()
                read = file.tell()
        except OSError as error:
            raise _unreadable(path, error) from error
        if read != size:
            raise LocalProtocolError(f"{path} changed while it was read: share it again")

    async def remove(self, reference: str) -> t.BlobView:
        """Take back a file of ours: others see it no more, and forget it after a day."""
        key = self._resolve(reference)
        state = blob_at(self._context.store, key)
        assert state is not None, "a resolved blob is to be seen"
        if state.author != self._context.root(self._community):
            owner = Names(self._context, self._community).of(state.author)
            raise NotAdmitted(f"{state.name} was shared by {owner}: only they can remove it")
        view = self._view(key[1])
        draft = Draft(blob.NUMBER, key[1], blob.encode_blob_removal())
        await self._context.write(self._community, [draft])
        return view

    # --- looking

    def all(self) -> list[t.BlobView]:
        """Return the files to be seen, oldest change first; reads all blobs once."""
        names = Names(self._context, self._community)
        chunks = self._context.store.chunks.every(self._community)
        here = {kept.chunk for kept in chunks}
        return [
            _view(row, state, names, sum(chunk in here for chunk in state.hashes()))
            for row, state in every_blob(self._context.store, self._community)
            if not state.removed
        ]

    def _view(self, subject: bytes) -> t.BlobView:
        row = self._context.store.state(self._community, subject)
        assert row is not None, "what was resolved or written is held"
        state = state_of(row)
        hashes = state.hashes()
        here = self._context.store.chunks.here(self._community, hashes)
        names = Names(self._context, self._community)
        return _view(row, state, names, sum(chunk in here for chunk in hashes))

    def _resolve(self, reference: str) -> BlobKey:
        return self._community, resolve_blob(self._context.store, self._community, reference)

    # --- fetching

    async def get(
        self, reference: str, target: Path, progress: Progress, *, wait_s: float = WAIT_S
    ) -> tuple[t.BlobView, int]:
        """Write a file to `target`, a new one, fetching what is missing; peers that brought some.

        Each chunk is checked when it is written. Raises ConfigError if `target` is there already or
        cannot be written, LocalProtocolError as `ChunkKeeper.fetch` does, and if the file was
        sealed so that it cannot be opened.
        """
        key = self._resolve(reference)
        state = blob_at(self._context.store, key)
        assert state is not None, "a resolved blob is to be seen"
        if target.exists():
            raise ConfigError(f"{target} exists already: name another file")
        if not target.parent.is_dir():
            raise ConfigError(f"there is no folder {target.parent}: make it first")
        peers = await self._keeper.fetch(key, state, progress, wait_s)
        try:
            with new_file(target) as file:
                for number in range(chunk_count(state.size)):
                    piece = self.piece_of(state, number)
                    while piece is None:  # its room was needed meanwhile, or the disk damaged it
                        peers = max(peers, await self._keeper.fetch(key, state, progress, wait_s))
                        piece = self.piece_of(state, number)
                    file.write(piece)
                    await trio.lowlevel.checkpoint()
        except OSError as error:
            raise ConfigError(
                f"{target} was not written ({error.strerror}): make room, or name another file"
            ) from error
        return self._view(key[1]), peers

    def piece_of(self, state: blob.BlobState, number: int) -> bytes | None:
        """Return one piece of a file, checked; None if it is not here, or was damaged.

        Raises LocalProtocolError if the file was sealed so that it cannot be opened.
        """
        sealed = self._keeper.read(self._community, state.hash_of(number))
        if sealed is None:
            return None
        piece = open_chunk(state.key, number, sealed)
        if piece is None or len(piece) != min(
            CHUNK_BYTES_MAX, state.size - number * CHUNK_BYTES_MAX
        ):
            raise LocalProtocolError(
                f"{state.name} was sealed so that it cannot be opened: "
                "ask its author to share it again"
            )
        return piece

    def whole(self) -> list[tuple[bytes, blob.BlobState]]:
        """Return the files of which every piece is here, with their ids."""
        here = {kept.chunk for kept in self._context.store.chunks.every(self._community)}
        return [
            (row.subject, state)
            for row, state in every_blob(self._context.store, self._community)
            if not state.removed and here.issuperset(state.hashes())
        ]


def _view(row: StateRow, state: blob.BlobState, names: Names, here: int) -> t.BlobView:
    count = len(state.hashes())
    is_here: Literal["here", "partly", "elsewhere"] = "partly" if here else "elsewhere"
    return t.BlobView(
        blob=row.subject.hex(),
        file=state.name,
        media=state.media,
        bytes=state.size,
        member=state.author.hex(),
        name=names.of(state.author),
        time=row.time,
        state="here" if here == count else is_here,
    )


def media_of(name: str) -> str:
    """Return the media type that a file's name tells.

    >>> media_of("roof.png"), media_of("notes")
    ('image/png', 'application/octet-stream')
    """
    guessed, packed = mimetypes.guess_type(name)
    return UNKNOWN_MEDIA if guessed is None or packed is not None else guessed.lower()


def _size_of(path: Path) -> int:
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{path} is no file: give the path of one")
    if found.st_size > BLOB_BYTES_MAX:
        raise LocalProtocolError(
            f"{path} has {found.st_size:,} bytes; {sizes.said(BLOB_BYTES_MAX)}"
            f" ({BLOB_BYTES_MAX:,} bytes) can be shared: split it, or make it smaller"
        )
    return found.st_size


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path} cannot be read ({error.strerror}): give the path of a file")


def _pieces(file: IO[bytes]) -> Sequence[bytes]:
    """Return the next pieces of a file, up to a mebibyte; empty at its end."""
    return list(_read_pieces(file))


def _read_pieces(file: IO[bytes]) -> Iterator[bytes]:
    for _ in range(_PIECES_AT_ONCE):
        if not (piece := file.read(CHUNK_BYTES_MAX)):
            return
        yield piece
