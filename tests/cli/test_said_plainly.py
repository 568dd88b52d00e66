"""What people type without thinking is understood, and what changes nothing says so."""

from __future__ import annotations

import datetime
from datetime import date, timedelta

import pytest

from p2pvalue_cli import failures
from p2pvalue_cli.dates import in_words
from p2pvalue_cli.need_said import FORGOTTEN_MS
from p2pvalue_cli.output import day
from p2pvalue_protocol.needs.outcome import EXPIRY_MS
from tests.cli.conftest import Person

# --- days


@pytest.mark.parametrize("weekday", range(7))
def test_a_weekday_is_the_first_of_its_name_after_today(weekday: int) -> None:
    monday = date(2026, 11, 23)
    today = monday + timedelta(days=weekday)
    names = [(monday + timedelta(days=number)).strftime("%A") for number in range(7)]
    for name in names:
        meant = in_words(name, today)
        assert meant is not None
        assert (meant.strftime("%A"), 1 <= (meant - today).days <= 7) == (name, True)
        later = in_words(f"next  {name.upper()}", today)
        assert later is not None
        assert later - timedelta(days=later.weekday()) == monday + timedelta(days=7)


@pytest.mark.parametrize("text", ["", "soon", "next", "next year", "in days", "in -1 days", "fri"])
def test_what_is_no_day_in_words_is_none(text: str) -> None:
    assert in_words(text, date(2026, 11, 23)) is None


def test_days_in_words_are_taken_and_told_back(ana: Person) -> None:
    tomorrow = datetime.date.today() + timedelta(days=1)
    told = ana.sees("need", "add", "Roof", "--hours", "1h", "--closes", "tomorrow")
    assert f"tomorrow is {tomorrow}" in told
    assert day(ana.gets("need", "show", "Roof")["closes"]) == tomorrow.isoformat()
    ana.sees("need", "add", "Wall", "--hours", "1h")
    ana.sees("need", "edit", "Wall", "--closes", "in 2 weeks", "--opens", "today")
    assert day(ana.gets("need", "show", "Wall")["closes"]) > tomorrow.isoformat()
    refused = ana.type("need", "add", "Door", "--hours", "1h", "--closes", "someday")
    assert refused.exit_code == failures.USAGE
    assert "2026-12-31, tomorrow, friday" in refused.stderr


# --- amounts


def test_capitals_make_no_difference_to_amounts(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "2H", "--material", "4 bags")
    assert "pledged 1h to Roof" in ana.sees("pledge", "make", "Roof", "1H")
    assert "pledged 1 bag to Roof" in ana.sees("pledge", "make", "Roof", "1 Bag")
    assert ana.gets("contribution", "add", "Nails", "5eur")["quantity"] == 500


# --- once more


def test_what_was_taken_back_is_said_to_be_when_it_is_once_more(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "2h")
    pledge = ana.gets("pledge", "make", "Roof", "1h")["pledge"]
    assert "you owe nothing" in ana.sees("pledge", "withdraw", "Roof")
    assert "1h to Roof was withdrawn already" in ana.sees("pledge", "withdraw", pledge)
    for title in ("Roof", "roof"):
        told = ana.type("pledge", "withdraw", title).stderr
        assert 'no pledge of yours to "Roof" is under way: 1h to Roof, withdrawn' in told
    ana.sees("need", "add", "Wall", "--hours", "2h")
    assert 'no pledge to "Wall" is yours' in ana.type("pledge", "withdraw", "Wall").stderr


def test_what_was_released_is_said_to_be_when_it_is_once_more(ana: Person) -> None:
    ana.sees("need", "add", "Turn", "--hours", "1h", "--trigger", "none")
    pledge = ana.gets("pledge", "make", "Turn", "1h")["pledge"]
    assert "anybody may take it over" in ana.sees("pledge", "release", "Turn", "--reason", "ill")
    assert "was released already" in ana.sees("pledge", "withdraw", pledge)


def test_a_second_project_of_one_title_is_told_from_the_first(ana: Person) -> None:
    assert "same title" not in ana.sees("project", "create", "Beds")
    first = ana.gets("project", "list")[0]["project"][:8]
    told = ana.sees("project", "create", "Beds")
    assert f"project {first}" in told
    assert "has the same title (0 needs): name them by their ids" in told
    assert "p2pvalue project edit" in told


