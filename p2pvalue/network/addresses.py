"""Multiaddresses as this network uses them: /ip4|ip6|dns…/HOST/tcp/PORT[/p2p/PEER-ID].

Read and written without libp2p, so that a daemon knows its own peer id and can judge an address
that a person typed before the library is loaded.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from nacl.bindings import crypto_sign_seed_keypair

from p2pvalue_protocol.errors import LocalProtocolError

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_IDENTITY_ED25519 = bytes.fromhex("002408011220")
"""Identity multihash of a protobuf public key of type Ed25519 (libp2p specs, peer-ids)."""

_NAMES = ("dns", "dns4", "dns6")
_PORT = re.compile("[0-9]{1,5}")


class AddressError(LocalProtocolError):
    """A multiaddress is not one that we can listen on or dial."""


@dataclass(frozen=True, slots=True)
class Address:
    """One TCP endpoint, and the peer expected there if it is known."""

    kind: str
    host: str
    port: int
    peer_id: str | None = None

    def __str__(self) -> str:
        tail = f"/p2p/{self.peer_id}" if self.peer_id is not None else ""
        return f"/{self.kind}/{self.host}/tcp/{self.port}{tail}"


def parse_address(text: str) -> Address:
    """Return the address written as a multiaddress; raises AddressError.

    >>> parse_address("/ip4/192.0.2.7/tcp/4001").port
    4001
    """
    parts = text.strip().split("/")
    if len(parts) == 7 and parts[5] == "p2p":
        peer_id: str | None = _checked_peer_id(parts[6], text)
    elif len(parts) == 5:
        peer_id = None
    else:
        raise AddressError(_advice(text))
    empty, kind, host, transport, port_text = parts[:5]
    if empty or transport != "tcp" or not _PORT.fullmatch(port_text):
        raise AddressError(_advice(text))
    port = int(port_text)
    if port > 65_535 or not _host_fits(kind, host):
        raise AddressError(_advice(text))
    return Address(kind, host, port, peer_id)


def peer_id_of_seed(seed: bytes) -> str:
    """Return the peer id of the Ed25519 key made from 32 bytes (libp2p specs, peer-ids)."""
    public_key, _ = crypto_sign_seed_keypair(seed)
    return encode_base58(_IDENTITY_ED25519 + public_key)


def encode_base58(data: bytes) -> str:
    """Return bytes in Bitcoin's base58."""
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, rest = divmod(number, 58)
        digits = _BASE58[rest] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def concrete_addresses(bound: list[Address]) -> list[Address]:
    """Return where others reach us: 0.0.0.0 and :: become this machine's addresses.

    Loopback comes last and only from a wildcard or when it was asked for; link-local IPv6 addresses
    are left out, for they mean nothing without an interface.
    """
    found: dict[Address, None] = {}
    for address in bound:
        wildcard = ipaddress.ip_address(address.host).is_unspecified
        hosts = _interface_hosts(address.kind) if wildcard else [address.host]
        for host in hosts:
            found[Address(address.kind, host, address.port)] = None
    return sorted(found, key=lambda a: ipaddress.ip_address(a.host).is_loopback)


def _interface_hosts(kind: str) -> list[str]:
    import ifaddr  # noqa: PLC0415  (reads the system's interfaces; only a listener needs it)

    hosts: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            host = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            parsed = ipaddress.ip_address(host.partition("%")[0])
            if parsed.version == (4 if kind == "ip4" else 6) and not (
                parsed.version == 6 and parsed.is_link_local
            ):
                hosts.append(str(parsed))
    return hosts


def _host_fits(kind: str, host: str) -> bool:
    if kind in _NAMES:
        return 0 < len(host) <= 253 and not any(c.isspace() for c in host)
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return False
    return kind == f"ip{parsed.version}"


def _checked_peer_id(peer_id: str, text: str) -> str:
    if not 40 <= len(peer_id) <= 60 or any(c not in _BASE58 for c in peer_id):
        raise AddressError(_advice(text))
    return peer_id


def _advice(text: str) -> str:
    return (
        f"{text[:100]!r} is not an address of ours; write /ip4/192.0.2.7/tcp/4001, and behind it "
        "/p2p/ and the peer id when it is to be dialled"
    )
