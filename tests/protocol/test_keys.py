"""A signature holds for one key and one message, and keys do not show their secrets."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol.keys import (
    SigningKey,
    has_valid_form,
    hkdf,
    is_valid_exchange_key,
    is_valid_public_key,
    verify,
)

KEY = SigningKey(bytes(range(32)))
MESSAGE = b"a message"
SIGNATURE = KEY.sign(MESSAGE)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_what_a_key_signed_holds(seed: bytes, message: bytes) -> None:
    key = SigningKey(seed)
    assert is_valid_public_key(key.public)
    assert verify(key.public, message, key.sign(message))
    assert not verify(key.public, message + b"!", key.sign(message))


@given(st.integers(0, 64 * 8 - 1))
def test_a_signature_with_one_bit_changed_does_not_hold(bit: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[bit // 8] ^= 1 << bit % 8
    assert not verify(KEY.public, MESSAGE, bytes(changed))


@given(st.binary(max_size=40), st.binary(max_size=80))
def test_any_bytes_as_key_or_signature_are_refused_and_never_raise(
    key: bytes, signature: bytes
) -> None:
    assert not verify(key, MESSAGE, signature)
    assert not verify(KEY.public, MESSAGE, signature)


def test_form_is_judged_without_the_message() -> None:
    assert has_valid_form(SIGNATURE)
    assert not has_valid_form(SIGNATURE[:-1])
    assert not has_valid_form(SIGNATURE[:32] + b"\xff" * 32)


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(b"short")


def test_a_key_does_not_show_its_secret() -> None:
    shown = repr(KEY) + str(KEY)
    assert bytes(range(32)).hex()[:16] not in shown
    assert not hasattr(KEY, "__dict__")


def test_derivation_is_that_of_rfc_5869() -> None:
    # Test case 1 of the RFC, its first 32 bytes.
    found = hkdf(bytes([0x0B] * 22), bytes(range(13)), bytes(range(0xF0, 0xFA)))
    assert found.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"


@pytest.mark.parametrize("size", [1, 24, 32, 63, 64])
def test_derivation_is_made_of_hmac_whatever_the_size_of_the_salt(size: int) -> None:
    salt, info = bytes(range(size)), bytes(range(100))
    extracted = hmac.digest(salt, b"secret", sha256)
    assert hkdf(b"secret", salt, info) == hmac.digest(extracted, info + b"\x01", sha256)


def test_no_salt_is_a_salt_of_zeros() -> None:
    extracted = hmac.digest(bytes(32), b"secret", sha256)
    assert hkdf(b"secret", b"", b"x") == hmac.digest(extracted, b"x\x01", sha256)


def test_a_key_has_32_bytes_and_a_signature_64() -> None:
    assert not any(map(is_valid_public_key, (KEY.public[:-1], KEY.public + b"\x00", b"")))
    assert not any(map(has_valid_form, (SIGNATURE[:-1], SIGNATURE + b"\x00", b"")))


OF_ORDER_8 = (
    325_606_250_916_557_431_795_983_626_356_110_631_294_008_115_727_848_805_560_023_387_167_927_233_504,
    39_382_357_235_489_614_581_723_060_781_553_021_112_529_911_719_440_698_176_882_885_853_963_445_705_823,
)


@pytest.mark.parametrize("number", [0, 1, *OF_ORDER_8, 2**255 - 20, 2**255 - 19, 2**255 - 18])
def test_a_key_with_which_all_agree_on_zeros_is_no_exchange_key(number: int) -> None:
    assert not is_valid_exchange_key(number.to_bytes(32, "little"))
    for valid in (9, 2**255 - 21):
        assert is_valid_exchange_key(valid.to_bytes(32, "little"))


def test_a_signature_is_below_the_order_of_its_group() -> None:
    order = 2**252 + 27_742_317_777_372_353_535_851_937_790_883_648_493
    for number, is_below in ((order - 1, True), (order, False), (order + 1, False)):
        assert has_valid_form(b"R" * 32 + number.to_bytes(32, "little")) == is_below
