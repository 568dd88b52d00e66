"""One canonical form of MessagePack (spec: encoding).

MessagePack lets one value be written in several ways (5 as one byte or as nine), so equal values
could have different hashes. Here bytes are accepted only if decoding and encoding again gives the
same bytes. Cores have a typed schema in which floats, nil, booleans, strings, maps and extensions
do not occur; payloads are maps with text keys, ascending.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused

T = TypeVar("T")

# "sorted", not "deterministic": the latter leaves the fields of a Struct in the order of its source
_payload_encoder = msgspec.msgpack.Encoder(order="sorted")
_any_decoder = msgspec.msgpack.Decoder()

encode = _payload_encoder.encode
"""Return the canonical MessagePack of a value of int, str, bytes, list, dict or Struct."""


def decode_canonical(decoder: msgspec.msgpack.Decoder[T], data: bytes) -> T:
    """Return what `data` says if it is the canonical encoding of the decoder's array-like type.

    Raises Refused(not-canonical) for anything else, whatever the library raised: hostile bytes must
    not find an exception that we forgot.
    """
    try:
        value = decoder.decode(data)
    except Exception:  # noqa: BLE001 - hostile bytes find what we forget
        raise Refused(Reason.NOT_CANONICAL) from None
    if encode(value) != data:
        raise Refused(Reason.NOT_CANONICAL)
    return value


class PayloadInvalid(Exception):
    """These payload bytes have no meaning for their kind: the operation is without effect."""


def decode_payload(decoder: msgspec.msgpack.Decoder[T], data: bytes) -> T:
    """Return a payload as its kind's type; fields that the type does not know are ignored.

    The bytes must be a canonical map (keys ascending, no duplicates; no float, nil or extension
    anywhere; at most NESTING_MAX deep), so that two implementations never read two meanings from
    one payload. Raises PayloadInvalid. About 3 µs for a chat message.
    """
    try:
        plain: Any = _any_decoder.decode(data)
        if type(plain) is not dict or not _is_plain(plain):
            raise PayloadInvalid
        if _payload_encoder.encode(plain) != data:
            raise PayloadInvalid
        return decoder.decode(data)
    except Exception:  # noqa: BLE001 - hostile bytes find what we forget
        raise PayloadInvalid from None


_PLAIN_TYPES = frozenset((int, str, bytes, bool))


def _is_plain(payload: dict[str, Any]) -> bool:
    """Return whether a payload is made of the allowed types only and not nested too deep.

    The depth has a limit of its own: the library's depends on the stack that it happens to run on.
    """
    level: list[Any] = [payload]
    for _ in range(limits.NESTING_MAX):
        inner: list[Any] = []
        for container in level:
            for item in container.values() if type(container) is dict else container:
                if type(item) is dict or type(item) is list:
                    inner.append(item)
                elif type(item) not in _PLAIN_TYPES:
                    return False
        if not inner:
            return True
        level = inner
    return False
