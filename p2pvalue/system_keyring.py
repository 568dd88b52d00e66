"""The one door to the system's keyring, where a desktop keeps what opens at login.

It is a matter of choice and of another package (`p2pvalue[keyring]`): a headless machine has none.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from types import ModuleType
from typing import Final, TypeVar

from p2pvalue_protocol.errors import ConfigError

SERVICE: Final = "p2pvalue"

T = TypeVar("T")


def keep(entry: str, key: bytes) -> None:
    """Put a key into the keyring; raises ConfigError if it does not come back from there."""
    text = base64.b64encode(key).decode()
    _asked(lambda keyring: keyring.set_password(SERVICE, entry, text))
    if fetch(entry) != key:
        raise ConfigError("the system's keyring did not keep the key: use a passphrase instead")


def fetch(entry: str) -> bytes:
    """Return a key from the keyring; raises ConfigError that says what to do."""
    text = _asked(lambda keyring: keyring.get_password(SERVICE, entry))
    if text is None:
        raise ConfigError(
            f"the system's keyring has no entry {SERVICE}/{entry}, and without it these keys stay "
            "closed: log in as the user who made this folder, on the machine where it was made, or "
            "begin with your 24 words: `p2pvalue init --recover` in another --data-dir"
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            f"the keyring's entry {SERVICE}/{entry} is not what p2pvalue put there: bring back the "
            "old one, or begin with your 24 words: `p2pvalue init --recover`"
        ) from None


def drop(entry: str) -> None:
    """Take a key out of the keyring; one that is gone already is no error."""

    def delete(keyring: ModuleType) -> None:
        if keyring.get_password(SERVICE, entry) is not None:
            keyring.delete_password(SERVICE, entry)

    _asked(delete)


def _asked(call: Callable[[ModuleType], T]) -> T:
    try:
        import keyring  # noqa: PLC0415  # optional, and slow to load
    except ImportError:
        raise ConfigError(
            "this installation cannot use the system's keyring: install it with "
            "`pip install 'p2pvalue[keyring]'`, or use a passphrase"
        ) from None
    try:
        return call(keyring)
    except Exception as error:  # noqa: BLE001  # each system's keyring fails in its own way
        raise ConfigError(
            f"this system has no keyring that answers ({type(error).__name__}): use a passphrase, "
            "or run p2pvalue in the desktop session in which the keyring is open"
        ) from None
