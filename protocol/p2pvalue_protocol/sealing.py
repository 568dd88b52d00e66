"""What an epoch's secret is good for: payloads, wraps, topics (spec: epochs).

Every payload has a key of its own, derived from the secret with a fresh salt, so a device that was
cloned and forks its log never uses a key twice. The lengths of sealed payloads come in steps: who
keeps them without the secret learns little from their sizes.
"""

from __future__ import annotations

from typing import Final

from p2pvalue_protocol import aead, hpke, limits
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.keys import hkdf
from p2pvalue_protocol.operation import Core

SALT_BYTES: Final = 24
SECRET_BYTES: Final = 32
SEAL_BYTES: Final = hpke.ENCAPSULATED_BYTES + SECRET_BYTES + aead.TAG_BYTES
_OVERHEAD_BYTES: Final = SALT_BYTES + aead.TAG_BYTES
_PADDED_BYTES_MAX: Final = limits.PAYLOAD_BYTES_MAX - _OVERHEAD_BYTES
PLAINTEXT_BYTES_MAX: Final = _PADDED_BYTES_MAX - 1
"""The longest payload that can be sealed, in bytes."""

_STEP_BYTES: Final = 64
_STEPS_UP_TO_BYTES: Final = 1_024
_END: Final = b"\x80"


# --- payloads


def seal_payload(secret: bytes, core: Core, plaintext: bytes, salt: bytes) -> bytes:
    """Return the sealed payload of an operation; ~9 µs for a chat message.

    Of `core` only the fields before payload_size are read; `salt` is 24 fresh random bytes.
    """
    key = _payload_key(secret, core, salt)
    return salt + aead.encrypt(key, pad(plaintext), _head_of(core))


def open_payload(secret: bytes, core: Core, payload: bytes) -> bytes | None:
    """Return what was sealed into an operation's payload, None if it does not open; ~9 µs."""
    return open_with_key(payload_key(secret, core, payload), core, payload)


def payload_key(secret: bytes, core: Core, payload: bytes) -> bytes:
    """Return the key of one sealed payload, 32 bytes: it opens that one and tells of no other."""
    return _payload_key(secret, core, payload[:SALT_BYTES])


def open_with_key(key: bytes, core: Core, payload: bytes) -> bytes | None:
    """Return what was sealed into a payload by its own key, None if it does not open."""
    padded = aead.decrypt(key, payload[SALT_BYTES:], _head_of(core))
    return None if padded is None else unpad(padded)


def _payload_key(secret: bytes, core: Core, salt: bytes) -> bytes:
    return hkdf(secret, salt, b"p2pv1/aead\x00" + core.community + core.epoch + core.device)


def _head_of(core: Core) -> bytes:
    """Return the fields of a core that its payload does not decide, as they are authenticated."""
    return encode(
        (
            core.version,
            core.community,
            core.device,
            core.seq,
            core.backlink,
            core.kind,
            core.subject,
            core.parents,
            core.time,
            core.epoch,
        )
    )


def pad(plaintext: bytes) -> bytes:
    """Return `plaintext` ‖ 80 ‖ zeros, as long as many others are; ValueError if it is too long."""
    size = len(plaintext) + 1
    if size > _PADDED_BYTES_MAX:
        raise ValueError(f"{len(plaintext)} bytes of at most {PLAINTEXT_BYTES_MAX}")
    return plaintext + _END + bytes(padded_size(size) - size)


def padded_size(size: int) -> int:
    """Return the length to which `size` bytes grow: steps of 64 up to 1 KiB, Padmé above."""
    if size <= _STEPS_UP_TO_BYTES:
        return -(-size // _STEP_BYTES) * _STEP_BYTES
    exponent = size.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return min(-(-size // step) * step, _PADDED_BYTES_MAX)


def unpad(padded: bytes) -> bytes | None:
    """Return what was padded, None if it was padded in any other way."""
    plaintext = padded.rstrip(b"\x00")
    if not plaintext.endswith(_END) or len(padded) != padded_size(len(plaintext)):
        return None
    return plaintext[:-1]


# --- secrets


def commitment_of(community: bytes, secret: bytes) -> bytes:
    """Return what an EPOCH says of its secret to everybody, 32 bytes."""
    return tagged_hash("epoch-secret", community + secret)


def topic_secret_of(secret: bytes) -> bytes:
    """Return the topic secret of an epoch, by which its members find each other."""
    return hkdf(secret, b"", b"p2pv1/topic")


def seal_secret(
    community: bytes, commitment: bytes, device: bytes, prekey: bytes, secret: bytes, seed: bytes
) -> bytes:
    """Return the 80 bytes that give a device a secret; ~0.13 ms.

    `seed` is 32 fresh random bytes. A prekey of small order is a defect of the caller: ValueError.
    """
    return hpke.seal(prekey, _seal_info(community, commitment, device), secret, seed)


def unseal_secret(
    community: bytes, commitment: bytes, device: bytes, private: bytes, sealed: bytes
) -> bytes | None:
    """Return the secret that a seal gives a device, None if it gives none that was committed to."""
    secret = hpke.unseal(private, _seal_info(community, commitment, device), sealed)
    if secret is None or commitment_of(community, secret) != commitment:
        return None
    return secret


def _seal_info(community: bytes, commitment: bytes, device: bytes) -> bytes:
    return b"p2pv1/epoch\x00" + community + commitment + device


def wrap_secret(community: bytes, secret: bytes, epoch: bytes, older: bytes, salt: bytes) -> bytes:
    """Return the secret `older` of `epoch` wrapped under a newer one: 48 bytes."""
    return aead.encrypt(_wrap_key(community, secret, epoch, salt), older)


def unwrap_secret(
    community: bytes, secret: bytes, epoch: bytes, wrapped: bytes, salt: bytes
) -> bytes | None:
    """Return the secret of `epoch` that a newer one opens, None if it opens nothing."""
    return aead.decrypt(_wrap_key(community, secret, epoch, salt), wrapped)


def _wrap_key(community: bytes, secret: bytes, epoch: bytes, salt: bytes) -> bytes:
    return hkdf(secret, salt, b"p2pv1/wrap\x00" + community + epoch)
