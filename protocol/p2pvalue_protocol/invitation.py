"""The invite link, and the key that its secret stands for (spec: invitation).

A link carries what a newcomer's node needs to find one member and to show that it was invited: the
community, a secret, addresses. It carries no name, so that a link found in a log tells nothing.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import LocalProtocolError, Refused
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.keys import SigningKey, hkdf

PREFIX: Final = "p2pvalue:1#"
_ANY_VERSION: Final = "p2pvalue:"
CHECKSUM_BYTES: Final = 4
SECRET_BYTES: Final = 16
ADDRESSES_MAX: Final = 16
ADDRESS_BYTES_MAX: Final = 256
LINK_CHARACTERS_MAX: Final = 8_192  # what a clipboard may bring before it is looked at

Address = Annotated[str, msgspec.Meta(min_length=1, max_length=ADDRESS_BYTES_MAX)]


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
    body = encode(link)
    text = PREFIX + _to_text(body + _checksum(body))
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
    if len(text) > LINK_CHARACTERS_MAX:
        raise LocalProtocolError("this is far longer than an invite link: paste the link alone")
    compact = "".join(text.split()).strip("<>")
    if not compact.startswith(PREFIX):
        if compact.startswith(_ANY_VERSION):
            raise LocalProtocolError(
                "this link was made by another version of p2pvalue: update, or ask for a new link"
            )
        raise LocalProtocolError(f'an invite link begins with "{PREFIX}": paste it whole')
    data = _from_text(compact[len(PREFIX) :])
    body, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
    if not body or checksum != _checksum(body):
        raise LocalProtocolError("the link is cut short or mistyped: paste it whole")
    try:
        link = decode_canonical(_decoder, body)
    except Refused:
        raise LocalProtocolError("this is no invite link: ask for a new one") from None
    if len(link.secret) not in (0, SECRET_BYTES) or not all(map(_is_address, link.addresses)):
        raise LocalProtocolError("this is no invite link: ask for a new one")
    return link


def _checksum(body: bytes) -> bytes:
    return tagged_hash("link", body)[:CHECKSUM_BYTES]


def _is_address(address: str) -> bool:
    return address.isascii() and address.isprintable() and " " not in address


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_text(text: str) -> bytes:
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error):
        raise LocalProtocolError("the link is cut short or mistyped: paste it whole") from None
    if _to_text(data) != text:  # the decoder skips characters that do not belong
        raise LocalProtocolError("the link is cut short or mistyped: paste it whole")
    return data
