"""The secrets of one person on one machine: what to sign with, and what opens communities.

They lie in one file, `keys.json`, closed as its person chose (`keyfile`), whole at every moment.
Device keys never leave the machine, not even in a backup: one key on two machines would fork its
log (decision record 0007). What closes the database is in here as well, so that without this file
nothing in the folder can be read (decision record 0010).
"""

from __future__ import annotations

import contextlib
import hmac
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Self

import msgspec

from p2pvalue.folder import make_private, write_private
from p2pvalue.kept_keys import (
    CommunityKeys,
    Contents,
    backup_key_of,
    check_value,
    decode_contents,
)
from p2pvalue.keyfile import (
    KeysLocked,
    Seal,
    WrongPassphrase,
    open_file,
    protection_in,
    seal_open,
)
from p2pvalue.types import Protection
from p2pvalue_protocol.auth_payloads import root_seed
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kinds.profile import encode_profile

FILE_NAME: Final = "keys.json"

Random = Callable[[int], bytes]


class WordsNeeded(LocalProtocolError):
    """Only the person's 24 words can do this, and this machine does not have them."""


class Keystore:
    """The keys in one data folder; every change is on the disk when the call returns.

    Made by `create` or `open`. Two processes must not use one folder: the daemon's lock sees to it.
    """

    def __init__(self, path: Path, contents: Contents, seal: Seal, random: Random) -> None:
        self._path = path
        self._contents = contents
        self._seal = seal
        self._random = random

    @classmethod
    def create(
        cls,
        data_dir: Path,
        name: str,
        *,
        entropy: bytes | Literal["new"] | None = "new",
        words_check: bytes | None = None,
        backup_key: bytes | None = None,
        seal: Seal | None = None,
        random: Random = os.urandom,
    ) -> Self:
        """Return the keys of a new device, with device and transport keys of its own.

        `entropy` is a new person's by default, or what a known person's 24 words stand for. A
        device that another one of the person's vouches for has none: then `words_check` and
        `backup_key` may come from that one. Without `seal` the file is left open. Raises
        ConfigError if the folder holds keys already, LocalProtocolError if no community would take
        the name.
        """
        path = data_dir / FILE_NAME
        if path.exists():
            raise ConfigError(f"{path} exists already: use it, or choose another --data-dir")
        encode_profile(name)
        make_private(data_dir)
        is_new = entropy == "new"
        secret = random(32) if isinstance(entropy, str) else entropy
        contents = Contents(
            name=name,
            entropy=secret,
            words_check=words_check if secret is None else check_value(secret),
            are_words_shown=not is_new,
            backup_key=backup_key if secret is None else backup_key_of(secret),
            transport_seed=random(32),
            database_key=random(32),
        )
        keystore = cls(path, contents, seal if seal is not None else seal_open(), random)
        keystore._write(contents)
        return keystore

    @classmethod
    def open(
        cls, data_dir: Path, *, passphrase: str | None = None, random: Random = os.urandom
    ) -> Self:
        """Return the keys of a data folder; under a passphrase this takes some tenths of a second.

        Raises KeysLocked if a passphrase is needed and none was given, WrongPassphrase if it is
        another, ConfigError for whatever else is in the way.
        """
        path = data_dir / FILE_NAME
        try:
            mode = path.stat().st_mode
            data = path.read_bytes()
        except FileNotFoundError:
            raise ConfigError(f"{data_dir} holds no keys: run `p2pvalue init` first") from None
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be read ({error.strerror}): check its owner"
            ) from None
        if stat.S_IMODE(mode) & 0o077:
            raise ConfigError(f"other users may read {path}: run `chmod 600 {path}`")
        try:
            seal, inside = open_file(data, passphrase)
        except (KeysLocked, WrongPassphrase):
            raise
        except ConfigError as error:
            raise ConfigError(f"{path} cannot be used: {error}") from None
        return cls(path, decode_contents(path, inside), seal, random)

    # --- how the file is closed

    @property
    def protection(self) -> Protection:
        """How the key file is closed on the disk."""
        return self._seal.protection

    @property
    def is_left_open(self) -> bool:
        """True if nothing closes the key file and nobody chose that."""
        return self._seal.is_left_open

    @property
    def database_key(self) -> bytes:
        """What the database is encrypted with."""
        return self._contents.database_key

    @property
    def backup_key(self) -> bytes:
        """What backups are encrypted with, so that the words open them; raises WordsNeeded."""
        if self._contents.backup_key is None:
            raise WordsNeeded(
                "a backup is closed so that your 24 words open it, and this device never knew "
                "them: make the backup on the device where you began"
            )
        return self._contents.backup_key

    def opens(self, passphrase: str) -> bool:
        """Return whether this passphrase opens the key file; costs as much as opening it."""
        return self._seal.fits(passphrase)

    def reseal(self, seal: Seal) -> None:
        """Close the file in another way from now on; the old one no longer opens it."""
        before, self._seal = self._seal, seal
        try:
            self._write(self._contents)
        except BaseException:  # an interrupt, too
            self._seal = before
            with contextlib.suppress(ConfigError):
                seal.abandon()
            raise
        with contextlib.suppress(ConfigError):  # what it left behind opens nothing any more
            before.abandon()

    # --- the person

    @property
    def name(self) -> str:
        """What the person is called, in communities joined from now on."""
        return self._contents.name

    @property
    def entropy(self) -> bytes | None:
        """The 32 bytes behind the 24 words; None on a device that does not have them."""
        return self._contents.entropy

    @property
    def are_words_shown(self) -> bool:
        """True if the person has had her chance to write the words down."""
        return self._contents.are_words_shown

    @property
    def transport_seed(self) -> bytes:
        """Seed of the key that names this node to the network."""
        return self._contents.transport_seed

    def set_name(self, name: str) -> None:
        """Change what the person is called; raises LocalProtocolError if no community takes it."""
        encode_profile(name)
        self._change(name=name)

    def is_hers(self, entropy: bytes) -> bool:
        """Return whether these are the bytes behind this person's words; in constant time.

        Raises WordsNeeded on a device that cannot know.
        """
        if self._contents.words_check is None:
            raise WordsNeeded(
                "this device never knew your words, so it cannot compare: ask the one where you "
                "began"
            )
        return hmac.compare_digest(check_value(entropy), self._contents.words_check)

    def note_words_shown(self) -> None:
        """Never show the words again."""
        self._change(are_words_shown=True)

    @property
    def words_check(self) -> bytes:
        """By what another device of the person may know her words again; empty if not known."""
        return self._contents.words_check or b""

    @property
    def backup_key_if_known(self) -> bytes:
        """What this person's backups are encrypted with; empty on a device that never knew."""
        return self._contents.backup_key or b""

    def follows(self, words_check: bytes) -> bool:
        """Return whether this can be a device of the person whose words these are, or unknown."""
        known = self.words_check
        if not known or not words_check:
            return True
        return hmac.compare_digest(known, words_check)

    def follow(self, name: str, words_check: bytes, backup_key: bytes) -> None:
        """Take over what another device of the person says of her; her words stay where they are.

        Raises LocalProtocolError if no community would take the name.
        """
        encode_profile(name)
        kept = self._contents
        self._change(
            name=name,
            words_check=kept.words_check or words_check or None,
            backup_key=kept.backup_key or backup_key or None,
        )

    def forget_entropy(self) -> None:
        """Remove what the words stand for from this machine; all else goes on as before."""
        self._change(entropy=None, are_words_shown=True)

    def refuse_others(self, entropy: bytes) -> None:
        """Raise LocalProtocolError if these bytes are known to stand for another person."""
        if self._contents.words_check is not None and not self.is_hers(entropy):
            raise LocalProtocolError("these are another person's words: take your own paper")

    def root_for(self, nonce: bytes, entropy: bytes | None = None) -> SigningKey:
        """Return the person's root key in the community with this nonce.

        `entropy` is needed where this machine does not have it. Raises WordsNeeded without any,
        LocalProtocolError if the words are somebody else's.
        """
        if entropy is None:
            entropy = self.entropy
        else:
            self.refuse_others(entropy)
        if entropy is None:
            raise WordsNeeded(
                "this machine does not have your 24 words: give them with --words-file, or where "
                "it asks for them"
            )
        return SigningKey(root_seed(entropy, nonce))

    # --- communities

    def communities(self) -> list[bytes]:
        """Return the communities for which there are keys, ascending."""
        return sorted(bytes.fromhex(community) for community in self._contents.communities)

    def keys(self, community: bytes) -> CommunityKeys | None:
        """Return what is held for a community; None for one we only have data of."""
        return self._contents.communities.get(community.hex())

    def root(self, community: bytes) -> bytes:
        """Return the person's public root key in a community; empty while it is not known."""
        keys = self.keys(community)
        return keys.root if keys is not None else b""

    def new_keys(self, *, nonce: bytes = b"", link: str = "") -> CommunityKeys:
        """Return keys for a community that this device has none for; only `put` keeps them."""
        return CommunityKeys(
            device_seed=self._random(32), prekey_private=self._random(32), nonce=nonce, link=link
        )

    def put(self, community: bytes, keys: CommunityKeys) -> None:
        """Keep the keys of a community in place of those before.

        The person's root is added once the nonce is known, if her entropy is here. A device seed
        once kept stays: another one would leave its log behind for no reason.
        """
        held = self.keys(community)
        if held is not None and held.device_seed != keys.device_seed:
            raise ConfigError(
                f"there is a device key for community {community.hex()[:8]} already:"
                " change its other fields and keep it"
            )
        if keys.nonce and not keys.root and self.entropy is not None:
            keys = msgspec.structs.replace(keys, root=self.root_for(keys.nonce).public)
        self._change(communities={**self._contents.communities, community.hex(): keys})

    def replace_device(self, community: bytes, keys: CommunityKeys) -> None:
        """Give up our device in a community for another: the old key will never sign again."""
        self._change(communities={**self._contents.communities, community.hex(): keys})

    def drop(self, community: bytes) -> None:
        """Forget the keys of a community; what its device wrote can never be continued."""
        communities = {**self._contents.communities}
        communities.pop(community.hex(), None)
        self._change(communities=communities)

    def _change(self, **fields: object) -> None:
        self._write(msgspec.structs.replace(self._contents, **fields))

    def _write(self, contents: Contents) -> None:
        data = self._seal.close(msgspec.json.encode(contents), self._random)
        try:
            write_private(self._path, data)
        except OSError as error:
            raise ConfigError(
                f"{self._path} was not written ({error.strerror}) and is as it was:"
                " make room or check its owner, then try again"
            ) from error
        self._contents = contents


def protection_of(data_dir: Path) -> Protection | None:
    """Return how the keys of a folder are closed, None where none can be read; opens nothing."""
    try:
        return protection_in((data_dir / FILE_NAME).read_bytes())
    except (OSError, ConfigError):
        return None
