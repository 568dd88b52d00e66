"""What is kept of a person's keys, and how it is written inside the key file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from p2pvalue_protocol.errors import ConfigError
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.keys import SigningKey, exchange_key_of, hkdf

Secret = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Community = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    def __repr__(self) -> str:  # a secret that is printed is a secret in a log
        return f"{type(self).__name__}(...)"


class CommunityKeys(_Kept, frozen=True, kw_only=True):
    """What this device holds for one community; `nonce` is empty until GENESIS is known."""

    device_seed: Secret
    prekey_private: Secret
    nonce: bytes = b""
    root: bytes = b""  # the person's public root key here, once the nonce is known
    topic_secrets: tuple[bytes, ...] = ()  # the newest last
    link: str = ""  # the invitation in use while joining; empty once admitted
    is_recovering: bool = False  # the link brings back a person who is a member already

    @property
    def device(self) -> SigningKey:
        """The key that signs this device's operations in this community."""
        return SigningKey(self.device_seed)

    @property
    def prekey(self) -> bytes:
        """The X25519 public key to which secrets are sealed for this device."""
        return exchange_key_of(self.prekey_private)


class Contents(_Kept, frozen=True, kw_only=True):
    """All that the key file holds."""

    name: str
    entropy: Secret | None
    words_check: Secret | None  # by it words are known again after the entropy was forgotten
    are_words_shown: bool
    backup_key: Secret | None
    database_key: Secret
    transport_seed: Secret
    communities: dict[_Community, CommunityKeys] = msgspec.field(default_factory=dict)


def check_value(entropy: bytes) -> bytes:
    """Return what says whether words are the same without saying which they are."""
    return tagged_hash("words-check", entropy)


def backup_key_of(entropy: bytes) -> bytes:
    """Return the key of a person's backups, so that her words alone open them anywhere."""
    return hkdf(entropy, b"", b"p2pvalue/backup")


def decode_contents(path: Path, inside: bytes) -> Contents:
    """Return what the opened key file at `path` holds; raises ConfigError if it is damaged."""
    try:
        return msgspec.json.decode(inside, type=Contents)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is damaged ({type(error).__name__}): put back this machine's own copy of it, "
            "or begin with your 24 words: `p2pvalue init --recover` in another --data-dir"
        ) from None
