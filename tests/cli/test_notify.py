"""What concerns a person is listed, followed, read, and made less."""

from __future__ import annotations

import json
import select
from typing import get_args

import pytest

from p2pvalue.notify_types import NotificationKind
from p2pvalue_cli import failures
from p2pvalue_cli.commands.notify import KINDS
from tests.cli.conftest import Person
from tests.cli.following import following

TRIES_MAX = 100


def close(ana: Person, title: str) -> None:
    """Close a need of Ana's, which the fake node tells her of."""
    ana.sees("need", "add", title, "--hours", "1h")
    ana.sees("pledge", "make", title, "1h")
    ana.sees("need", "close", title)


def test_the_kinds_are_those_of_the_node() -> None:
    assert sorted(KINDS) == sorted(get_args(NotificationKind))


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("need-pledge", "did you mean need-pledged"),
        ("Thanked", "did you mean thanked"),
        ("xyz", ""),
    ],
)
def test_a_wrong_kind_is_answered_with_the_nearest(ana: Person, kind: str, meant: str) -> None:
    refused = ana.type("notify", "set", kind, "never")
    assert refused.exit_code == failures.USAGE
    told = " ".join(refused.stderr.split())
    assert meant in told
    assert "p2pvalue notify rules" in told
    assert ("did you mean" in told) == bool(meant)
    assert "due-tomorrow" not in told


def test_each_says_why_it_came_and_how_to_have_fewer(ana: Person) -> None:
    assert "nothing to be read" in ana.sees("notify", "list")
    close(ana, "Roof")
    told = ana.sees("notify", "list")
    assert "Garden: “Roof” came about" in told
    assert "because you asked for it" in told
    assert "fewer: p2pvalue notify set need-triggered never" in told
    assert "or p2pvalue notify mute 4f1c4f1c" in told
    assert "next: p2pvalue pledge confirm 4f1c\n" in told
    assert [item["kind"] for item in ana.gets("notify", "list")] == ["need-triggered"]


def test_what_was_read_is_not_listed_as_unread(ana: Person) -> None:
    close(ana, "Roof")
    assert ana.sees("notify", "read") == "1 read\n"
    assert ana.gets("notify", "list", "--unread") == []
    assert len(ana.gets("notify", "list")) == 1
    assert "read, because" in ana.sees("notify", "list")
    close(ana, "Wall")
    assert "read, because" not in ana.sees("notify", "list", "--unread")
    assert "read, because" not in ana.sees("notify", "digest")
    assert ana.sees("notify", "digest").startswith("nothing waits for the digest;")


@pytest.mark.parametrize("is_json", [True, False])
def test_following_shows_each_once_until_ctrl_c(ana: Person, is_json: bool) -> None:
    close(ana, "Roof")
    words = ["notify", "follow", *(["--json"] if is_json else [])]
    with following(ana, *words) as lines:
        if not is_json:
            first = lines.readline()
            assert "“Roof” came about (because" in first
            assert "; next: p2pvalue pledge confirm 4f1c; fewer:" in first
        for number in range(TRIES_MAX):  # until it listens, of which it says nothing
            close(ana, f"Fence {number}")
            if select.select([lines], [], [], 0.5)[0]:
                break
        line = lines.readline()
        told = json.loads(line)["data"]["text"] if is_json else line
        assert "“Roof” came about " in told


def test_rules_are_chosen_and_shown(ana: Person) -> None:
    assert ana.sees("notify", "set", "thanked", "never") == "thanked: never\n"
    told = ana.sees("notify", "set", "need-pledged", "now", "-c", "Garden")
    assert told == "need-pledged in Garden: now\n"
    assert "thanked       never" in ana.sees("notify", "rules")
    assert "told at 7:00" in ana.sees("notify", "digest", "--at", "7")
    assert "told at 7:00" in ana.sees("notify", "rules")
    assert "when you ask" in ana.sees("notify", "digest", "--at", "never")


def test_a_mute_says_how_long_it_lasts(ana: Person) -> None:
    assert ana.sees("notify", "mute", "Garden") == "Garden is muted until you unmute it\n"
    assert "Garden is muted until 20" in ana.sees("notify", "mute", "Garden", "--for", "3d")
    assert "Garden is muted until " in ana.sees("notify", "mute", "Garden", "--for", "90min")
    assert ana.sees("notify", "unmute", "Garden") == "Garden is not muted any more\n"


@pytest.mark.parametrize(
    "words",
    [
        ("set", "everything", "now"),
        ("set", "thanked", "often"),
        ("digest", "--at", "24"),
        ("digest", "--at", "noon"),
        ("mute", "Garden", "--for", "a while"),
        ("mute", "Garden", "--for", "0h"),
        ("mute", "Garden", "--for", "99999999d"),
    ],
)
def test_what_cannot_be_chosen_is_explained(ana: Person, words: tuple[str, ...]) -> None:
    result = ana.type("notify", *words)
    assert (result.exit_code, "Traceback" in result.output) == (failures.USAGE, False)
