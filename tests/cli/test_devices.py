"""What a person types about her devices, against a node of straw."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pvalue_cli import failures
from tests.api.fake_devices import CODE
from tests.cli.conftest import Person


def test_a_code_stands_alone_where_it_can_be_copied(ana: Person) -> None:
    result = ana.type("device", "link", "--no-wait")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == CODE


def test_a_new_device_says_whose_it_is_now(ana: Person) -> None:
    said = ana.sees("device", "link").splitlines()
    assert said[-2:] == [CODE, "this device is one of Ana now, in no community yet"]
    view = ana.gets("device", "link")
    assert (view["state"], view["name"]) == ("linked", "Ana")


def test_an_older_device_takes_a_code_that_is_pasted_or_piped(ana: Person) -> None:
    assert "phone is a device of Ana now" in ana.sees("device", "add", CODE)
    assert ana.gets("device", "add", "-", stdin=f"{CODE}\n")["label"] == "phone"
    wrong = ana.type("device", "add", CODE[:-1])
    assert wrong.exit_code == failures.FAILED
    assert "mistyped" in wrong.stderr


def test_devices_are_listed_with_who_brought_them_in(ana: Person) -> None:
    lines = ana.sees("device", "list").splitlines()
    assert lines[0].split() == [
        "DEVICE",
        "NAME",
        "COMMUNITY",
        "STATE",
        "ADDED",
        "BY",
        "ADDED",
        "LAST",
        "SEEN",
    ]
    assert "laptop (this one)" in lines[1]
    assert "your words" in lines[1]
    assert "laptop" in lines[2]


def test_revoking_says_what_comes_with_it_and_wants_to_be_sure(ana: Person) -> None:
    unsure = ana.type("device", "revoke", "phone")
    assert unsure.exit_code == failures.FAILED
    assert "will not count" in unsure.stderr
    assert "--yes" in unsure.stderr
    assert [d["state"] for d in ana.gets("device", "list")] == ["live", "live"]
    assert "revoked phone" in ana.sees("device", "revoke", "phone", "--yes")
    assert [d["state"] for d in ana.gets("device", "list")] == ["live", "revoked"]


def test_an_older_device_is_put_out_by_words(ana: Person, tmp_path: Path) -> None:
    asked = ana.type("device", "revoke", "laptop", "--yes")
    assert asked.exit_code == failures.FAILED
    assert "--words-file" in asked.stderr
    paper = tmp_path / "paper"
    paper.write_text("abandon " * 24)
    ended = ana.type("device", "revoke", "laptop", "--yes", "--words-file", str(paper))
    assert ended.exit_code == 0
    assert "It brought in other devices, which stay: bbbbbbbb." in ended.stderr


@pytest.mark.parametrize("words", [("revoke", "car", "--yes"), ("revoke", "car")])
def test_a_device_that_is_not_there_is_said_to_be(ana: Person, words: tuple[str, ...]) -> None:
    assert ana.type("device", *words).exit_code == failures.NOT_FOUND


def test_a_person_comes_back_by_a_link_and_her_words(ana: Person, tmp_path: Path) -> None:
    link = ana.sees("community", "link").strip()
    paper = tmp_path / "paper"
    paper.write_text("abandon " * 24)
    words = ("--words-file", str(paper), "--no-wait")
    view = ana.gets("community", "recover", link, *words)
    assert view["state"] == "joining"
    assert ana.type("community", "recover", link, "--no-wait").exit_code == failures.FAILED


def test_a_folder_for_a_linked_device_has_no_words(tmp_path: Path) -> None:
    new = Person(tmp_path / "phone")
    made = new.gets("init", "--linked", "--protect", "none")
    assert made["is_linked"]
    assert "words" not in made
    assert Person(tmp_path / "pad").type("init", "--linked", "--recover").exit_code == 2
