"""ChaCha20-Poly1305: the RFC's own example, and the same answers as PyNaCl's own functions."""

from __future__ import annotations

import random

import pytest
from nacl import bindings

from p2pvalue_protocol import aead

SUNSCREEN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)


def test_the_example_of_rfc_8439() -> None:
    sealed = aead.encrypt(
        bytes(range(0x80, 0xA0)),
        SUNSCREEN,
        bytes.fromhex("50515253c0c1c2c3c4c5c6c7"),
        bytes.fromhex("070000004041424344454647"),
    )
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"
    assert sealed[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2"


def test_what_one_seals_pynacl_opens_and_the_other_way_round(rng: random.Random) -> None:
    for size in (0, 1, 63, 64, 255, 65_536):
        key, nonce, plaintext = rng.randbytes(32), rng.randbytes(12), rng.randbytes(size)
        for associated in (b"", rng.randbytes(200)):
            sealed = bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
                plaintext, associated, nonce, key
            )
            assert aead.encrypt(key, plaintext, associated, nonce) == sealed
            assert aead.decrypt(key, sealed, associated, nonce) == plaintext


def test_nothing_opens_that_was_changed_anywhere(rng: random.Random) -> None:
    key, plaintext, associated = rng.randbytes(32), rng.randbytes(100), rng.randbytes(20)
    sealed = aead.encrypt(key, plaintext, associated)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << rng.randrange(8)
        assert aead.decrypt(key, bytes(changed), associated) is None
    assert aead.decrypt(key, sealed, associated + b"x") is None
    assert aead.decrypt(rng.randbytes(32), sealed, associated) is None
    assert aead.decrypt(key, sealed, associated) == plaintext


@pytest.mark.parametrize("size", range(16))
def test_what_is_shorter_than_a_tag_does_not_open(size: int) -> None:
    assert aead.decrypt(bytes(32), bytes(size)) is None


@pytest.mark.parametrize(("key", "nonce"), [(31, 12), (33, 12), (0, 12), (32, 11), (32, 24)])
def test_keys_and_nonces_of_other_sizes_are_refused(key: int, nonce: int) -> None:
    with pytest.raises(ValueError, match="are due"):
        aead.encrypt(bytes(key), b"text", nonce=bytes(nonce))
    with pytest.raises(ValueError, match="are due"):
        aead.decrypt(bytes(key), bytes(20), nonce=bytes(nonce))
