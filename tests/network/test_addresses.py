"""Addresses are read strictly, written concretely, and name the peer."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue.network import Address, AddressError, parse_address, peer_id_of_seed
from p2pvalue.network.addresses import concrete_addresses

PEER = "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5"


@pytest.mark.parametrize(
    "text",
    [
        "/ip4/192.0.2.7/tcp/4001",
        f"/ip4/192.0.2.7/tcp/4001/p2p/{PEER}",
        f"/ip6/2001:db8::7/tcp/0/p2p/{PEER}",
        f"/dns4/node.example/tcp/4001/p2p/{PEER}",
    ],
)
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.7:4001",
        "/ip4/192.0.2.7",
        "/ip4/192.0.2.7/udp/4001",
        "/ip4/2001:db8::7/tcp/4001",
        "/ip4/192.0.2.256/tcp/4001",
        "/ip4/192.0.2.7/tcp/65536",
        "/ip4/192.0.2.7/tcp/\u0664",
        "/ip4/192.0.2.7/tcp/" + "9" * 5_000,
        "/ip4/192.0.2.7/tcp/4001/p2p/short",
        "/ip4/192.0.2.7/tcp/4001/ws",
        "/dns4//tcp/4001",
        f"x/ip4/192.0.2.7/tcp/4001/p2p/{PEER}",
    ],
)
def test_what_is_no_address_is_refused_with_advice(text: str) -> None:
    with pytest.raises(AddressError, match="write /ip4/"):
        parse_address(text)


@given(st.text(max_size=100))
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(AddressError):
        assert parse_address(str(parse_address(text))) == parse_address(text)


def test_the_peer_id_of_a_seed_is_that_of_the_library() -> None:
    assert peer_id_of_seed(b"\x01" * 32) == PEER


def test_wildcards_become_addresses_of_this_machine() -> None:
    found = concrete_addresses([Address("ip4", "0.0.0.0", 4001)])
    assert Address("ip4", "127.0.0.1", 4001) in found
    assert all(a.host != "0.0.0.0" and a.port == 4001 for a in found)


def test_loopback_comes_last() -> None:
    bound = [Address("ip4", "127.0.0.1", 1), Address("ip4", "192.0.2.7", 2)]
    assert [a.port for a in concrete_addresses(bound)] == [2, 1]
