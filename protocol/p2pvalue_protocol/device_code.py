"""The code that a new device shows, to be given to an older one of the same person (spec: devices).

It says where the new device listens and holds a secret that works once. Whoever sees it over a
shoulder gets nothing: the older device calls the peer that the code names, not the other way round.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import LocalProtocolError, Refused
from p2pvalue_protocol.link_text import Address, TextForm, is_address

PREFIX: Final = "p2pvalue-device:1#"
SECRET_BYTES: Final = 16
ADDRESSES_MAX: Final = 4  # each makes the QR code larger

_FORM = TextForm("a", "device code", PREFIX, "device-code")


class DeviceCode(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a device code says; the addresses are without the peer id, which stands once."""

    peer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    addresses: Annotated[tuple[Address, ...], msgspec.Meta(min_length=1, max_length=ADDRESSES_MAX)]
    secret: Annotated[bytes, msgspec.Meta(min_length=SECRET_BYTES, max_length=SECRET_BYTES)]


_decoder = msgspec.msgpack.Decoder(DeviceCode)


def format_code(code: DeviceCode) -> str:
    """Return the text of a device code; raises LocalProtocolError for what cannot be in one."""
    text = _FORM.text_of(encode(code))
    try:
        parse_code(text)
    except LocalProtocolError:
        raise LocalProtocolError(
            f"a device code holds a peer id, 1 to {ADDRESSES_MAX} addresses of printable ASCII and "
            f"a secret of {SECRET_BYTES} bytes: check these"
        ) from None
    return text


def parse_code(text: str) -> DeviceCode:
    """Return what a device code says, however it was wrapped; raises LocalProtocolError."""
    try:
        code = decode_canonical(_decoder, _FORM.body_of(text))
    except Refused:
        raise _FORM.unreadable() from None
    if not all(map(is_address, (code.peer_id, *code.addresses))) or "/" in code.peer_id:
        raise _FORM.unreadable()
    return code
