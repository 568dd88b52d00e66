"""The glossary gives every word one meaning, and knows the words that the code lives by."""

from __future__ import annotations

import re
from typing import get_args

import click

from p2pvalue.need_types import NeedStateName, PledgeStateName, Trigger
from p2pvalue_cli.main import cli
from p2pvalue_protocol.kinds import KINDS
from tests.tidy.tree import ROOT

ENTRIES = re.findall(
    r"^- \*\*(.+?)\*\*: (.+)$",
    (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"),
    flags=re.M,
)

_NO_THINGS = {"notify", "sim"}  # what they are about are notifications, and how it is tried out


def test_every_word_has_one_entry() -> None:
    words = [word for word, _ in ENTRIES]
    assert words
    assert sorted({word for word in words if words.count(word) > 1}) == []


def test_every_line_of_the_glossary_is_an_entry() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^- ", text, flags=re.M)) == len(ENTRIES)


def test_every_kind_is_in_the_glossary() -> None:
    words = {word for word, _ in ENTRIES}
    assert sorted({kind.name.partition("-")[0] for kind in KINDS} - words) == []


def test_every_state_of_needs_and_pledges_is_in_the_glossary() -> None:
    told = "\n".join(about for _, about in ENTRIES)
    names = {*get_args(NeedStateName), *get_args(PledgeStateName), *get_args(Trigger)}
    assert sorted(name for name in names if f"`{name}`" not in told) == []


def test_every_thing_that_commands_are_about_is_in_the_glossary() -> None:
    words = {word for word, _ in ENTRIES}
    groups = [name for name in cli.list_commands(click.Context(cli)) if _has_commands(name)]
    assert "need" in groups
    assert sorted(name for name in groups if name not in words | _NO_THINGS) == []


def _has_commands(name: str) -> bool:
    return isinstance(cli.get_command(click.Context(cli), name), click.Group)
