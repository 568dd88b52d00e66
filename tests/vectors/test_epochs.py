"""Sealing and EPOCH payloads do what the frozen vectors say."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import hpke
from p2pvalue_protocol.encoding import PayloadInvalid
from p2pvalue_protocol.keys import exchange_key_of
from p2pvalue_protocol.kinds.epoch import decode_epoch
from p2pvalue_protocol.operation import decode_core
from p2pvalue_protocol.sealing import SEAL_BYTES, open_payload, unseal_secret, unwrap_secret
from tests.vectors.files import Vector, shown, vectors_of


@pytest.mark.parametrize("vector", vectors_of("sealing"), ids=shown)
def test_sealing(vector: Vector) -> None:
    if "hpke" in vector["flags"]:
        check_hpke(vector)
        return
    given = {name: bytes.fromhex(value) for name, value in vector["input"].items()}
    if "seal" in given:
        found = unseal_secret(
            given["community"],
            given["commitment"],
            given["device"],
            given["private"],
            given["seal"],
        )
    elif "wrapped" in given:
        found = unwrap_secret(
            given["community"], given["secret"], given["epoch"], given["wrapped"], given["salt"]
        )
    else:
        found = open_payload(given["secret"], decode_core(given["core"]), given["payload"])
    expected = [bytes.fromhex(value) for value in vector.get("expect", {}).values()]
    assert found == (expected[0] if vector["result"] == "valid" else None)


def check_hpke(vector: Vector) -> None:
    """Assert that encapsulation and key schedule give what the RFC prints."""
    given = {name: bytes.fromhex(value) for name, value in vector["input"].items()}
    private = hpke.derive_private_key(given["receiver_seed"])
    assert exchange_key_of(private) == given["receiver"]
    encapsulated, shared_secret = hpke.encapsulate(given["receiver"], given["seed"])
    assert hpke.decapsulate(private, encapsulated) == shared_secret
    key, nonce = hpke.key_schedule(shared_secret, given["info"])
    found = (private, encapsulated, shared_secret, key, nonce)
    assert [value.hex() for value in found] == list(vector["expect"].values())


@pytest.mark.parametrize("vector", vectors_of("epochs"), ids=shown)
def test_epoch_payloads(vector: Vector) -> None:
    payload = bytes.fromhex(vector["input"]["payload"])
    if vector["result"] == "invalid":
        with pytest.raises(PayloadInvalid):
            decode_epoch(payload)
        return
    epoch = decode_epoch(payload)
    assert vector["expect"]["fields"] == {
        "parts": epoch.parts,
        "part": epoch.part,
        "seals": len(epoch.seals) // SEAL_BYTES,
        "audience": [root.hex() for root in epoch.audience],
        "wraps": [wrap.epoch.hex() for wrap in epoch.wraps],
    }
