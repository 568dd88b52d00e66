"""The sealed envelope of a gossip message (spec: gossip, "Envelopes").

Hints of a members-only community pass through peers that were let in long ago and may be put out by
now. Under the topic's secret nobody else learns who wrote, to whom they answered, or what they did
to the membership. Each message has a key of its own, from a fresh salt.
"""

from __future__ import annotations

from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from p2pvalue_protocol.keys import hkdf

SALT_BYTES: Final = 24
ENVELOPE_BYTES: Final = SALT_BYTES + 16
"""What an envelope adds to its message."""

_NONCE: Final = bytes(12)  # each key seals once


def seal_envelope(topic_secret: bytes, topic: str, message: bytes, salt: bytes) -> bytes:
    """Return `salt` ‖ sealed message, for this topic alone; ~10 µs and 1 µs per KiB.

    `salt` is 24 fresh random bytes.
    """
    return salt + bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
        message, None, _NONCE, _key(topic_secret, topic, salt)
    )


def open_envelope(topic_secret: bytes, topic: str, envelope: bytes) -> bytes | None:
    """Return what was sealed, None if it was not sealed by who knows this topic's secret."""
    salt = envelope[:SALT_BYTES]
    try:
        return bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
            envelope[SALT_BYTES:], None, _NONCE, _key(topic_secret, topic, salt)
        )
    except (CryptoError, ValueError):
        return None


def _key(topic_secret: bytes, topic: str, salt: bytes) -> bytes:
    return hkdf(topic_secret, salt, b"p2pv1/gossip\x00" + topic.encode("ascii"))
