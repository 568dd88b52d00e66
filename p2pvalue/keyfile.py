"""How the key file is closed: not at all, under a passphrase, or under a key in the keyring.

The file is one JSON object that says how, and holds the contents in a box (XChaCha20-Poly1305),
except under `none`. What stands beside the box is bound to it. The passphrase is stretched by
Argon2id, with a salt of its own and a cost that the file names, so that it can grow later.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable
from typing import Annotated, Final, TypeAlias

import msgspec
import nacl.exceptions
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

from p2pvalue import system_keyring
from p2pvalue.types import Protection
from p2pvalue_protocol.errors import ConfigError
from p2pvalue_protocol.ids import tagged_hash

VERSION: Final = 2
"""1: a file that nothing closes has no check value; the boxes are the same."""

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 24
ENTRY_BYTES: Final = 8
CHECK_BYTES: Final = 16
PASSPHRASE_BYTES_MAX: Final = 1_024

_DAMAGED: Final = (
    "it is damaged ({}): put back this machine's own copy of it, or begin with your 24 words: "
    "`p2pvalue init --recover` in another --data-dir"
)

Random = Callable[[int], bytes]


class Cost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Argon2id spends on one try (RFC 9106); the bounds keep a forged file from more."""

    memory_kib: Annotated[int, msgspec.Meta(ge=64, le=256 * 1_024)]
    iterations: Annotated[int, msgspec.Meta(ge=1, le=10)]
    lanes: Annotated[int, msgspec.Meta(ge=1, le=8)]


COST: Final = Cost(memory_kib=64 * 1_024, iterations=3, lanes=4)
"""RFC 9106's second choice, for machines with little memory: some tenths of a second on each."""


class KeysLocked(ConfigError):
    """The keys are under a passphrase, and none was given."""


class WrongPassphrase(ConfigError):
    """The passphrase does not open the keys."""


class _Form(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="protection"
):
    version: int = VERSION


class _Open(_Form, frozen=True, kw_only=True, tag="none"):
    contents: msgspec.Raw
    is_chosen: bool  # a person said `none`; False if nobody was asked
    check: bytes = b""  # of the contents: a bit that flips in a key makes another valid key


