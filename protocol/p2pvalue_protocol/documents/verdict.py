"""What becomes of an update, and every reason for which it can be without effect."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from p2pvalue_protocol.documents.placement import Placement


class VoidReason(StrEnum):
    """Why an update is without effect; each has its rule in kinds/document-update and a vector."""

    # what it follows and names
    AFTER_VOID = "after-void"
    HEAD_VOID = "head-void"
    # its bytes
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    CONTENT_REFUSED = "content-refused"
    # its session
    CLIENT_FOREIGN = "client-foreign"
    SESSION_TAKEN = "session-taken"
    OUT_OF_TURN = "out-of-turn"
    # its past
    UNSEEN = "unseen"
    DELETES_UNSEEN = "deletes-unseen"
    # where it writes
    PARENT_INVALID = "parent-invalid"
    CONTENT_MISPLACED = "content-misplaced"
    SIDES_DIFFER = "sides-differ"
    NAMES_COLLECTED = "names-collected"
    SPLITS_CHARACTER = "splits-character"
    NOT_ADJACENT = "not-adjacent"


class UpdateInvalid(Exception):
    """These bytes are no update that an honest editor writes here."""

    def __init__(self, reason: VoidReason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Malformed(UpdateInvalid):
    """These bytes are no update at all, or one in another than its only form."""

    def __init__(self) -> None:
        super().__init__(VoidReason.MALFORMED)


class Applies(NamedTuple):
    """The update counts.

    `update` is what to apply if other names than its bytes have must be used, None if the bytes can
    be applied as they are. `inserted` is (client, first clock, end clock) of what it writes, in the
    names applied, None if it only deletes.
    """

    update: bytes | None
    inserted: tuple[int, int, int] | None


class Waits(NamedTuple):
    """Nothing is decided before the update `op_id` is here."""

    op_id: bytes


class Void(NamedTuple):
    """The update is without effect, for everybody and for ever."""

    reason: VoidReason


Verdict: TypeAlias = Applies | Waits | Void


class Released(NamedTuple):
    """An update that waited, and what became of it; `data` are its bytes."""

    placement: Placement
    data: bytes
    verdict: Applies | Void
