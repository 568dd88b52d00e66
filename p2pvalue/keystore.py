"""The secrets of one person on one machine: what to sign with, and what opens communities.

One JSON file, `keys.json`, readable by its owner only. It is not encrypted yet: whoever can read it
can speak as this device and, knowing the entropy, as this person. Device keys never leave the
machine, not even in a backup: one key on two machines would fork its log (decision record 0007).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Self

import msgspec

from p2pvalue_protocol.auth_payloads import root_seed
from p2pvalue_protocol.errors import ConfigError
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kinds.profile import encode_profile

VERSION: Final = 1
FILE_NAME: Final = "keys.json"

Random = Callable[[int], bytes]
Secret = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class CommunityKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this device holds for one community; `nonce` is empty until GENESIS is known."""

    device_seed: Secret
    nonce: bytes = b""
    topic_secrets: tuple[bytes, ...] = ()  # the newest last
    link: str = ""  # the invitation in use while joining; empty once admitted

    @property
    def device(self) -> SigningKey:
        """The key that signs this device's operations in this community."""
        return SigningKey(self.device_seed)


class _Contents(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    version: int
    name: str
    entropy: Secret
    transport_seed: Secret
    communities: dict[str, CommunityKeys] = msgspec.field(default_factory=dict)


class _Version(msgspec.Struct):
    version: int


class Keystore:
    """The keys in one data folder; every change is on the disk when the call returns.

    Made by `create` or `open`. Two processes must not use one folder: the daemon's lock sees to it.
    """

    def __init__(self, path: Path, contents: _Contents, random: Random) -> None:
        self._path = path
        self._contents = contents
        self._random = random
        self._roots: dict[bytes, SigningKey] = {}  # by nonce

    @classmethod
    def create(cls, data_dir: Path, name: str, *, random: Random = os.urandom) -> Self:
        """Return new keys for a person.

        Raises ConfigError if the folder holds keys already, LocalProtocolError if no community
        would take the name.
        """
        path = data_dir / FILE_NAME
        if path.exists():
            raise ConfigError(f"{path} exists already: use it, or choose another --data-dir")
        encode_profile(name)
        make_private_folder(data_dir)
        contents = _Contents(
            version=VERSION, name=name, entropy=random(32), transport_seed=random(32)
        )
        keystore = cls(path, contents, random)
        keystore._write(contents)
        return keystore

    @classmethod
    def open(cls, data_dir: Path, *, random: Random = os.urandom) -> Self:
        """Return the keys of a data folder; raises ConfigError that says what to do."""
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
        return cls(path, _decode(path, data), random)

    # --- the person

    @property
    def name(self) -> str:
        """What the person is called, in communities joined from now on."""
        return self._contents.name

    @property
    def entropy(self) -> bytes:
        """The 32 bytes from which the person's root keys follow, one for each community."""
        return self._contents.entropy

    @property
    def transport_seed(self) -> bytes:
        """Seed of the key that names this node to the network."""
        return self._contents.transport_seed

    def set_name(self, name: str) -> None:
        """Change what the person is called; raises LocalProtocolError if no community takes it."""
        encode_profile(name)
        self._write(msgspec.structs.replace(self._contents, name=name))

    # --- communities

    def communities(self) -> list[bytes]:
        """Return the communities for which there are keys, ascending."""
        return sorted(bytes.fromhex(community) for community in self._contents.communities)

    def keys(self, community: bytes) -> CommunityKeys | None:
        """Return what is held for a community; None for one we only have data of."""
        return self._contents.communities.get(community.hex())

    def root(self, community: bytes) -> SigningKey | None:
        """Return the person's root key in a community, or None while its nonce is not known."""
        keys = self.keys(community)
        if keys is None or not keys.nonce:
            return None
        root = self._roots.get(keys.nonce)
        if root is None:  # kept, because every message that is posted asks for it
            root = self._roots[keys.nonce] = SigningKey(root_seed(self.entropy, keys.nonce))
        return root

    def new_device_seed(self) -> bytes:
        """Return a fresh seed for a device key; nothing keeps it but `put`."""
        return self._random(32)

    def put(self, community: bytes, keys: CommunityKeys) -> None:
        """Keep the keys of a community in place of those before.

        A device seed once kept stays: another one would leave its log behind for no reason.
        """
        held = self.keys(community)
        if held is not None and held.device_seed != keys.device_seed:
            raise ConfigError(
                f"there is a device key for community {community.hex()[:8]} already:"
                " change its other fields and keep it"
            )
        communities = {**self._contents.communities, community.hex(): keys}
        self._write(msgspec.structs.replace(self._contents, communities=communities))

    def drop(self, community: bytes) -> None:
        """Forget the keys of a community; what its device wrote can never be continued."""
        communities = {**self._contents.communities}
        communities.pop(community.hex(), None)
        self._write(msgspec.structs.replace(self._contents, communities=communities))

    def _write(self, contents: _Contents) -> None:
        data = msgspec.json.format(msgspec.json.encode(contents), indent=1)
        try:
            write_private_file(self._path, data)
        except OSError as error:
            raise ConfigError(
                f"{self._path} was not written ({error.strerror}) and is as it was:"
                " make room or check its owner, then try again"
            ) from error
        self._contents = contents


def write_private_file(path: Path, data: bytes) -> None:
    """Replace a file by one with this content and mode 0600: whole, or not at all; on the disk."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, or close an existing one to others."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be used ({error.strerror}): choose another with --data-dir"
        ) from None


def _decode(path: Path, data: bytes) -> _Contents:
    try:
        version = msgspec.json.decode(data, type=_Version).version
        if version > VERSION:
            raise ConfigError(
                f"{path} was written by a newer p2pvalue (its version is {version}, this one reads"
                f" {VERSION}): update p2pvalue"
            )
        return msgspec.json.decode(data, type=_Contents)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is damaged ({error}): put back this machine's own copy of it, or start anew"
            " with `p2pvalue init` in another --data-dir and ask to be invited again"
        ) from None
