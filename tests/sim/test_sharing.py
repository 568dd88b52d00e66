"""Machines of one world ask the library once for each signature, and believe no wrong one."""

from __future__ import annotations

import pytest
from nacl import bindings

from p2pvalue.sim.sharing import signatures_checked_once
from p2pvalue_protocol.keys import verify
from tests.protocol.authoring import key_named


def test_what_is_right_is_checked_once_and_what_is_wrong_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[bytes] = []
    library = bindings.crypto_sign_open

    def counting(signed: bytes, pk: bytes) -> bytes:
        checked.append(signed)
        return library(signed, pk)

    monkeypatch.setattr(bindings, "crypto_sign_open", counting)
    key, other = key_named("device"), key_named("other")
    signature = key.sign(b"message")
    bent = bytes([signature[0] ^ 1]) + signature[1:]
    with signatures_checked_once():
        assert verify(key.public, b"message", signature)
        assert verify(key.public, b"message", signature)
        assert len(checked) == 1
        for _ in range(2):
            assert not verify(key.public, b"massage", signature)
            assert not verify(key.public, b"message", bent)
            assert not verify(other.public, b"message", signature)
        assert len(checked) == 7
    assert verify(key.public, b"message", signature)
    assert len(checked) == 8
