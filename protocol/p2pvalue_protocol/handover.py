"""The secrets that a device is handed when it is let in (spec: joining).

A newcomer needs the secrets of what is written now; those open the older ones. They are handed over
when the admission is durable, never before, and are checked when their epochs arrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from p2pvalue_protocol import limits
from p2pvalue_protocol.frames import EpochSecret

if TYPE_CHECKING:
    from p2pvalue_protocol.replica import Replica


def secrets_for(replica: Replica) -> list[EpochSecret]:
    """Return what to hand to a device that was just admitted; nothing where everybody may read.

    What was handed to ourselves goes on, though we could not check it yet: a newcomer with nothing
    would meet nobody. So do older secrets, though the newer ones open them: we may be the only one
    who has the newest epoch, and by it the newcomer meets nobody either.
    """
    needed = replica.epochs.unwrapped()
    opened = [key for key in replica.epochs.for_everybody() if key not in needed]
    early = [EpochSecret(epoch, secret) for epoch, secret in replica.epochs.early()]
    first, last = (
        [EpochSecret(record.epoch, secret) for record, secret in keys] for keys in (needed, opened)
    )
    return (first + early + last)[: limits.KEYS_PER_FRAME_MAX]


def take_secrets(replica: Replica, secrets: Iterable[EpochSecret]) -> None:
    """Keep secrets that a member handed us."""
    replica.learn((known.epoch, known.secret) for known in secrets)
