from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest

from p2pvalue.keystore import Keystore
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError

COMMUNITY = b"\x07" * 32


def counting() -> object:
    """A source of bytes in which no two draws are equal and every run is."""
    drawn = 0

    def draw(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return bytes([drawn]) * count

    return draw


def new_keystore(folder: Path) -> Keystore:
    return Keystore.create(folder, "Ana", random=counting())  # type: ignore[arg-type]  # a closure


def test_what_was_kept_is_there_after_opening_again(tmp_path: Path) -> None:
    keystore = new_keystore(tmp_path / "data")
    keys = keystore.new_keys(nonce=b"n" * 32)
    keystore.put(COMMUNITY, keys)
    keystore.set_name("Ana María")
    again = Keystore.open(tmp_path / "data")
    assert again.name == "Ana María"
    assert (again.entropy, again.transport_seed) == (b"\x01" * 32, b"\x02" * 32)
    assert again.communities() == [COMMUNITY]
    held = again.keys(COMMUNITY)
    assert held is not None
    assert (held.device_seed, held.prekey, held.nonce) == (keys.device_seed, keys.prekey, b"n" * 32)
    assert again.root(COMMUNITY) == again.root_for(b"n" * 32).public


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "red\x1b[31m", "cut \udcff"])
def test_a_name_that_no_community_would_take_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LocalProtocolError, match="name"):
        Keystore.create(tmp_path, name)
    assert list(tmp_path.iterdir()) == []
    keystore = new_keystore(tmp_path)
    with pytest.raises(LocalProtocolError, match="name"):
        keystore.set_name(name)
    assert keystore.name == "Ana"


def test_a_root_key_is_another_in_every_community_and_none_without_a_nonce(tmp_path: Path) -> None:
    keystore = new_keystore(tmp_path)
    publics = set()
    for number in (1, 2):
        community = bytes([number]) * 32
        keys = keystore.new_keys(link="p2pvalue:1#…")
        keystore.put(community, keys)
        assert keystore.root(community) == b""
        keystore.put(community, msgspec.structs.replace(keys, nonce=community, link=""))
        publics.add(keystore.root(community))
    assert len(publics - {b""}) == 2


def test_another_person_s_words_make_no_root_key(tmp_path: Path) -> None:
    keystore = new_keystore(tmp_path)
    own = keystore.entropy
    assert own is not None
    root = keystore.root_for(COMMUNITY)
    keystore.forget_entropy()
    assert keystore.root_for(COMMUNITY, own).public == root.public
    with pytest.raises(LocalProtocolError, match="another person"):
        keystore.root_for(COMMUNITY, bytes(32))


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    new_keystore(folder).set_name("Eva")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_may_read_is_refused_with_the_command_that_helps(
    tmp_path: Path, mode: int
) -> None:
    new_keystore(tmp_path)
    (tmp_path / "keys.json").chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        Keystore.open(tmp_path)


def test_keys_are_never_overwritten_by_new_ones(tmp_path: Path) -> None:
    entropy = new_keystore(tmp_path).entropy
    with pytest.raises(ConfigError, match="exists already"):
        Keystore.create(tmp_path, "Eva")
    assert Keystore.open(tmp_path).entropy == entropy


def test_a_device_seed_is_never_replaced(tmp_path: Path) -> None:
    keystore = new_keystore(tmp_path)
    keystore.put(COMMUNITY, keystore.new_keys())
    with pytest.raises(ConfigError, match="device key"):
        keystore.put(COMMUNITY, keystore.new_keys())
    keystore.drop(COMMUNITY)
    assert Keystore.open(tmp_path).communities() == []


def test_a_failed_write_leaves_the_old_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keystore = new_keystore(tmp_path)
    before = (tmp_path / "keys.json").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="No space left on device"):
            keystore.set_name("Eva")
    assert keystore.name == "Ana"
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    assert (tmp_path / "keys.json").read_bytes() == before


def test_the_new_file_is_on_the_disk_before_it_replaces_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keystore = new_keystore(tmp_path)
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def recorded_fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("sync folder" if is_folder else "sync file")
        fsync(descriptor)

    def recorded_replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "replace", recorded_replace)
    keystore.set_name("Eva")
    assert steps == ["sync file", "rename", "sync folder"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"version": 3, "keys": "sealed"}', "newer p2pvalue"),
        ("", "damaged"),
        ("{}", "damaged"),
        ('{"version": 1, "name": "Ana"}', "damaged"),
        ("[" * 100_000, "damaged"),
    ],
    ids=["newer", "empty", "no version", "cut short", "deep"],
)
def test_a_file_it_cannot_use_is_refused_with_a_next_step(
    tmp_path: Path, content: str, says: str
) -> None:
    new_keystore(tmp_path)
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(ConfigError, match=says):
        Keystore.open(tmp_path)


@pytest.mark.parametrize("community", ["garden", COMMUNITY.hex() + "\n", "", "é" * 64])
def test_a_file_with_keys_for_what_is_no_community_is_refused_as_damaged(
    tmp_path: Path, community: str
) -> None:
    keystore = new_keystore(tmp_path)
    keystore.put(COMMUNITY, keystore.new_keys())
    path = tmp_path / "keys.json"
    path.write_text(path.read_text().replace(COMMUNITY.hex(), community.replace("\n", "\\n")))
    with pytest.raises(ConfigError, match="damaged"):
        Keystore.open(tmp_path)


def test_without_keys_it_names_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="p2pvalue init"):
        Keystore.open(tmp_path)
