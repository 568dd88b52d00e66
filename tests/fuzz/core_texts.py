"""Targets for what people pass on as text, and for what only somebody with a secret can seal.

Behind a checksum or a seal random bytes never come: some targets put it on themselves, as anybody
who means harm would.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable

from p2pvalue_protocol import device_code, invitation
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.envelope import open_envelope, seal_envelope
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.hpke import unseal
from p2pvalue_protocol.ids import ZERO32, tagged_hash
from p2pvalue_protocol.keys import exchange_key_of
from p2pvalue_protocol.limits import GOSSIP_BYTES_MAX, PAYLOAD_BYTES_MAX
from p2pvalue_protocol.link_text import CHARACTERS_MAX
from p2pvalue_protocol.operation import Core
from p2pvalue_protocol.sealing import (
    PLAINTEXT_BYTES_MAX,
    SALT_BYTES,
    commitment_of,
    open_payload,
    pad,
    seal_payload,
    seal_secret,
    unpad,
    unseal_secret,
    unwrap_secret,
    wrap_secret,
)
from tests.fuzz.seeds import in_vectors
from tests.fuzz.target import Target

P = "p2pvalue_protocol"
_COMMUNITY = bytes(range(32))
_SECRET = bytes(range(32, 64))
_PRIVATE = bytes(range(64, 96))
_EPOCH = bytes(range(96, 128))
_SALT = bytes(SALT_BYTES)
_TOPIC = "a" * 32


# --- texts


def _text(parse: Callable[[str], object], form: Callable[[object], str]) -> Callable[[bytes], bool]:
    """Return a run that demands that what a text says makes the same text, but for spaces."""

    def run(data: bytes) -> bool:
        text = data.decode("utf-8", "surrogateescape")
        try:
            said = parse(text)
        except LocalProtocolError:
            return False
        assert form(said) == "".join(text.split()).strip("<>")
        assert parse(form(said)) == said
        return True

    return run


_link = _text(invitation.parse_link, invitation.format_link)  # type: ignore[arg-type]  # what was parsed
_code = _text(device_code.parse_code, device_code.format_code)  # type: ignore[arg-type]  # as above


def _link_body(data: bytes) -> bool:
    return _link(_with_checksum(invitation.PREFIX, "link", data))


def _code_body(data: bytes) -> bool:
    return _code(_with_checksum(device_code.PREFIX, "device-code", data))


def _with_checksum(prefix: str, tag: str, body: bytes) -> bytes:
    whole = body + tagged_hash(tag, body)[:4]
    return prefix.encode() + urlsafe_b64encode(whole).rstrip(b"=")


def _link_bodies() -> list[bytes]:
    addresses = ["/ip4/192.0.2.1/tcp/4001", "/ip6/::1/tcp/1"]
    return [encode([_COMMUNITY, _SALT[:16], addresses]), encode([_COMMUNITY, b"", []])]


def _code_bodies() -> list[bytes]:
    return [encode(["12D3KooWFake", ["/ip4/192.0.2.1/tcp/4001"], _SALT[:16]])]


# --- seals


def _sealed_core(size: int) -> Core:
    return Core(1, _COMMUNITY, _PRIVATE, 0, ZERO32, 35, b"", (), 1, _EPOCH, size, ZERO32)


def _sealed(data: bytes) -> bool:
    """Open bytes as everything that is sealed; all that opens was sealed by the holder of a key."""
    core = _sealed_core(len(data))
    commitment = commitment_of(_COMMUNITY, _SECRET)
    opened = (
        open_payload(_SECRET, core, data),
        open_envelope(_SECRET, _TOPIC, data),
        unseal(_PRIVATE, b"", data),
        unseal_secret(_COMMUNITY, commitment, _EPOCH, _PRIVATE, data),
        unwrap_secret(_COMMUNITY, _SECRET, _EPOCH, data, _SALT),
    )
    return any(found is not None for found in opened)


def _sealed_seeds() -> list[bytes]:
    commitment, public = commitment_of(_COMMUNITY, _SECRET), exchange_key_of(_PRIVATE)
    return [
        seal_payload(_SECRET, _sealed_core(0), b"hello", _SALT),
        seal_envelope(_SECRET, _TOPIC, b"hello", _SALT),
        seal_secret(_COMMUNITY, commitment, _EPOCH, public, _SECRET, bytes(32)),
        wrap_secret(_COMMUNITY, _SECRET, _EPOCH, _PRIVATE, _SALT),
        bytes(SALT_BYTES + 15),
    ]


def _padded(data: bytes) -> bool:
    """Read bytes as padded; also as what is to be padded."""
    if len(data) <= PLAINTEXT_BYTES_MAX:
        assert unpad(pad(data)) == data
        salted = seal_payload(_SECRET, _sealed_core(0), data, _SALT)
        assert len(salted) <= PAYLOAD_BYTES_MAX
        assert open_payload(_SECRET, _sealed_core(0), salted) == data
    plaintext = unpad(data)
    assert plaintext is None or pad(plaintext) == data, "two paddings say the same"
    return plaintext is not None


CORE_TEXTS = (
    Target(
        name="invite-link",
        run=_link,
        seeds=lambda: in_vectors("invitation", "text"),
        covers=(f"{P}.invitation.parse_link", f"{P}.link_text"),
        bytes_max=CHARACTERS_MAX + 64,
    ),
    Target(
        name="invite-link-body",
        run=_link_body,
        seeds=_link_bodies,
        covers=(),
        shape="msgpack",
    ),
    Target(
        name="device-code",
        run=_code,
        seeds=lambda: in_vectors("devices", "text"),
        covers=(f"{P}.device_code.parse_code",),
        bytes_max=CHARACTERS_MAX + 64,
    ),
    Target(
        name="device-code-body",
        run=_code_body,
        seeds=_code_bodies,
        covers=(),
        shape="msgpack",
    ),
    Target(
        name="sealed",
        run=_sealed,
        seeds=_sealed_seeds,
        covers=(f"{P}.sealing", f"{P}.envelope", f"{P}.hpke"),
        bytes_max=GOSSIP_BYTES_MAX,
    ),
    Target(
        name="padded",
        run=_padded,
        seeds=lambda: [b"", b"hello", pad(b"hello"), pad(bytes(2_000)), bytes(64)],
        covers=(),
        bytes_max=PAYLOAD_BYTES_MAX,
    ),
)
