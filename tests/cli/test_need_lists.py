from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from p2pvalue_cli import failures
from p2pvalue_cli.need_pages import bar
from p2pvalue_cli.need_text import read_need
from tests.cli.conftest import Person

TODAY = datetime.date.today().isoformat()


def titles(ana: Person, *words: str) -> list[str]:
    return [need["title"] for need in ana.gets("need", "list", *words)]


def test_needs_are_listed_by_what_is_overdue_and_by_whose_they_are(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana.sees("need", "add", "Roof", "--hours", "12h", "--deadline", TODAY)
    ana.sees("need", "add", "Fence", "--hours", "2h")
    assert titles(ana, "--overdue") == []
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert titles(ana, "--overdue") == ["Roof"]
    assert titles(ana, "--mine") == ["Roof", "Fence"]
    ana.sees("need", "drop", "Roof")
    assert titles(ana, "--overdue", "--all") == []
    assert "none of 2" in ana.sees("need", "list", "--overdue")


def test_what_is_good_to_begin_with_is_small_and_asks_for_nothing_rare(ana: Person) -> None:
    assert "nothing small is open" in ana.sees("need", "list", "--featured")
    for title, *words in (
        ("Fence", "--hours", "1h"),
        ("Roof", "--hours", "12h"),
        ("Beds", "--hours", "12h", "--estimate", "90min"),
        ("Bread", "--hours", "2h", "--tag", "baking"),
        ("Wires", "--hours", "2h", "--tag", "electrics"),
        ("Lamp", "--hours", "2h", "--skill", "1 electrician"),
        ("Nails", "--money", "20EUR"),
        ("Picnic", "--hours", "20h", "--tag", "First time"),
        ("Draft", "--hours", "1h", "--draft"),
    ):
        ana.sees("need", "add", title, *words)
    ana.sees("profile", "set", "--skill", "Baking")
    found = ana.gets("need", "list", "--featured")
    assert [(fit["title"], fit["minutes"]) for fit in found] == [
        ("Picnic", 120),
        ("Bread", 120),
        ("Fence", 60),
        ("Beds", 120),
    ]
    assert [fit["is_first"] for fit in found] == [True, False, False, False]
    shown = ana.sees("need", "list", "--featured")
    assert "Picnic (good for a first time)" in shown
    assert "p2pvalue pledge make" in shown
    assert ana.type("need", "list", "--featured", "--mine").exit_code == failures.USAGE


def test_a_need_is_made_of_a_text_with_its_amounts(ana: Person, tmp_path: Path) -> None:
    file = tmp_path / "roof.txt"
    file.write_text(
        "Fix the roof\r\n--hours 12h..20h\n--material '30 planks'\n\nIt rains in.\n--\n"
    )
    ana.sees("need", "add", "--from", str(file))
    need = ana.gets("need", "show", "Fix the roof")
    assert need["body"] == "It rains in.\n--"
    assert [(line["kind"], line["minimum"]) for line in need["lines"]] == [
        ("hours", 720),
        ("material", 30),
    ]
    ana.sees("need", "add", "Fence", "--from", "-", "--hours", "2h", stdin="All of it\nis body")
    assert ana.gets("need", "show", "Fence")["body"] == "All of it\nis body"


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        ((), "", failures.USAGE),
        (("--hours", "2h"), "", failures.USAGE),
        (("--from", "-"), "No amount", failures.USAGE),
        (("--from", "-"), "Much\n--hours much", failures.USAGE),
        (("--from", "-"), "--hours 2h\n", failures.FAILED),
        (("--from-message", "Nothing", "--hours", "2h"), "", failures.NOT_FOUND),
    ],
)
def test_a_text_that_is_no_need_is_explained(
    settled: Person, words: tuple[str, ...], text: str, code: int
) -> None:
    result = settled.type("need", "add", *words, stdin=text)
    assert (result.exit_code, "Traceback" in result.output) == (code, False)


def test_only_lines_that_are_written_as_options_are_amounts() -> None:
    read = read_need("Roof\n--hours=2h\n --money 20EUR \nsay --hours 3h\n--steward Eva\n")
    assert read.amounts == {"hours": ["2h"], "money": ["20EUR"]}
    assert (read.title, read.body) == ("Roof", "say --hours 3h\n--steward Eva")


@pytest.mark.parametrize(
    ("pledged", "minimum", "optimum", "drawn"),
    [
        (0, 0, 1, "[..........]"),
        (479, 480, 720, "[######-...]"),
        (480, 480, 720, "[#######...]"),
        (720, 480, 720, "[##########]"),
        (9_999, 1, 2, "[##########]"),
        (0, 5, 5, "[----------]"),
    ],
)
def test_a_bar_shows_what_lacks_and_is_full_no_sooner_than_the_line(
    pledged: int, minimum: int, optimum: int, drawn: str
) -> None:
    assert bar({"pledged": pledged, "minimum": minimum, "optimum": optimum}) == drawn


def test_a_need_opens_on_its_first_day(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "2h", "--opens", "2099-05-01")
    assert "pledges from 2099-05-01" in ana.sees("need", "show", "Roof")
    assert ana.type("pledge", "make", "Roof", "1h").exit_code == failures.FAILED
    refused = ana.type("need", "edit", "Roof", "--closes", "2099-04-30")
    assert (refused.exit_code, "before its first" in refused.output) == (failures.FAILED, True)
    ana.sees("need", "edit", "Roof", "--opens", "")
    assert "pledges from" not in ana.sees("need", "show", "Roof")
    ana.sees("pledge", "make", "Roof", "1h")
