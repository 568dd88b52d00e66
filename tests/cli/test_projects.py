from __future__ import annotations

import pytest

from p2pvalue_cli import failures
from tests.cli.conftest import Person


def test_a_project_is_begun_joined_changed_and_shown_with_its_needs(ana: Person) -> None:
    assert "began Beds" in ana.sees("project", "create", "Beds", "--place", "Hall")
    ana.sees("need", "add", "Fence", "--hours", "2h..4h", "--project", "Beds")
    assert "member of Beds" in ana.sees("project", "join", "Beds")
    ana.sees("project", "edit", "Beds", "--body", "Food\nfor all")
    shown = ana.sees("project", "show", "Beds")
    for told in ("place: Hall", "members: ", "  | Food\n  | for all", "Fence", "0h of 2h..4h"):
        assert told in shown
    assert "project: Beds" in ana.sees("need", "show", "Fence")
    ana.sees("project", "comment", "Beds", "Saturday at ten?")
    page = ana.gets("project", "show", "Beds")
    assert [said["text"] for said in page["comments"]] == ["Saturday at ten?"]
    assert "Saturday at ten?" in ana.sees("project", "show", "Beds")
    listed = ana.sees("project", "list", "--mine").splitlines()
    assert listed[1].split()[1:] == ["Beds", "1", "1", "Hall", "member"]
    assert "no member" in ana.sees("project", "leave", "Beds")
    assert ana.gets("project", "list", "--mine") == []
    ana.sees("project", "drop", "Beds")
    assert ana.gets("project", "list") == []
    assert "Beds (dropped)" in ana.sees("project", "list", "--all")
    ana.sees("project", "edit", "Beds", "--open")
    assert [view["title"] for view in ana.gets("project", "list")] == ["Beds"]


def test_comments_on_a_need_are_shown_with_it_the_newest_few(ana: Person) -> None:
    ana.sees("need", "add", "Fence", "--hours", "2h")
    for number in range(7):
        ana.sees("need", "comment", "Fence", f"comment {number}\n\x1b[2J")
    shown = ana.sees("need", "show", "Fence")
    assert "comment 6" in shown
    assert "comment 1\n" not in shown
    assert "\x1b[2J" not in shown
    need = ana.gets("need", "show", "Fence")
    assert [said["text"][8] for said in need["comments"]] == list("23456")
    assert all(said["channel"] == need["need"] for said in need["comments"])
    listed = ana.sees("chat", "list", "--channel", need["need"])
    assert "comment 0" in listed
    assert ana.gets("chat", "list") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("edit", "Nothing"), failures.USAGE),
        (("show", "Nothing"), failures.NOT_FOUND),
        (("create", " "), failures.FAILED),
        (("join", "Nothing"), failures.NOT_FOUND),
        (("comment", "Nothing", "hm"), failures.NOT_FOUND),
    ],
)
def test_what_cannot_be_done_with_a_project_is_explained(
    settled: Person, words: tuple[str, ...], code: int
) -> None:
    result = settled.type("project", *words)
    assert (result.exit_code, "Traceback" in result.output) == (code, False)


def test_the_board_counts_its_columns_and_cuts_long_titles(ana: Person) -> None:
    ana.sees("need", "add", "A very long title about a roof " * 3, "--hours", "2h")
    ana.sees("need", "add", "Fence", "--hours", "2h")
    heads, first, second = ana.sees("need", "board").splitlines()
    assert heads.split() == "OPEN (2) TO DO (0) IN PROGRESS (0) DONE (0)".split()
    assert first.endswith("…")
    assert len(first) < 40
    assert second == "Fence"
