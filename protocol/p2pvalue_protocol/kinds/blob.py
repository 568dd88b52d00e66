"""Kind 43, blob: a file that a member shares (spec: kinds/blob).

The operation says what the file is called, how to open it, and which chunks it is made of; the
chunks themselves are no operations, and are fetched by whoever wants the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.chunks import HASH_BYTES, chunk_count
from p2pvalue_protocol.kind import Placed, StateKind, no_group, object_subject
from p2pvalue_protocol.limits import BLOB_BYTES_MAX
from p2pvalue_protocol.payload_form import PayloadForm, first_problem, line_problem

NUMBER: Final = 43
NAME_BYTES_MAX: Final = 255  # as file systems have it
KEY_BYTES: Final = 32

_MEDIA = re.compile("[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}", re.ASCII)

_Size = Annotated[int, msgspec.Meta(ge=0, le=BLOB_BYTES_MAX)]
_Key = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
_Hashes = Annotated[bytes, msgspec.Meta(max_length=HASH_BYTES * chunk_count(BLOB_BYTES_MAX))]


class Blob(msgspec.Struct, frozen=True, omit_defaults=True):
    """Makes a blob (all fields but `removed`) or removes it (`removed` alone)."""

    name: str | None = None
    media: str | None = None
    size: _Size | None = msgspec.field(default=None, name="bytes")
    key: _Key | None = None
    chunks: _Hashes | None = None  # the hashes of the sealed chunks, one after the other
    removed: bool = False


class BlobState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A blob as it stands; `author` is the root key of who shared it. A removal is final."""

    author: bytes
    name: str
    media: str
    size: int
    key: bytes
    chunks: bytes
    removed: bool = False

    def hash_of(self, number: int) -> bytes:
        """Return the hash of one sealed chunk."""
        return self.chunks[number * HASH_BYTES : (number + 1) * HASH_BYTES]

    def hashes(self) -> list[bytes]:
        """Return the hashes of the sealed chunks in their order."""
        return [self.hash_of(number) for number in range(len(self.chunks) // HASH_BYTES)]


def _problem(blob: Blob) -> str | None:
    made_of = (blob.name, blob.media, blob.size, blob.key, blob.chunks)
    if blob.removed:
        is_alone = all(value is None for value in made_of)
        return None if is_alone else "a removal says nothing else: leave the other fields out"
    if blob.name is None or blob.media is None or blob.size is None:
        return "a blob has a name, a media type and a size: give all three"
    if blob.key is None or blob.chunks is None:
        return "a blob has a key and chunks: give both"
    return first_problem(
        file_name_problem(blob.name),
        None if _MEDIA.fullmatch(blob.media) else "the media type is none: give one as image/png",
        None
        if len(blob.chunks) == HASH_BYTES * chunk_count(blob.size)
        else "the number of chunks does not fit the size: hash each piece of the file once",
    )


def file_name_problem(name: str) -> str | None:
    """Return why a blob cannot be called so, or None: it is to be a file's name everywhere."""
    if name in (".", "..") or "/" in name or "\\" in name:
        return "the name is a path: give the name of a file, without / and \\"
    return line_problem("name", name, NAME_BYTES_MAX)


_form = PayloadForm(Blob, _problem)


def encode_blob(name: str, media: str, size: int, key: bytes, hashes: Sequence[bytes]) -> bytes:
    """Return the payload that shares a file of `size` bytes; raises LocalProtocolError."""
    return _form.encode(Blob(name, media, size, key, b"".join(hashes)))


def encode_blob_removal() -> bytes:
    """Return the payload that removes one's own blob."""
    return _form.encode(Blob(removed=True))


def _fold(operations: Sequence[Placed]) -> BlobState | None:
    state: BlobState | None = None
    for placed in operations:
        if placed.creates:
            state = _made(placed.member, placed.payload)
        elif state is not None and placed.payload.removed and placed.member == state.author:
            state = msgspec.structs.replace(state, removed=True)
    return state


def _made(author: bytes, blob: Blob) -> BlobState | None:
    match blob:
        case Blob(str(name), str(media), int(size), bytes(key), bytes(chunks)):
            return BlobState(author, name, media, size, key, chunks)
        case _:
            return None


BLOB = StateKind(
    number=NUMBER,
    name="blob",
    decode=_form.decode,
    subject=object_subject,
    fold=_fold,
    group=no_group,
)
