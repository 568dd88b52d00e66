"""Every way an input can be wrong, with a name that stays the same for ever.

Three kinds of trouble are kept apart. A *caller's* mistake raises a `P2PValueError` whose message
says what to do next. A *peer's* mistake never raises out of the core: inside the ladder it travels
as `Refused`, and leaves as a `Rejected` effect with a `Reason`. A broken invariant of ours is an
`AssertionError` and stops the node.
"""

from __future__ import annotations

from enum import StrEnum


class P2PValueError(Exception):
    """Root of all errors a caller can cause; the message says what happened and what to do next."""


class LocalProtocolError(P2PValueError):
    """The caller asked for something that the protocol does not allow."""


class NotAdmitted(LocalProtocolError):
    """The caller's device may not do this in this community."""


class NotFound(P2PValueError):
    """The thing named is not here."""


class ConfigError(P2PValueError):
    """A setting, file or folder is unusable."""


class Reason(StrEnum):
    """Why an input was refused; each value is cited by an invalid vector and its spec section."""

    # spec: encoding
    TOO_LONG = "too-long"
    NOT_CANONICAL = "not-canonical"
    # spec: operation, core fields
    UNSUPPORTED_VERSION = "unsupported-version"
    WRONG_COMMUNITY = "wrong-community"
    BACKLINK_MISMATCH = "backlink-mismatch"
    SUBJECT_INVALID = "subject-invalid"
    PARENTS_UNSORTED = "parents-unsorted"
    PARENT_CLASS = "parent-class"
    EPOCH_INVALID = "epoch-invalid"
    PAYLOAD_FIELDS = "payload-fields"
    SECOND_GENESIS = "second-genesis"
    # spec: operation, authentic and chain
    SIGNATURE_INVALID = "signature-invalid"
    CHAIN_BROKEN = "chain-broken"
    TIME_NOT_AFTER_PAST = "time-not-after-past"
    PARENT_REFUSED = "parent-refused"
    AUTH_PAST_EMPTY = "auth-past-empty"
    # spec: operation, limits that only delay
    TOO_FAR_AHEAD = "too-far-ahead"
    UNKNOWN_AUTHOR = "unknown-author"
    OVER_LIMIT = "over-limit"
    # spec: sync
    FRAME_INVALID = "frame-invalid"
    HELLO_FAILED = "hello-failed"
    UNASKED = "unasked"
    # spec: gossip
    ENVELOPE_INVALID = "envelope-invalid"
    # spec: proof
    PROOF_INVALID = "proof-invalid"


class Refused(Exception):
    """Carries a `Reason` up one ladder; never leaves the core."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason
