"""One signature has one meaning: libsodium and OpenSSL agree under the rule and only there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from p2pvalue_protocol.keys import has_valid_form, is_valid_public_key, verify
from tests.vectors.files import Vector, shown, vectors_of


def openssl_alone(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def openssl_under_the_rule(key: bytes, message: bytes, signature: bytes) -> bool:
    return (
        has_valid_form(signature)
        and is_valid_public_key(key)
        and openssl_alone(key, message, signature)
    )


def given(vector: Vector) -> tuple[bytes, bytes, bytes]:
    key, message, signature = (
        bytes.fromhex(vector["input"][name]) for name in ("key", "message", "signature")
    )
    return key, message, signature


@pytest.mark.parametrize("backend", [verify, openssl_under_the_rule], ids=["libsodium", "openssl"])
@pytest.mark.parametrize("vector", vectors_of("signatures"), ids=shown)
def test_signatures(backend: Callable[[bytes, bytes, bytes], bool], vector: Vector) -> None:
    assert backend(*given(vector)) is (vector["result"] == "valid")


def test_without_the_rule_openssl_takes_what_is_refused() -> None:
    taken = {v["id"] for v in vectors_of("signatures") if openssl_alone(*given(v))}
    refused = {v["id"] for v in vectors_of("signatures") if v["result"] == "invalid"}
    assert {"identity-key", "r-is-identity", "mixed-order-key-mixed-order-r"} <= taken & refused
