"""Which of a member's prekeys is told to whom, and when a device of ours wrote its newest."""

from __future__ import annotations

from typing import cast

import pytest

from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.keys import exchange_key_of
from p2pvalue_protocol.kinds.prekey import NUMBER, DevicePrekey, PrekeysState, prekeys_subject
from p2pvalue_protocol.past import Batch, Past, StateRow
from p2pvalue_protocol.prekeys import Prekeys
from tests.protocol.authoring import prekey_named

ROOT = b"r" * 32
DEVICES = tuple(bytes([letter]) * 32 for letter in b"ace")


class Stored:
    """What is stored of one member's prekeys."""

    def state(self, subject: bytes) -> StateRow | None:
        if subject != prekeys_subject(ROOT):
            return None
        devices = tuple(
            DevicePrekey(device, prekey_named(str(number)), 1_000 + number)
            for number, device in enumerate(DEVICES)
        )
        state = encode(PrekeysState(devices))
        return StateRow(subject, NUMBER, bytes(16), 1_002, DEVICES[2], 0, bytes(32), state)

    def prekeys(self) -> list[tuple[bytes, bytes]]:
        return []


@pytest.mark.parametrize(("device", "time_ms"), [*zip(DEVICES, (1_000, 1_001, 1_002), strict=True)])
def test_a_device_finds_when_it_wrote_its_own_prekey_among_its_members(
    device: bytes, time_ms: int
) -> None:
    prekeys = Prekeys(cast("Past", Stored()), device=device, private=None)
    assert prekeys.time_ms(ROOT) == time_ms
    assert prekeys.time_ms(b"other") is None


@pytest.mark.parametrize("device", [bytes(32), b"b" * 32, b"z" * 32])
def test_a_device_that_wrote_none_finds_nothing(device: bytes) -> None:
    prekeys = Prekeys(cast("Past", Stored()), device=device, private=None)
    assert prekeys.time_ms(ROOT) is None
    assert prekeys.newest([ROOT]).keys() == set(DEVICES)


def test_who_becomes_another_device_keeps_what_opens_its_seals_and_nothing_else() -> None:
    prekeys = Prekeys(cast("Past", Stored()), device=DEVICES[0], private=b"1" * 32)
    prekeys.become(DEVICES[1], b"2" * 32)
    batch = Batch(bytes(32))
    prekeys.write_to(batch)
    assert batch.prekeys == [(exchange_key_of(b"2" * 32), b"2" * 32)]
