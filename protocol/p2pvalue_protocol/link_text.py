"""The one form of what people pass on as text: a prefix, then base64url with a checksum."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import tagged_hash

CHECKSUM_BYTES: Final = 4
ADDRESS_BYTES_MAX: Final = 256
CHARACTERS_MAX: Final = 8_192  # what a clipboard may bring before it is looked at

Address = Annotated[str, msgspec.Meta(min_length=1, max_length=ADDRESS_BYTES_MAX)]


class TextForm(msgspec.Struct, frozen=True):
    """One sort of text: `prefix` ends in its version and "#", `tag` separates its checksum."""

    article: str
    name: str
    prefix: str
    tag: str

    def text_of(self, body: bytes) -> str:
        """Return the text that carries `body`."""
        return self.prefix + _to_text(body + self._checksum(body))

    def body_of(self, text: str) -> bytes:
        """Return what a text carries; a mail program's spaces, line breaks and <> do not matter.

        Raises LocalProtocolError with what to do about one that is cut short, mistyped or too new.
        """
        if len(text) > CHARACTERS_MAX:
            raise LocalProtocolError(
                f"this is far longer than {self.article} {self.name}: paste the {self._noun} alone"
            )
        compact = "".join(text.split()).strip("<>")
        if not compact.startswith(self.prefix):
            if compact and self.prefix.startswith(compact):
                raise self._mistyped()
            if compact.startswith(self.prefix.partition(":")[0] + ":"):
                raise LocalProtocolError(
                    f"this {self._noun} was made by another version of p2pvalue: update, or ask "
                    "for a new one"
                )
            raise LocalProtocolError(
                f'{self.article} {self.name} begins with "{self.prefix}": paste it whole'
            )
        data = _from_text(compact[len(self.prefix) :])
        if data is None or not data[:-CHECKSUM_BYTES]:
            raise self._mistyped()
        body, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
        if checksum != self._checksum(body):
            raise self._mistyped()
        return body

    def unreadable(self) -> LocalProtocolError:
        """Return the error for a body that says nothing valid."""
        return LocalProtocolError(f"this is no {self.name}: ask for a new one")

    def _mistyped(self) -> LocalProtocolError:
        return LocalProtocolError(f"the {self._noun} is cut short or mistyped: paste it whole")

    @property
    def _noun(self) -> str:
        return self.name.rpartition(" ")[2]

    def _checksum(self, body: bytes) -> bytes:
        return tagged_hash(self.tag, body)[:CHECKSUM_BYTES]


def is_address(address: str) -> bool:
    """Return whether a text can be a multiaddress: printable ASCII without spaces."""
    return address.isascii() and address.isprintable() and " " not in address


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_text(text: str) -> bytes | None:
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error):
        return None
    return data if _to_text(data) == text else None  # the decoder skips what does not belong
