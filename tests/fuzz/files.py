"""Targets for what lies on the disk and what a person types: settings, keys, words, addresses.

Files may be damaged, or be somebody else's: the only answer is an error that says what to do.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

import msgspec

from p2pvalue import config, keyfile, words
from p2pvalue.kept_keys import backup_key_of
from p2pvalue.keyfile import Cost, open_file, seal_open, seal_with_passphrase
from p2pvalue.keystore import FILE_NAME, Keystore
from p2pvalue.network.addresses import AddressError, parse_address
from p2pvalue.node.backup import restore
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.store import SqliteStore
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError
from tests.fuzz.target import Budget, Target

P = "p2pvalue"
_PASSPHRASE = "correct horse"
_ENTROPY = bytes(range(32))
_CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="p2pvalue-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# --- settings


def _settings(data: bytes) -> bool:
    folder = _folder()
    (folder / config.CONFIG_NAME).write_bytes(data)
    try:
        found = config.load(folder)
    except ConfigError:
        return False
    assert found.data_dir == folder
    assert all(config.LISTEN_FORM.fullmatch(address) for address in found.listen)
    return True


def _settings_seeds() -> list[bytes]:
    listen = '"/ip4/0.0.0.0/tcp/4801", "/ip6/::/tcp/0"'
    return [
        config.FILE_TEXT.format(listen=listen).encode(),
        b"",
        b"[network]\nlisten = []\n",
        b'network.listen = ["/ip4/127.0.0.1/tcp/1"]\n[log]\nlevel = "debug"\n',
        b"a = " + b"[" * 5_000 + b"]" * 5_000,
        b"[store]\ndurability = " + b"9" * 5_000,
        b"[network]\nt = 1979-05-27T07:32:00.999-07:00\nx = 0x" + b"f" * 5_000,
    ]


# --- keys


def _keys(data: bytes) -> bool:
    """Open bytes as a key file, as a daemon does at its start."""
    keyfile.keyring_entry(data)
    try:
        protection = keyfile.protection_in(data)
    except ConfigError:
        return False
    if protection == "keyring" or _is_dear(data):
        return False  # asks the desktop, or for more time than one input has
    path = _folder() / FILE_NAME
    path.write_bytes(data)
    path.chmod(0o600)
    try:
        keystore = Keystore.open(path.parent, passphrase=_PASSPHRASE)
    except ConfigError:
        return False
    for community in keystore.communities():
        keys = keystore.keys(community)
        assert keys is not None
        assert len(keys.device.public) == len(keys.prekey) == 32
    keystore.set_name("Ana")
    assert Keystore.open(path.parent, passphrase=_PASSPHRASE).name == "Ana"
    return True


def _is_dear(data: bytes) -> bool:
    spent = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get("cost")
    return spent is not None and msgspec.json.decode(spent, type=Cost) != _CHEAP


def _key_contents(data: bytes) -> bool:
    """Open bytes as what lies inside a key file that nothing closes."""
    try:
        return _keys(seal_open(is_chosen=True).close(data, os.urandom))
    except (msgspec.MsgspecError, RecursionError):
        return False  # no JSON, or deeper than one can read: nothing could have written that


def _key_files() -> list[bytes]:
    contents = _contents()
    closed = seal_with_passphrase(_PASSPHRASE, _drawn, _CHEAP).close(contents, _drawn)
    opened = seal_open().close(contents, _drawn)
    in_keyring = b'{"protection":"keyring","version":1,"nonce":"%s","box":"","entry":"%s"}'
    return [closed, opened, in_keyring % (b"A" * 32, b"0" * 16), b"{}", b"[" * 3_000]


def _contents() -> bytes:
    folder = _folder() / "made"
    shutil.rmtree(folder, ignore_errors=True)
    keystore = Keystore.create(folder, "Ana", random=_drawn)
    keystore.put(bytes(32), keystore.new_keys(nonce=bytes(32), link="p2pvalue:1#x"))
    return open_file((folder / FILE_NAME).read_bytes(), None)[1]


def _drawn(count: int) -> bytes:
    return bytes(range(count))


# --- backups


def _backup(data: bytes) -> bool:
    """Restore bytes as a backup; what cannot be restored leaves no folder half made."""
    source, folder = _folder() / "backup", _folder() / "restored"
    shutil.rmtree(folder, ignore_errors=True)
    source.write_bytes(data)
    try:
        restore(source, folder, "Ana", _ENTROPY)
    except ConfigError:
        assert not (folder / DATABASE_NAME).exists()
        assert not (folder / FILE_NAME).exists()
        return False
    assert Keystore.open(folder).is_hers(_ENTROPY)
    whole = _backups()[0]
    assert data[: len(whole)] == whole, "what nobody backed up is restored"
    return True


@cache
def _backups() -> list[bytes]:
    database, target = _folder() / "database", _folder() / "made-backup"
    with closing(SqliteStore(database, key=bytes(32))) as store:
        for _pages_left in store.backup(target, backup_key_of(_ENTROPY)):
            pass
    whole = target.read_bytes()
    return [whole, whole[:4_096], bytes(4_096), b"SQLite format 3\x00" + whole[16:], b""]


# --- what people type


def _words(data: bytes) -> bool:
    text = data.decode("utf-8", "surrogateescape")
    try:
        entropy = words.entropy_of(text)
    except LocalProtocolError as error:
        told = str(error)
        return any(word in told.split() for word in text.split() if len(word) > 11)
    assert words.entropy_of(" ".join(words.words_of(entropy))) == entropy
    return True


def _word_lists() -> list[bytes]:
    found = words.words_of(bytes(range(32)))
    numbered = "\n".join(f"{number}. {word}" for number, word in enumerate(found, 1))
    return [
        " ".join(found).encode(),
        numbered.encode(),
        b"abandon " * 24,
        "\u0661 \u00b2 a".encode(),
    ]


def _address(data: bytes) -> bool:
    try:
        address = parse_address(data.decode("utf-8", "surrogateescape"))
    except AddressError:
        return False
    assert parse_address(str(address)) == address
    assert 0 <= address.port <= 65_535
    return True


def _addresses() -> list[bytes]:
    peer = b"12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"
    return [
        b"/ip4/192.0.2.7/tcp/4001",
        b"/ip6/fe80::1%eth0/tcp/0/p2p/" + peer,
        b"/dns4/example.org/tcp/65535/p2p/" + peer,
        "/ip4/192.0.2.7/tcp/\u0664".encode(),
        b"/ip4/192.0.2.7/tcp/" + b"9" * 5_000,
    ]


FILES = (
    Target(
        name="config",
        run=_settings,
        seeds=_settings_seeds,
        covers=(f"{P}.config.load",),
        bytes_max=16_384,
        budget=Budget(units=40, units_per_kib=20, memory_bytes=4 << 20),
    ),
    Target(
        name="key-file",
        run=_keys,
        seeds=_key_files,
        covers=(f"{P}.keyfile._decode",),
        budget=Budget(units=40),
    ),
    Target(
        name="key-contents",
        run=_key_contents,
        seeds=lambda: [_contents()],
        covers=(f"{P}.kept_keys.decode_contents",),
        budget=Budget(units=40),
    ),
    Target(
        name="backup",
        run=_backup,
        seeds=_backups,
        covers=(f"{P}.node.backup",),
        bytes_max=1 << 20,
        budget=Budget(units=600, units_per_kib=2, memory_bytes=32 << 20),
        mutations_in_tests=10,
    ),
    Target(
        name="words",
        run=_words,
        seeds=_word_lists,
        covers=(f"{P}.words",),
        budget=Budget(units=20),
    ),
    Target(
        name="address",
        run=_address,
        seeds=_addresses,
        covers=(f"{P}.network.addresses.parse_address",),
    ),
)
