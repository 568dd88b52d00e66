"""The secrets that a device is handed when it is let in (spec: joining).

A newcomer needs the secrets of what is written now; those older ones wrap. They are handed over
when the admission is durable, never before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from p2pvalue_protocol import limits
from p2pvalue_protocol.access import is_public
from p2pvalue_protocol.frames import EpochSecret
from p2pvalue_protocol.ids import ZERO32

if TYPE_CHECKING:
    from p2pvalue_protocol.replica import Replica


def secrets_for(replica: Replica) -> list[EpochSecret]:
    """Return what to hand to a device that was just admitted; nothing where everybody may read."""
    if is_public(replica):
        return []
    held = replica.topic_secrets[: limits.KEYS_PER_FRAME_MAX]
    return [EpochSecret(ZERO32, secret) for secret in held]


def take_secrets(replica: Replica, secrets: Iterable[EpochSecret]) -> None:
    """Keep secrets that a member handed us."""
    handed = [known.secret for known in secrets]
    if handed:
        replica.topic_secrets = handed
