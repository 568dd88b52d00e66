"""Address records say where a device is, and nobody else can say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import limits
from p2pvalue_protocol.addresses import decode_record, is_newer, make_record
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import LocalProtocolError
from tests.protocol.authoring import key_named
from tests.protocol.meeting import NOW_MS, Community, Link

KEY = key_named("ada device")
COMMUNITY = b"c" * 32
ADDRESS = "/ip4/192.0.2.1/tcp/4001"


def record(time_ms: int = NOW_MS, *addresses: str) -> bytes:
    return make_record(KEY, COMMUNITY, "12D3KooW", addresses or (ADDRESS,), time_ms)


def test_a_record_says_what_its_device_said() -> None:
    known = decode_record(record(), COMMUNITY)
    assert known is not None
    assert known == (KEY.public, "12D3KooW", (ADDRESS,), NOW_MS)


def test_a_record_holds_for_its_community_only() -> None:
    assert decode_record(record(), b"d" * 32) is None


def test_the_newer_record_wins_whatever_the_order() -> None:
    old, new = record(NOW_MS), record(NOW_MS + 1)
    assert is_newer(new, old, NOW_MS)
    assert not is_newer(old, new, NOW_MS)
    assert not is_newer(old, old, NOW_MS)


def test_of_two_records_with_one_time_all_nodes_keep_the_same() -> None:
    one, two = record(), record(NOW_MS, "/ip4/192.0.2.2/tcp/4001")
    assert is_newer(one, two, NOW_MS) is not is_newer(two, one, NOW_MS)


def test_no_clock_pins_a_record_for_ever() -> None:
    ahead = record(NOW_MS + limits.RECORD_AHEAD_MS_MAX + 1)
    assert not is_newer(ahead, None, NOW_MS)
    assert is_newer(ahead, None, NOW_MS + 1)


def test_only_the_first_eight_addresses_are_told() -> None:
    many = [f"/ip4/192.0.2.{at}/tcp/4001" for at in range(20)]
    known = decode_record(record(NOW_MS, *many), COMMUNITY)
    assert known is not None
    assert known.addresses == tuple(many[: limits.ADDRESSES_MAX])


@pytest.mark.parametrize("address", ["", "x" * 201, "/ip4/1.2.3.4 /tcp/1", "/dns/é/tcp/1", "/a\n"])
def test_an_address_that_no_peer_would_take_is_not_told(address: str) -> None:
    with pytest.raises(LocalProtocolError, match="check the listen addresses"):
        record(NOW_MS, address)


def test_texts_that_could_disturb_a_screen_are_refused_even_if_signed() -> None:
    body = encode([COMMUNITY, KEY.public, "peer\x1b[2J", [], NOW_MS])
    assert decode_record(body + KEY.sign(b"p2pv1/address\x00" + body), COMMUNITY) is None


@pytest.mark.parametrize("length", [0, 1, 64, 65])
def test_a_peer_id_has_1_to_64_characters(length: int) -> None:
    body = encode([COMMUNITY, KEY.public, "p" * length, [], NOW_MS])
    known = decode_record(body + KEY.sign(b"p2pv1/address\x00" + body), COMMUNITY)
    assert (known is not None) == (length in (1, 64))


def test_a_record_fits_its_limit_with_the_longest_addresses() -> None:
    longest = record(NOW_MS, *("/" + "x" * 199 for _ in range(8)))
    assert len(longest) <= limits.RECORD_BYTES_MAX


@given(at=st.integers(0, len(record()) - 1), new=st.integers(0, 255))
def test_no_byte_of_a_record_can_be_changed(at: int, new: int) -> None:
    good = record()
    changed = good[:at] + bytes([new]) + good[at + 1 :]
    assert changed == good or decode_record(changed, COMMUNITY) is None


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_no_record(data: bytes) -> None:
    assert decode_record(data, COMMUNITY) is None
    assert not is_newer(data, record(), NOW_MS)


def test_a_peer_that_moves_all_the_time_fills_no_memory() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    link = Link(ada, ben)
    link.settle()
    for moved in range(20):
        ben.listen_at(f"/ip4/203.0.113.{moved}/tcp/4001", now_ms=NOW_MS + moved)
        link.poke(1)
        link.wait(limits.HEADS_EVERY_MS_MAX)
    assert len(ada.replica.addresses()) == 1
    exchange = link.sessions[0]._exchange
    assert exchange is not None
    assert len(exchange._records_known) == 1


def test_a_stranger_s_record_is_not_kept() -> None:
    community = Community("ada")
    ada = community.node("ada")
    stranger = make_record(key_named("sam device"), community.community, "p", [ADDRESS], NOW_MS)
    assert not ada.replica.learn_address(stranger, NOW_MS)
    assert ada.replica.addresses() == []


def test_a_record_takes_the_place_of_none_and_of_one_that_cannot_be_read() -> None:
    record = make_record(key_named("ada device"), bytes(32), "peer", ["/ip4/1.2.3.4/tcp/1"], 5)
    assert is_newer(record, None, 5)
    assert is_newer(record, b"unreadable", 5)
    assert not is_newer(record, record, 5)
