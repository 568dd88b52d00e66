"""An invite link survives a mail program, and says what to do when it did not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol.device_code import DeviceCode, format_code, parse_code
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.invitation import (
    PREFIX,
    InviteLink,
    format_link,
    invite_key,
    parse_link,
)

LINK = InviteLink(bytes(range(32)), bytes(range(16)), ("/ip4/192.0.2.7/tcp/4001/p2p/12D3KooW",))
TEXT = format_link(LINK)

ADDRESSES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
LINKS = st.builds(
    InviteLink,
    st.binary(min_size=32, max_size=32),
    st.just(b"") | st.binary(min_size=16, max_size=16),
    st.lists(
        st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), max_size=4
    ).map(tuple),
)


@given(LINKS)
def test_a_link_says_what_was_put_in(link: InviteLink) -> None:
    assert parse_link(format_link(link)) == link


@pytest.mark.parametrize(
    "mailed",
    [
        f"  {TEXT}\n",
        "\r\n".join(TEXT[start : start + 40] for start in range(0, len(TEXT), 40)),
        f"<{TEXT}>",
        TEXT.replace("#", "# "),
    ],
)
def test_what_a_mail_program_does_to_a_link_does_not_matter(mailed: str) -> None:
    assert parse_link(mailed) == LINK


@given(st.integers(0, len(TEXT) - 1))
def test_a_link_cut_short_is_noticed(length: int) -> None:
    with pytest.raises(LocalProtocolError, match=r"paste it whole|another version"):
        parse_link(TEXT[:length])


@given(st.integers(len(PREFIX), len(TEXT) - 1), st.sampled_from("ABCabc019-_"))
def test_a_mistyped_character_is_noticed(place: int, character: str) -> None:
    typed = TEXT[:place] + character + TEXT[place + 1 :]
    if typed != TEXT:
        with pytest.raises(LocalProtocolError, match="paste it whole"):
            parse_link(typed)


@given(st.text(max_size=200))
def test_any_text_is_a_link_or_an_error_that_says_what_to_do(text: str) -> None:
    for pasted in (text, PREFIX + text):
        with pytest.raises(LocalProtocolError, match=r"paste|update|ask"):
            parse_link(pasted)


def test_a_link_of_a_later_version_says_so() -> None:
    with pytest.raises(LocalProtocolError, match="update"):
        parse_link(TEXT.replace(":1#", ":2#"))


def test_a_clipboard_full_of_something_else_is_not_read() -> None:
    with pytest.raises(LocalProtocolError, match="paste the link alone"):
        parse_link(TEXT + "A" * 8_192)


@pytest.mark.parametrize(
    "link",
    [
        InviteLink(bytes(31), b"", ()),
        InviteLink(bytes(32), bytes(15), ()),
        InviteLink(bytes(32), b"", ("/dns4/a b",)),
        InviteLink(bytes(32), b"", ("",)),
        InviteLink(bytes(32), b"", ("/dns4/bücher.example",)),
        InviteLink(bytes(32), b"", ("x",) * 17),
    ],
)
def test_a_link_that_cannot_be_read_is_not_made(link: InviteLink) -> None:
    with pytest.raises(LocalProtocolError, match="check these"):
        format_link(link)


def test_a_secret_stands_for_one_key() -> None:
    assert invite_key(bytes(16)).public == invite_key(bytes(16)).public
    assert invite_key(bytes(16)).public != invite_key(bytes(range(16))).public
    with pytest.raises(LocalProtocolError, match="draw a new one"):
        invite_key(b"")


HERE = ("/ip4/192.0.2.7/tcp/4001",)


def test_a_device_code_says_what_was_put_in() -> None:
    code = DeviceCode("12D3KooWPeer", HERE, bytes(16))
    assert parse_code(format_code(code)) == code


@pytest.mark.parametrize(
    ("peer_id", "addresses", "secret"),
    [
        ("", HERE, bytes(16)),
        ("a/b", HERE, bytes(16)),
        ("12D3KooWPeer", (), bytes(16)),
        ("12D3KooWPeer", HERE * 5, bytes(16)),
        ("12D3KooWPeer", ("not printable\n",), bytes(16)),
        ("12D3KooWPeer", HERE, bytes(15)),
    ],
)
def test_a_device_code_is_not_made_of_what_no_code_can_hold(
    peer_id: str, addresses: tuple[str, ...], secret: bytes
) -> None:
    with pytest.raises(LocalProtocolError, match="check these"):
        format_code(DeviceCode(peer_id, addresses, secret))
