"""What the key file of a device holds that another one of its person brought in."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import msgspec
import pytest

from p2pvalue.keystore import Keystore, WordsNeeded
from p2pvalue_protocol.errors import LocalProtocolError
from tests.node.household import words

CHECK, BACKUP = b"c" * 32, b"b" * 32


def linked(folder: Path) -> Keystore:
    keystore = Keystore.create(folder, "phone", entropy=None)
    keystore.follow("Ana", CHECK, BACKUP)
    return Keystore.open(folder)


def test_a_linked_device_knows_its_person_and_none_of_her_words(tmp_path: Path) -> None:
    keystore = linked(tmp_path)
    assert (keystore.name, keystore.entropy) == ("Ana", None)
    assert (keystore.words_check, keystore.backup_key) == (CHECK, BACKUP)
    with pytest.raises(WordsNeeded):
        keystore.root_for(bytes(32))


def test_a_device_of_one_person_does_not_follow_another(tmp_path: Path) -> None:
    keystore = linked(tmp_path)
    assert keystore.follows(CHECK)
    assert keystore.follows(b"")  # a device that itself does not know
    assert not keystore.follows(bytes(32))
    hers = Keystore.create(tmp_path / "hers", "Ana", entropy=words("Ana"))
    assert hers.follows(hers.words_check)
    assert not hers.follows(CHECK)


def test_what_is_known_of_the_words_is_not_replaced(tmp_path: Path) -> None:
    keystore = linked(tmp_path)
    keystore.follow("Ana", bytes(32), bytes(32))
    assert (keystore.words_check, keystore.backup_key) == (CHECK, BACKUP)
    with pytest.raises(LocalProtocolError):
        keystore.follow("", CHECK, BACKUP)
    assert keystore.name == "Ana"


def test_a_device_that_is_given_up_leaves_no_key_behind(tmp_path: Path) -> None:
    keystore = linked(tmp_path)
    community = bytes(32)
    former = msgspec.structs.replace(keystore.new_keys(nonce=bytes(32)), root=b"r" * 32)
    keystore.put(community, former)
    keystore.replace_device(community, msgspec.structs.replace(keystore.new_keys(), root=b"r" * 32))
    kept = Keystore.open(tmp_path).keys(community)
    assert kept is not None
    assert kept.device_seed != former.device_seed
    written = (tmp_path / "keys.json").read_bytes()
    assert b64encode(kept.device_seed) in written
    assert b64encode(former.device_seed) not in written
