"""What a person can do with her words and her passphrase on a running node."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from p2pvalue.config import Config
from p2pvalue.keyfile import Cost, WrongPassphrase, seal_with_passphrase
from p2pvalue.keystore import Keystore, WordsNeeded
from p2pvalue.node import open_node
from p2pvalue.node.own_keys import OwnKeys
from p2pvalue.words import words_of
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
OTHERS = "zoo " * 23 + "vote"


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    seal = seal_with_passphrase("before", os.urandom, CHEAP)
    return Keystore.create(tmp_path, "Ana", seal=seal)


def words_in(keystore: Keystore) -> str:
    assert keystore.entropy is not None
    return " ".join(words_of(keystore.entropy))


def test_the_words_are_shown_once_in_a_life(keystore: Keystore, tmp_path: Path) -> None:
    words = words_in(keystore)
    assert OwnKeys(keystore).take_words() == words.split()
    again = Keystore.open(tmp_path, passphrase="before")
    for kept in (keystore, again):
        with pytest.raises(LocalProtocolError, match="never shown again"):
            OwnKeys(kept).take_words()


def test_words_are_known_again_even_after_they_were_forgotten(
    keystore: Keystore, tmp_path: Path
) -> None:
    words = words_in(keystore)
    keys = OwnKeys(keystore)
    keys.take_words()
    keys.forget_words()
    for kept in (keystore, Keystore.open(tmp_path, passphrase="before")):
        assert kept.entropy is None
        assert OwnKeys(kept).check_words(words)
        assert not OwnKeys(kept).check_words(OTHERS)
    with pytest.raises(LocalProtocolError, match="not in the list"):
        keys.check_words("these are no words")


def test_words_that_nobody_has_seen_are_not_forgotten(keystore: Keystore) -> None:
    with pytest.raises(LocalProtocolError, match="words show"):
        OwnKeys(keystore).forget_words()
    assert keystore.entropy is not None


def test_a_recovered_machine_is_the_same_person_and_another_device(tmp_path: Path) -> None:
    first = Keystore.create(tmp_path / "first", "Ana")
    again = Keystore.create(tmp_path / "again", "Ana", entropy=first.entropy)
    nonce = b"n" * 32
    assert again.root_for(nonce).public == first.root_for(nonce).public
    assert again.backup_key == first.backup_key
    assert again.transport_seed != first.transport_seed
    assert again.database_key != first.database_key
    assert again.new_keys().device_seed != first.new_keys().device_seed
    assert again.are_words_shown, "who typed the words has them"


def test_a_device_that_another_vouches_for_has_no_words(tmp_path: Path) -> None:
    first = Keystore.create(tmp_path / "first", "Ana")
    linked = Keystore.create(tmp_path / "linked", "Ana", entropy=None)
    assert linked.entropy is None
    assert linked.root(b"c" * 32) == b""
    with pytest.raises(WordsNeeded):
        linked.root_for(b"n" * 32)
    with pytest.raises(WordsNeeded, match="never knew"):
        OwnKeys(linked).check_words(OTHERS)
    with pytest.raises(WordsNeeded, match="backup"):
        assert linked.backup_key
    told = Keystore.create(
        tmp_path / "told",
        "Ana",
        entropy=None,
        words_check=first.words_check,
        backup_key=first.backup_key,
    )
    assert OwnKeys(told).check_words(words_in(first))
    assert told.backup_key == first.backup_key


async def test_without_words_a_community_is_founded_with_the_paper_alone(tmp_path: Path) -> None:
    words = words_in(Keystore.create(tmp_path, "Ana"))
    async with open_node(tmp_path, Config(data_dir=tmp_path, listen=())) as node:
        node.keys.take_words()
        before = await node.create_community("Before")
        node.keys.forget_words()
        with pytest.raises(WordsNeeded, match="24 words"):
            await node.create_community("Nobody's")
        with pytest.raises(LocalProtocolError, match="another person's words"):
            await node.create_community("Another's", words=OTHERS)
        assert [view.name for view in node.communities()] == ["Before"]
        made = await node.create_community("Garden", words=words)
        for community in (before, made):
            await community.post("it goes on as before")
            assert [member.is_me for member in community.members()] == [True]
        assert node.keystore.entropy is None


async def test_doctor_says_how_the_keys_are_closed_and_whether_the_words_were_seen(
    tmp_path: Path,
) -> None:
    Keystore.create(tmp_path, "Ana")
    async with open_node(tmp_path, Config(data_dir=tmp_path, listen=())) as node:
        before = {check.check: check for check in node.doctor()}
        assert not before["protection of the keys"].is_ok
        assert "passphrase change" in before["protection of the keys"].detail
        assert not before["the 24 words on paper"].is_ok
        assert "words show" in before["the 24 words on paper"].detail
        assert {
            before[c].detail for c in ("protection of the keys", "the 24 words on paper")
        } <= set(node.status().warnings)
        node.keys.take_words()
        await node.keys.protect("none")
        after = {check.check: check for check in node.doctor()}
        assert after["protection of the keys"].is_ok, "it was a choice"
        assert after["the 24 words on paper"].is_ok
        assert node.status().protection == "none"


async def test_a_changed_passphrase_takes_the_right_old_one(
    keystore: Keystore, tmp_path: Path
) -> None:
    keys = OwnKeys(keystore, cost=CHEAP)
    for wrong in ("", "after"):
        with pytest.raises((WrongPassphrase, ConfigError)):
            await keys.protect("passphrase", passphrase="after", passphrase_before=wrong)
    assert keystore.opens("before")
    with pytest.raises(ConfigError, match="is empty"):
        await keys.protect("passphrase", passphrase="", passphrase_before="before")
    await keys.protect("passphrase", passphrase="after", passphrase_before="before")
    assert Keystore.open(tmp_path, passphrase="after").entropy == keystore.entropy
    await keys.protect("none", passphrase_before="after")
    assert Keystore.open(tmp_path).protection == "none"
    assert not keystore.is_left_open
