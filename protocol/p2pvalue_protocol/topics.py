"""A gossip topic: what it is called, and what its messages travel in (spec: gossip, "Topics").

The name means something to those who know the secret it is made of; to everybody else it is noise,
and so are the messages of a community that not everybody may read.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from p2pvalue_protocol.envelope import SALT_BYTES, open_envelope, seal_envelope
from p2pvalue_protocol.errors import Reason, Refused


def name_under(topic_secret: bytes, about: bytes) -> str:
    """Return the name of the topic about something under a topic secret, 32 letters and digits."""
    return b32encode(hmac.digest(topic_secret, about, sha256)[:20]).decode("ascii").lower()


class Topic(NamedTuple):
    """One topic of a community; `is_sealed` where not everybody may read."""

    name: str
    community: bytes
    secret: bytes
    is_sealed: bool

    def seal(self, message: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
        """Return a message as it travels."""
        if not self.is_sealed:
            return message
        return seal_envelope(self.secret, self.name, message, random_bytes(SALT_BYTES))

    def open(self, message: bytes) -> bytes:
        """Return what a message says; raises Refused if no member can have sealed it."""
        if not self.is_sealed:
            return message
        opened = open_envelope(self.secret, self.name, message)
        if opened is None:
            raise Refused(Reason.ENVELOPE_INVALID)
        return opened
