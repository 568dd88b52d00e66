"""Sealing to a key: what the RFC prints, and what another implementation makes of it."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from p2pvalue_protocol import hpke
from p2pvalue_protocol.keys import exchange_key_of

THEIRS = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
PRIVATE = bytes(range(32))
PUBLIC = exchange_key_of(PRIVATE)
INFO = b"what it is for"
SECRET = b"s" * 32
SMALL_ORDER = bytes(32)


def test_another_implementation_opens_what_is_sealed_here() -> None:
    sealed = hpke.seal(PUBLIC, INFO, SECRET, b"e" * 32)
    assert THEIRS.decrypt(sealed, X25519PrivateKey.from_private_bytes(PRIVATE), INFO) == SECRET


def test_what_another_implementation_seals_opens_here() -> None:
    sealed = THEIRS.encrypt(SECRET, X25519PublicKey.from_public_bytes(PUBLIC), INFO)
    assert hpke.unseal(PRIVATE, INFO, sealed) == SECRET


def test_a_seal_opens_with_its_key_and_purpose_and_in_its_whole_form_only() -> None:
    sealed = hpke.seal(PUBLIC, INFO, SECRET, b"e" * 32)
    assert hpke.unseal(PRIVATE, INFO, sealed) == SECRET
    assert hpke.unseal(b"\x07" * 32, INFO, sealed) is None
    assert hpke.unseal(PRIVATE, b"another purpose", sealed) is None
    for at in range(len(sealed)):
        bent = bytes(byte ^ (place == at) for place, byte in enumerate(sealed))
        if at == 31:  # X25519 ignores the highest bit, HPKE binds it
            bent = sealed[:31] + bytes((sealed[31] ^ 0x80,)) + sealed[32:]
        assert hpke.unseal(PRIVATE, INFO, bent) is None
    for length in range(len(sealed)):
        assert hpke.unseal(PRIVATE, INFO, sealed[:length]) is None


def test_a_key_of_small_order_seals_and_opens_nothing() -> None:
    with pytest.raises(ValueError, match="no secret can be agreed on"):
        hpke.seal(SMALL_ORDER, INFO, SECRET, b"e" * 32)
    assert hpke.unseal(PRIVATE, INFO, SMALL_ORDER + bytes(48)) is None


def test_another_implementation_refuses_what_is_refused_here() -> None:
    sealed = hpke.seal(PUBLIC, INFO, SECRET, b"e" * 32)
    with pytest.raises(InvalidTag):
        THEIRS.decrypt(sealed, X25519PrivateKey.from_private_bytes(PRIVATE), b"another purpose")


def test_each_seed_gives_another_seal_and_the_same_seed_the_same() -> None:
    first, second = (hpke.seal(PUBLIC, INFO, SECRET, seed * 32) for seed in (b"1", b"2"))
    assert first != second
    assert first == hpke.seal(PUBLIC, INFO, SECRET, b"1" * 32)