class _Boxed(_Form, frozen=True, kw_only=True):
    nonce: Annotated[bytes, msgspec.Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    box: bytes


class _UnderPassphrase(_Boxed, frozen=True, kw_only=True, tag="passphrase"):
    cost: Cost
    salt: Annotated[bytes, msgspec.Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]


class _InKeyring(_Boxed, frozen=True, kw_only=True, tag="keyring"):
    entry: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


_AnyForm: TypeAlias = _Open | _UnderPassphrase | _InKeyring


class Seal:
    """What closes the file at every write; made once, when the keys are made, opened or reclosed.

    It holds the key of the box, so that the passphrase is stretched once and then forgotten.
    """

    def __init__(self, form: _AnyForm, key: bytes = b"") -> None:
        self._form = form
        self._key = key

    def __repr__(self) -> str:
        return f"Seal({self.protection})"

    @property
    def protection(self) -> Protection:
        """How the file is closed."""
        match self._form:
            case _Open():
                return "none"
            case _UnderPassphrase():
                return "passphrase"
            case _InKeyring():
                return "keyring"

    @property
    def is_left_open(self) -> bool:
        """True if nothing closes the file and no person said that nothing shall."""
        return isinstance(self._form, _Open) and not self._form.is_chosen

    def close(self, contents: bytes, random: Random) -> bytes:
        """Return the bytes of a file with these contents."""
        if isinstance(self._form, _Open):
            open_form = _Open(
                contents=msgspec.Raw(contents),
                is_chosen=self._form.is_chosen,
                check=_check_value(contents),
            )
            return msgspec.json.format(msgspec.json.encode(open_form), indent=1)
        head = msgspec.structs.replace(self._form, nonce=random(NONCE_BYTES), box=b"")
        box = crypto_aead_xchacha20poly1305_ietf_encrypt(
            contents, msgspec.json.encode(head), head.nonce, self._key
        )
        return msgspec.json.encode(msgspec.structs.replace(head, box=box))

    def fits(self, passphrase: str) -> bool:
        """Return whether this passphrase is the one; costs one stretching."""
        if not isinstance(self._form, _UnderPassphrase):
            return False
        key = _stretched(passphrase, self._form.salt, self._form.cost)
        return hmac.compare_digest(key, self._key)

    def abandon(self) -> None:
        """Take back what this seal left elsewhere, once another seal closes the file."""
        if isinstance(self._form, _InKeyring):
            system_keyring.drop(self._form.entry)


def seal_open(*, is_chosen: bool = False) -> Seal:
    """Return the seal that closes nothing."""
    return Seal(_Open(contents=msgspec.Raw(b"{}"), is_chosen=is_chosen))


def seal_with_passphrase(passphrase: str, random: Random, cost: Cost = COST) -> Seal:
    """Return a new seal under a passphrase; raises ConfigError if it is empty or too long."""
    salt = random(SALT_BYTES)
    form = _UnderPassphrase(cost=cost, salt=salt, nonce=bytes(NONCE_BYTES), box=b"")
    return Seal(form, _stretched(passphrase, salt, cost))


def seal_with_keyring(random: Random) -> Seal:
    """Return a new seal under a key that the system's keyring keeps; raises ConfigError."""
    key, entry = random(KEY_BYTES), random(ENTRY_BYTES).hex()
    system_keyring.keep(entry, key)
    return Seal(_InKeyring(entry=entry, nonce=bytes(NONCE_BYTES), box=b""), key)


def open_file(data: bytes, passphrase: str | None) -> tuple[Seal, bytes]:
    """Return the seal of a file and its contents.

    Raises KeysLocked without a passphrase where one is needed, WrongPassphrase, or ConfigError for
    a file that cannot be used; its messages name no file, the caller does.
    """
    form = _decode(data)
    if isinstance(form, _Open):
        contents = bytes(form.contents)
        if form.version != 1 and not hmac.compare_digest(form.check, _check_value(contents)):
            raise ConfigError(_DAMAGED.format("its contents are not what was written"))
        return Seal(form), contents
    if isinstance(form, _InKeyring):
        key = system_keyring.fetch(form.entry)
        failure = ConfigError("it does not fit the key in the system's keyring, or is damaged")
    elif passphrase is None:
        raise KeysLocked("the keys are under a passphrase: run `p2pvalue unlock`")
    else:
        key = _stretched(passphrase, form.salt, form.cost)
        failure = WrongPassphrase("this passphrase does not open the keys: nothing was changed")
    head = msgspec.json.encode(msgspec.structs.replace(form, box=b""))
    try:
        contents = crypto_aead_xchacha20poly1305_ietf_decrypt(form.box, head, form.nonce, key)
    except (nacl.exceptions.CryptoError, ValueError):
        raise failure from None
    return Seal(form, key), contents


def protection_in(data: bytes) -> Protection:
    """Return how a file is closed, without opening it; raises ConfigError."""
    return Seal(_decode(data)).protection


def keyring_entry(data: bytes) -> str | None:
    """Return the name of the keyring's entry that a file needs, None if it needs none."""
    try:
        form = _decode(data)
    except ConfigError:
        return None
    return form.entry if isinstance(form, _InKeyring) else None


def _stretched(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    # The same letters typed on another keyboard may arrive in another composition.
    secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogateescape")
    if not secret:
        raise ConfigError("the passphrase is empty: choose several words, or say `--protect none`")
    if len(secret) > PASSPHRASE_BYTES_MAX:
        raise ConfigError(f"the passphrase is longer than {PASSPHRASE_BYTES_MAX} bytes: shorten it")
    from cryptography.hazmat.primitives.kdf.argon2 import (  # noqa: PLC0415  # 20 ms, for this only
        Argon2id,
    )

    argon2id = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    return argon2id.derive(secret)


def _check_value(contents: bytes) -> bytes:
    compact = msgspec.json.format(contents, indent=-1)  # the file has them spread over lines
    return tagged_hash("key-file", compact)[:CHECK_BYTES]


class _Version(msgspec.Struct):
    version: int


def _decode(data: bytes) -> _AnyForm:
    try:
        version = msgspec.json.decode(data, type=_Version).version
        if version > VERSION:
            raise ConfigError(
                f"it was written by a newer p2pvalue (its version is {version}, this one reads "
                f"{VERSION}): update p2pvalue"
            )
        form: _AnyForm = msgspec.json.decode(data, type=_AnyForm)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(_DAMAGED.format(type(error).__name__)) from None
    return form
