"""The sealed envelope of a gossip message (spec: gossip, "Envelopes").

Hints of a members-only community pass through peers that were let in long ago and may be put out by
now. Under the topic's secret nobody else learns who wrote, to whom they answered, or what they did
to the membership. Each message has a key of its own, from a fresh salt.
"""

from __future__ import annotations

from typing import Final

from p2pvalue_protocol import aead
from p2pvalue_protocol.keys import hkdf

SALT_BYTES: Final = 24
ENVELOPE_BYTES: Final = SALT_BYTES + aead.TAG_BYTES
"""What an envelope adds to its message."""


def seal_envelope(topic_secret: bytes, topic: str, message: bytes, salt: bytes) -> bytes:
    """Return `salt` ‖ sealed message, for this topic alone; ~10 µs and 1 µs per KiB.

    `salt` is 24 fresh random bytes.
    """
    return salt + aead.encrypt(_key(topic_secret, topic, salt), message)


def open_envelope(topic_secret: bytes, topic: str, envelope: bytes) -> bytes | None:
    """Return what was sealed, None if it was not sealed by who knows this topic's secret."""
    key = _key(topic_secret, topic, envelope[:SALT_BYTES])
    return aead.decrypt(key, envelope[SALT_BYTES:])


def _key(topic_secret: bytes, topic: str, salt: bytes) -> bytes:
    return hkdf(topic_secret, salt, b"p2pv1/gossip\x00" + topic.encode("ascii"))
