"""Ed25519 with one meaning (spec: encoding, "Signatures").

OpenSSL and libsodium accept different sets of signatures: OpenSSL takes small-order keys, for which
one signature fits every message, so a malicious member could split a community into nodes that saw
a valid operation and nodes that did not. The rule here is narrower than both: the public key is
canonical and of prime order, the signature has 64 bytes, S < L, R is not the identity, and the
equation is checked without the cofactor. Under it both libraries agree; the vectors run on both.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from nacl import bindings
from nacl.exceptions import BadSignatureError

_ORDER = 2**252 + 27742317777372353535851937790883648493
_IDENTITY = b"\x01" + bytes(31)
_IDENTITY_NEGATIVE_ZERO = b"\x01" + bytes(30) + b"\x80"


@lru_cache(maxsize=8_192)
def is_valid_public_key(key: bytes) -> bool:
    """Return whether `key` is a canonical point of prime order; 40 µs once, then cached."""
    if len(key) != 32:
        return False
    return bool(bindings.crypto_core_ed25519_is_valid_point(key))


def has_valid_form(signature: bytes) -> bool:
    """Return whether a signature has 64 bytes, S < L and an R that is not the identity."""
    if len(signature) != 64 or signature[:32] in (_IDENTITY, _IDENTITY_NEGATIVE_ZERO):
        return False
    return int.from_bytes(signature[32:], "little") < _ORDER


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` by `key` over `message` is valid under the rule above; ~100 µs."""
    if not has_valid_form(signature) or not is_valid_public_key(key):
        return False
    try:
        bindings.crypto_sign_open(signature + message, key)
    except (BadSignatureError, ValueError):
        return False
    return True


_FIELD = 2**255 - 19
_SMALL_ORDER = frozenset(
    (
        0,
        1,
        _FIELD - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    )
)
"""X25519 public keys with which every key agrees on zeros (RFC 7748, section 6.1)."""


def is_valid_exchange_key(key: bytes) -> bool:
    """Return whether an X25519 public key is canonical and not of small order; under 1 µs."""
    coordinate = int.from_bytes(key, "little")
    return len(key) == 32 and coordinate < _FIELD and coordinate not in _SMALL_ORDER


def exchange_key_of(private: bytes) -> bytes:
    """Return the X25519 public key of 32 private bytes; ~30 µs."""
    return bindings.crypto_scalarmult_base(private)


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def _hmac(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA256 (RFC 2104) for a key of at most 64 bytes; ~2 µs.

    `hmac.digest` gives the same, but asks OpenSSL for its algorithm each time: half as much again.
    """
    block = key.ljust(64, b"\0")
    inner = sha256(block.translate(_INNER) + message).digest()
    return sha256(block.translate(_OUTER) + inner).digest()


def hkdf(key_material: bytes, salt: bytes, info: bytes) -> bytes:
    """Return 32 bytes derived by HKDF-SHA256 (RFC 5869), one block; `salt` of at most 64 bytes."""
    return _hmac(_hmac(salt, key_material), info + b"\x01")


class SigningKey:
    """A private Ed25519 key made from a 32-byte seed; `public` is its 32-byte public key."""

    __slots__ = ("_secret", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise ValueError("an Ed25519 seed has 32 bytes")
        self.public, self._secret = bindings.crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over `message`; ~70 µs."""
        return bindings.crypto_sign(message, self._secret)[:64]

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()[:8]}…)"
