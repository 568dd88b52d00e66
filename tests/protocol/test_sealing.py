"""Payloads, wraps and seals under an epoch's secret."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from p2pvalue_protocol import limits, sealing
from p2pvalue_protocol.ids import AUTH, ZERO32, Reference
from p2pvalue_protocol.keys import exchange_key_of
from p2pvalue_protocol.operation import Core

SECRET = b"s" * 32
SALT = b"t" * 24
COMMUNITY, DEVICE, EPOCH = b"c" * 32, b"d" * 32, b"e" * 32
CORE = Core(1, COMMUNITY, DEVICE, 4, b"b" * 32, 35, b"", (), 1_000, EPOCH, 0, ZERO32)
TEXT = b"what nobody else may read"


def sealed(plaintext: bytes = TEXT) -> bytes:
    return sealing.seal_payload(SECRET, CORE, plaintext, SALT)


@pytest.mark.parametrize("size", [0, 1, 62, 63, 64, 1_022, 1_023, 1_024, 20_000, 65_495])
def test_a_payload_opens_to_what_was_sealed(size: int) -> None:
    plaintext = Random(size).randbytes(size)
    payload = sealed(plaintext)
    assert sealing.open_payload(SECRET, CORE, payload) == plaintext
    assert len(payload) <= limits.PAYLOAD_BYTES_MAX
    assert plaintext == b"" or size < 8 or plaintext not in payload


def test_a_payload_longer_than_an_operation_carries_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="65496 bytes of at most 65495"):
        sealing.pad(bytes(sealing.PLAINTEXT_BYTES_MAX + 1))


def test_sizes_come_in_steps() -> None:
    sizes = {sealing.padded_size(size) for size in range(1, 60_000)}
    assert {size for size in sizes if size <= 1_024} == set(range(64, 1_025, 64))
    assert len(sizes) < 16 + 32 * 6
    for size in range(1_025, 60_000, 7):
        assert size <= sealing.padded_size(size) <= size * 1.12


def test_padding_has_one_form() -> None:
    padded = sealing.pad(b"text")
    assert sealing.unpad(padded) == b"text"
    for other in (b"", bytes(64), padded + bytes(64), padded[:-1], b"text" + bytes(60)):
        assert sealing.unpad(other) is None


def test_a_payload_belongs_to_its_operation_and_its_epoch_alone() -> None:
    other_place = Reference(DEVICE, AUTH, 1, b"p" * 32)
    others = [
        replace(CORE, community=b"x" * 32),
        replace(CORE, device=b"x" * 32),
        replace(CORE, seq=5),
        replace(CORE, backlink=b"x" * 32),
        replace(CORE, kind=36),
        replace(CORE, subject=b"x" * 16),
        replace(CORE, parents=(other_place,)),
        replace(CORE, time=1_001),
        replace(CORE, epoch=b"x" * 32),
    ]
    payload = sealed()
    assert sealing.open_payload(SECRET, CORE, payload) == TEXT
    for other in others:
        assert sealing.open_payload(SECRET, other, payload) is None
    assert sealing.open_payload(b"x" * 32, CORE, payload) is None


def test_bytes_that_no_one_sealed_open_to_nothing() -> None:
    payload = sealed()
    for length in range(len(payload)):
        assert sealing.open_payload(SECRET, CORE, payload[:length]) is None
    for at in range(len(payload)):
        bent = bytes(byte ^ (place == at) for place, byte in enumerate(payload))
        assert sealing.open_payload(SECRET, CORE, bent) is None


def test_a_seal_gives_its_device_the_secret_that_was_committed_to() -> None:
    private = b"k" * 32
    commitment = sealing.commitment_of(COMMUNITY, SECRET)

    def seal_of(secret: bytes) -> bytes:
        prekey = exchange_key_of(private)
        return sealing.seal_secret(COMMUNITY, commitment, DEVICE, prekey, secret, b"r" * 32)

    def opened(device: bytes, sealed: bytes) -> bytes | None:
        return sealing.unseal_secret(COMMUNITY, commitment, device, private, sealed)

    assert len(seal_of(SECRET)) == sealing.SEAL_BYTES
    assert opened(DEVICE, seal_of(SECRET)) == SECRET
    assert opened(b"x" * 32, seal_of(SECRET)) is None
    assert opened(DEVICE, seal_of(b"x" * 32)) is None  # garbage, told by the commitment


def test_a_newer_secret_opens_an_older_one() -> None:
    wrapped = sealing.wrap_secret(COMMUNITY, SECRET, EPOCH, b"o" * 32, SALT)
    assert sealing.unwrap_secret(COMMUNITY, SECRET, EPOCH, wrapped, SALT) == b"o" * 32
    assert sealing.unwrap_secret(COMMUNITY, SECRET, b"x" * 32, wrapped, SALT) is None
    assert sealing.unwrap_secret(COMMUNITY, b"x" * 32, EPOCH, wrapped, SALT) is None
