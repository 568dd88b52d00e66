"""Which editing session each tab of an editor writes in: one tab, one session, one Yjs client.

Two tabs that wrote under one client id would break the text. So a session is lent to one tab, and
who holds its token can come back to it, also after a restart of the daemon. It is lent again when
it was given back, when nobody has come with its token for a day, or when there are very many.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from p2pvalue.folder import write_private
from p2pvalue_protocol.errors import LocalProtocolError, P2PValueError

FILE_NAME: Final = "editors"
FIRST_SESSION: Final = 3 * 2**30
"""Below are those of other callers, of edits at a past version, and of tabs of the future."""
LEASES_MAX: Final = 128  # of one document
FORGOTTEN_MS: Final = 24 * 3_600 * 1_000
_TOKEN_BYTES: Final = 16


class Lease(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One session that is lent; `basis` names what a text must have been made by to fit."""

    document: bytes  # its subject
    community: bytes
    device: bytes
    session: int
    token_hash: bytes
    origin: str  # of the page, empty for a program that is none
    is_outdated: bool  # the editor does not know all that the document uses
    basis: str
    seen_ms: int
    schema: int = 1  # the newest version of rich texts that the editor knows


class Kept(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What the file holds; `port` is where tabs look for us, 0 if nowhere yet."""

    port: int
    leases: list[Lease]


def read_leases(data: bytes) -> Kept:
    """Return what a file of leases holds; none if it is no such file."""
    try:
        return msgspec.msgpack.decode(data, type=Kept)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Kept(0, [])


class Leases:
    """All leases of a node, kept in one file; every change is on the disk when a call returns."""

    def __init__(
        self, folder: Path, clock_ms: Callable[[], int], random_bytes: Callable[[int], bytes]
    ) -> None:
        """Begin with what is kept in the folder; a file that cannot be read counts as none."""
        self._path = folder / FILE_NAME
        self._clock_ms, self._random_bytes = clock_ms, random_bytes
        self._here: list[Lease] = []
        self._kept = Kept(0, [])
        with suppress(FileNotFoundError):
            self._kept = read_leases(self._path.read_bytes())

    @property
    def port(self) -> int:
        """The port at which tabs expect us; 0 if none was ever told."""
        return self._kept.port

    @property
    def is_any_lent(self) -> bool:
        """Whether a tab may still come back."""
        return any(map(self._is_valid, self._kept.leases))

    def keep_port(self, port: int) -> None:
        """Keep a port for the next start."""
        if port != self._kept.port:
            self._kept.port = port
            self._save()

    def void_all(self) -> None:
        """Forget every lease and where tabs look for us: nobody comes back from before."""
        if self._kept.leases or self._kept.port:
            self._kept = Kept(0, [])
            self._save()

    def lend(
        self,
        community: bytes,
        document: bytes,
        device: bytes,
        *,
        origin: str,
        schema: int,
        is_outdated: bool,
        basis: str,
    ) -> tuple[Lease, str]:
        """Lend the lowest session of a document that is free; return it and its token."""
        now_ms = self._clock_ms()
        self._kept.leases = [*filter(self._is_valid, self._kept.leases)]
        self._make_room(document)
        taken = {lease.session for lease in self._kept.leases if lease.document == document}
        session = FIRST_SESSION
        while session in taken:
            session += 1
        token = self._random_bytes(_TOKEN_BYTES).hex()
        lease = Lease(
            document,
            community,
            device,
            session,
            _hash(token),
            origin,
            is_outdated,
            basis,
            now_ms,
            schema,
        )
        self._kept.leases.append(lease)
        self._save()
        return lease, token

    def held(self, room: str, token: str) -> Lease | None:
        """Return the lease that a token stands for at a document, if any."""
        found, hashed = None, _hash(token)
        for lease in self._kept.leases:
            if hmac.compare_digest(lease.token_hash, hashed) and lease.document.hex() == room:
                found = lease
        return found

    def knows_origin(self, origin: str) -> bool:
        """Return whether a page of this origin was ever let in, and may be told why it is not."""
        return any(lease.origin == origin for lease in self._kept.leases)

    def came(self, lease: Lease) -> None:
        """Note that its tab is here: as long as it is, the session is its own."""
        self._here.append(lease)

    def went(self, lease: Lease) -> None:
        """Note that its tab was just here; kept with the next change that is."""
        self._here.remove(lease)
        lease.seen_ms = self._clock_ms()

    def give_back(self, lease: Lease) -> None:
        """Free the session of a lease, and forget its token."""
        with suppress(ValueError):
            self._kept.leases.remove(lease)
            self._save()

    def of_session(self, community: bytes, document: bytes, session: int) -> Lease | None:
        """Return the lease of a session, if it is lent."""
        wanted = (community, document, session)
        for lease in self._kept.leases:
            if (lease.community, lease.document, lease.session) == wanted:
                return lease
        return None

    def _is_valid(self, lease: Lease) -> bool:
        return lease in self._here or self._clock_ms() - lease.seen_ms < FORGOTTEN_MS

    def _make_room(self, document: bytes) -> None:
        """Forget, of a document with too many leases, who was away for longest."""
        of_document = [lease for lease in self._kept.leases if lease.document == document]
        away = [lease for lease in of_document if lease not in self._here]
        if len(of_document) < LEASES_MAX:
            return
        if not away:
            raise LocalProtocolError(
                f"{LEASES_MAX} editors are at this document: close one, or detach it"
            )
        self._kept.leases.remove(min(away, key=lambda lease: lease.seen_ms))

    def _save(self) -> None:
        try:
            write_private(self._path, msgspec.msgpack.encode(self._kept))
        except OSError as error:
            raise P2PValueError(
                f"{self._path} cannot be written ({error.strerror}): make room on the disk"
            ) from error


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
