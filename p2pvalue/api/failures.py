"""What goes wrong, as a status and a sentence; nothing that a caller sends may end the daemon."""

from __future__ import annotations

import logging

import msgspec
from starlette.exceptions import HTTPException

from p2pvalue.api.schema import Failure
from p2pvalue.keyfile import KeysLocked, WrongPassphrase
from p2pvalue.keystore import WordsNeeded
from p2pvalue.node.documents.document_shapes import VersionUnknown
from p2pvalue_protocol.errors import (
    ConfigError,
    LocalProtocolError,
    NotAdmitted,
    NotFound,
    P2PValueError,
)

log = logging.getLogger("p2pvalue.api")


class BadRequest(P2PValueError):
    """The request does not fit the schema."""


class TooLarge(P2PValueError):
    """The request is longer than the limit."""


class Forbidden(P2PValueError):
    """The request comes from somewhere that may not reach this API."""


# The first class that fits decides: subclasses stand before their bases.
NAMED: tuple[tuple[type[Exception], int, str], ...] = (
    (Forbidden, 403, "forbidden"),
    (TooLarge, 413, "too-large"),
    (BadRequest, 400, "bad-request"),
    (msgspec.ValidationError, 400, "bad-request"),
    (msgspec.DecodeError, 400, "bad-request"),
    (NotFound, 404, "not-found"),
    (NotAdmitted, 403, "not-allowed"),
    (WordsNeeded, 409, "words-needed"),
    (VersionUnknown, 409, "version-unknown"),
    (LocalProtocolError, 409, "not-possible"),
    (KeysLocked, 423, "locked"),
    (WrongPassphrase, 403, "wrong-passphrase"),
    (ConfigError, 400, "unusable-setting"),
    (P2PValueError, 400, "failed"),
)
NO_ENDPOINT = "no-such-endpoint"
INTERNAL = "internal"


def failure_of(error: Exception) -> tuple[int, Failure]:
    """The HTTP status and the answer for an error; one that nobody foresaw is logged as ours."""
    if isinstance(error, HTTPException):
        return error.status_code, Failure(
            error=NO_ENDPOINT,
            message="this API has no such endpoint; all are listed in docs/reference/api.md",
        )
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        inner = error.exceptions[0]
        if isinstance(inner, Exception):
            return failure_of(inner)
    for kind, status, name in NAMED:
        if isinstance(error, kind):
            return status, Failure(error=name, message=str(error))
    log.error("a request failed inside: %r", error, exc_info=error)
    return 500, Failure(
        error=INTERNAL,
        message="the daemon could not answer this; its log says why. Earlier answers stand",
    )