def test_what_is_asked_of_who_is_no_terminal_is_said_to_wait_for_a_yes(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "12h")
    ana.sees("pledge", "make", "Roof", "1h")
    told = ana.type("need", "close", "Roof").stderr
    assert "Nothing is done yet: say yes with --yes" in told


# --- many at once, and the first few


def test_all_pledges_that_wait_for_it_are_renewed_by_who_is_sure(ana: Person) -> None:
    for title in ("Roof", "Wall", "Door", "Gate"):
        ana.sees("need", "add", title, "--hours", "2h")
        ana.sees("pledge", "make", title, "1h")
    assert "no pledge of yours waits" in ana.sees("pledge", "renew", "--all")
    for title in ("Roof", "Wall", "Gate"):
        ana.sees("need", "edit", title, "--hours", "3h")
    ana.sees("need", "drop", "Gate")
    asked = ana.type("pledge", "renew", "--all")
    assert (asked.exit_code, "promise these 2 again?" in asked.stderr) == (failures.FAILED, True)
    assert "1h to Wall" in asked.stderr
    assert "1h to Door" not in asked.stderr
    told = ana.sees("pledge", "renew", "--all", "--yes")
    assert told.count("pledged 1h to ") == 2
    states = {pledged["need_title"]: pledged["state"] for pledged in ana.gets("pledge", "list")}
    assert states == {"Roof": "offered", "Wall": "offered", "Door": "offered", "Gate": "outdated"}
    assert ana.gets("pledge", "renew", "--all") == []


@pytest.mark.parametrize("words", [[], ["Roof", "--all"]])
def test_a_pledge_is_renewed_or_all_are(ana: Person, words: list[str]) -> None:
    assert ana.type("pledge", "renew", *words).exit_code == failures.USAGE


def test_who_asks_far_ahead_is_told_from_when_pledges_count(ana: Person) -> None:
    assert FORGOTTEN_MS == EXPIRY_MS
    far = datetime.date.today() + timedelta(days=190)
    told = ana.sees("need", "add", "Roof", "--hours", "1h", "--closes", far.isoformat())
    since = day(ana.gets("need", "show", "Roof")["closes"] - EXPIRY_MS)
    assert f"who pledges before {since} is to renew it then" in told
    for words in (["--closes", "in 5 days"], ["--closes", far.isoformat(), "--trigger", "none"]):
        assert "pledges count for" not in ana.sees("need", "add", "Wall", "--hours", "1h", *words)
    assert "pledges count for" in ana.sees("need", "edit", "Roof", "--closes", "in 200 days")
    assert "pledges count for" not in ana.sees("need", "edit", "Roof", "--body", "of tiles")


def test_the_first_few_of_the_order_are_shown_if_asked_for(ana: Person) -> None:
    for title in ("Roof", "Wall", "Door"):
        ana.sees("need", "add", title, "--hours", "2h")
    assert "the first 2 of 3" in ana.sees("need", "rank", "-n", "2")
    assert [place["place"] for place in ana.gets("need", "rank", "-n", "2")["needs"]] == [1, 2]
    assert "the first" not in ana.sees("need", "rank", "-n", "3")


# --- of several communities


def test_a_community_is_chosen_shown_and_let_go(ana: Person) -> None:
    ana.sees("community", "create", "Choir")
    assert ana.type("need", "add", "Roof", "--hours", "1h").exit_code == failures.NOT_FOUND
    assert "about Choir from now on" in ana.sees("community", "use", "Choir")
    ana.sees("need", "add", "Roof", "--hours", "1h")
    assert [need["title"] for need in ana.gets("need", "list", "-c", "Choir")] == ["Roof"]
    for words in (["status"], ["community", "list"]):
        [line] = [line for line in ana.sees(*words).splitlines() if "used without -c" in line]
        assert "Choir" in line
    refused = ana.type("community", "leave", "--yes")
    assert (refused.exit_code, "with -c" in refused.stderr) == (failures.USAGE, True)
    assert "none is chosen" in ana.sees("community", "use", "--none")
    assert ana.type("need", "list").exit_code == failures.NOT_FOUND


@pytest.mark.parametrize("words", [[], ["Garden", "--none"]])
def test_a_community_is_chosen_or_none_is(ana: Person, words: list[str]) -> None:
    assert ana.type("community", "use", *words).exit_code == failures.USAGE
