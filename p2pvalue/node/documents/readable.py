"""What a person is told when the text library fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from p2pvalue.texts.broken import TextBroken, WorkerLost
from p2pvalue_protocol.errors import P2PValueError


@contextmanager
def readable(document: bytes) -> Iterator[None]:
    """Turn a TextBroken of a document into words for its reader."""
    try:
        yield
    except TextBroken as error:
        raise unreadable(document, error) from None


def unreadable(document: bytes, error: TextBroken) -> P2PValueError:
    """Return what to raise for a failure."""
    if isinstance(error, WorkerLost):
        return P2PValueError(f"{error}: nothing that was written is lost; try again")
    return P2PValueError(
        f"document {document.hex()[:12]} cannot be worked with ({error}):"
        " restart the daemon and, if that does not help, report it with `p2pvalue doctor`"
    )
