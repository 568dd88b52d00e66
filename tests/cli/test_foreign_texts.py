"""What others wrote passes for nothing that we say, in whatever terminal."""

from __future__ import annotations

import os
import shutil
import unicodedata
from typing import Any

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from p2pvalue_cli import quoting
from p2pvalue_cli.messages import write_messages
from p2pvalue_cli.need_pages import write_one
from p2pvalue_cli.output import harmless
from p2pvalue_cli.quoting import BAR, cells, write_quoted

FORGED = "It rains in.\nconfirmed by: Ana\n1. [##########] 12h of 12h, from 3 people"
STEERING = "\x1b[2J\x1b[31m\r\x9b1A\x85\u2028\u2029\x0b\x0c\u202egnikool\u2066"


def need(body: str) -> dict[str, Any]:
    """As the API gives it."""
    texts = ("project_title", "class", "acceptance", "gives_back", "message")
    nothing = ("opens", "closes", "deadline", "wants", "missing")
    lists = ("skills", "lines", "closings")
    me = [{"name": "Bob", "member": "", "is_out": False}]
    return {
        **dict.fromkeys(texts, ""),
        **dict.fromkeys(nothing, 0),
        **dict.fromkeys(lists, ()),
        "title": "Roof",
        "body": body,
        "name": "Bob",
        "created": 0,
        "origin": None,
        "state": "draft",
        "is_met": False,
        "trigger": "all",
        "stewards": me,
        "confirmers": me,
    }


def message(text: str) -> dict[str, Any]:
    return {"message": "ab" * 16, "name": "Bob", "time": 0, "text": text, "needs": []}


def wide(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Let a person read, at a terminal of so many columns."""
    monkeypatch.setattr(quoting, "is_person_reading", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))


def test_no_line_of_a_body_stands_where_ours_begin(capsys: pytest.CaptureFixture[str]) -> None:
    write_one(need(FORGED))
    shown = capsys.readouterr().out.split("\n")
    theirs = [f"  | {line}" for line in FORGED.split("\n")]
    assert [line for line in shown if line.startswith("  ")] == theirs
    assert not [line for line in shown if line.startswith(("confirmed", "1."))]


def test_no_line_of_a_message_passes_for_what_was_made_of_it_nor_for_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = {"need": "cd" * 16, "title": "Roof"}
    said = message("see\n-> need 12345678: Roof\n12:01 Ana: yes")
    write_messages([{**said, "needs": [made]}])
    first, *rest = capsys.readouterr().out.rstrip("\n").split("\n")
    assert first.endswith(" Bob: see")
    assert rest == [
        "      | -> need 12345678: Roof",
        "      | 12:01 Ana: yes",
        "      -> need cdcdcdcd: Roof",
    ]


def test_nothing_in_a_body_or_message_steers_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_one(need(STEERING))
    write_messages([message(STEERING)])
    shown = capsys.readouterr().out
    categories = {unicodedata.category(character) for character in shown.replace("\n", "")}
    assert categories.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert len(shown.splitlines()) == len(shown.split("\n")) - 1


@pytest.mark.parametrize("columns", [5, 40, 80])
def test_a_long_line_goes_on_behind_the_bar_and_not_at_the_edge(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    wide(monkeypatch, columns)
    write_quoted("x" * 76 + "confirmed by: Ana " * 20)
    write_messages([message("屋" * 200)])
    shown = capsys.readouterr().out.rstrip("\n").split("\n")
    ours = [line for line in shown if not line.lstrip().startswith(BAR)]
    assert [line.partition("Bob")[1] for line in ours] == ["Bob"]
    assert max(map(cells, shown)) <= max(columns, 6 + len(BAR) + 20)


@given(
    text=st.text(st.characters(codec="utf-8") | st.sampled_from(" \n\t\u0301屋")),
    columns=st.integers(30, 90),
)
@example(text="a " + "b" * 40, columns=30)
def test_all_of_a_text_is_shown_in_rows_that_fit(text: str, columns: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        rows: list[str] = []
        wide(patch, columns)
        patch.setattr(click, "echo", rows.append)
        write_quoted(text)
    assert all(row.startswith("  | ") and cells(row) <= columns for row in rows)
    shown = "".join(row.removeprefix("  | ") for row in rows)
    assert "".join(shown.split()) == "".join(harmless(text).split())
