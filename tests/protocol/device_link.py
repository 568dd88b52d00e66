"""A link on which an older device of a person brings in a newer one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from p2pvalue_protocol import inputs as i
from tests.protocol.desk import Cable, Computer

SECRET = bytes(range(16))
SESSION = 7
ANA = i.PersonHere("Ana", "laptop", b"c" * 32, b"b" * 32)


def link(
    older: Computer,
    newer: Computer,
    *,
    secret: bytes = SECRET,
    session: int = SESSION,
    alter: Callable[[bytes], bytes | None] = bytes,
) -> Cable:
    """Let `older` call `newer`, which shows a code with SECRET."""
    return Cable(older, newer, session, alter=alter).carry(
        i.LinkStarted(session, newer.peer_id, secret, ANA),
        i.LinkAsked(session, older.peer_id, SECRET),
    )


def hears(frames: Sequence[bytes]) -> Computer:
    """A laptop that draws the same nonces as always, after a phone said these frames."""
    laptop = Computer("laptop", "ana")
    laptop.found("garden")
    laptop.handle(i.LinkStarted(SESSION, "peer-of-phone", SECRET, ANA))
    for frame in frames:
        laptop.handle(i.FrameReceived(SESSION, frame))
    return laptop
