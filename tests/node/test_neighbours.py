from __future__ import annotations

from p2pvalue.node.peers.neighbours import blinded_name, is_named

SECRET = bytes(range(32))
OTHER = bytes(32)


def test_members_recognise_their_community_by_its_secret() -> None:
    assert is_named(blinded_name(SECRET, b"12345"), SECRET)
    assert not is_named(blinded_name(OTHER, b"12345"), SECRET)


def test_two_announcements_of_one_community_have_nothing_in_common() -> None:
    first, second = blinded_name(SECRET, b"12345"), blinded_name(SECRET, b"54321")
    assert first[8:] != second[8:]
    assert len(first) == 32


def test_whatever_strangers_announce_names_no_community() -> None:
    for name in ("", "printer", "a" * 32, "ü" * 32, blinded_name(SECRET, b"12345")[:-8]):
        assert not is_named(name, SECRET)
