"""The invite link, and the key that its secret stands for (spec: invitation).

A link carries what a newcomer's node needs to find one member and to show that it was invited: the
community, a secret, addresses. It carries no name, so that a link found in a log tells nothing.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import LocalProtocolError, Refused
from p2pvalue_protocol.keys import SigningKey, hkdf
from p2pvalue_protocol.link_text import Address, TextForm, is_address

PREFIX: Final = "p2pvalue:1#"
SECRET_BYTES: Final = 16
ADDRESSES_MAX: Final = 16

_FORM = TextForm("an", "invite link", PREFIX, "link")


class InviteLink(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What an invite link says; `secret` is empty where anybody may join."""

    community: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    secret: Annotated[bytes, msgspec.Meta(max_length=SECRET_BYTES)]
    addresses: Annotated[tuple[Address, ...], msgspec.Meta(max_length=ADDRESSES_MAX)]


_decoder = msgspec.msgpack.Decoder(InviteLink)


def invite_key(secret: bytes) -> SigningKey:
    """Return the key whose public half an INVITE names; about 50 µs."""
    if len(secret) != SECRET_BYTES:
        raise LocalProtocolError(f"an invite secret has {SECRET_BYTES} bytes: draw a new one")
    return SigningKey(hkdf(secret, b"", b"p2pv1/invite"))


def format_link(link: InviteLink) -> str:
    """Return the text of an invite link; raises LocalProtocolError for what cannot be in one."""
    text = _FORM.text_of(encode(link))
    try:
        parse_link(text)
    except LocalProtocolError:
        raise LocalProtocolError(
            "a link holds a 32-byte community, a secret of 16 bytes or none, and up to "
            f"{ADDRESSES_MAX} addresses of printable ASCII: check these"
        ) from None
    return text


def parse_link(text: str) -> InviteLink:
    """Return what an invite link says; a mail program's spaces, line breaks and <> do not matter.

    Raises LocalProtocolError with what to do about a link that is cut short, mistyped or too new.
    """
    try:
        link = decode_canonical(_decoder, _FORM.body_of(text))
    except Refused:
        raise _FORM.unreadable() from None
    if len(link.secret) not in (0, SECRET_BYTES) or not all(map(is_address, link.addresses)):
        raise _FORM.unreadable()
    return link
