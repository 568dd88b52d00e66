from __future__ import annotations

import pytest

from p2pvalue_cli import failures
from p2pvalue_cli.need_pages import write_one
from tests.cli.conftest import Person


def test_a_need_with_too_little_pledged_is_closed_only_by_who_is_sure(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "12h")
    ana.sees("pledge", "make", "Roof", "1h")
    refused = ana.type("need", "close", "Roof")
    assert (refused.exit_code, "--yes" in refused.stderr) == (failures.FAILED, True)
    assert ana.gets("need", "show", "Roof")["state"] == "open"
    assert "nobody owes anything" in ana.sees("need", "close", "Roof", "--yes")


def test_a_need_whose_pledges_bind_is_dropped_only_by_who_is_sure(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "1h")
    ana.sees("pledge", "make", "Roof", "1h")
    ana.sees("need", "close", "Roof")
    assert "1 pledge binds: drop Roof?" in ana.type("need", "drop", "Roof").stderr
    ana.sees("pledge", "claim", "Roof")
    assert "1 of them claimed already" in ana.type("need", "drop", "Roof").stderr
    assert ana.gets("need", "show", "Roof")["state"] == "claimed"
    assert "dropped Roof" in ana.sees("need", "drop", "Roof", "--yes")


def test_of_a_need_that_was_dropped_no_pledge_is_said_to_bind_later(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "1h")
    assert "pledges bind when" in ana.sees("need", "show", "Roof")
    ana.sees("need", "drop", "Roof")
    assert "pledges bind" not in ana.sees("need", "show", "Roof")


def test_who_is_named_and_gone_is_told_with_what_to_do(
    ana: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    ana.sees("need", "add", "Roof", "--hours", "1h")
    need = ana.gets("need", "show", "Roof")
    assert "gone" not in ana.sees("need", "show", "Roof")
    for named in need["stewards"] + need["confirmers"]:
        named["is_out"] = True
    capsys.readouterr()
    write_one(need)
    shown = capsys.readouterr().out
    assert shown.count("(gone)\n  so any member who is no party may ") == 2
    assert "--steward MEMBER, and pledges are renewed" in shown


def test_an_edit_says_which_amounts_it_removed(ana: Person) -> None:
    ana.sees("need", "add", "Spiral", "--hours", "2h", "--material", "40 stones")
    assert "removed: 40 stones" in ana.sees("need", "edit", "Spiral", "--hours", "3h")
    assert "removed" not in ana.sees("need", "edit", "Spiral", "--hours", "4h")


@pytest.mark.parametrize("amount", ["1 bag", "2 bags", "2 boxes", "1 box"])
def test_one_thing_and_many_are_the_same(ana: Person, amount: str) -> None:
    ana.sees("need", "add", "Soil", "--material", "5 bags", "--material", "5 boxes")
    ana.sees("pledge", "make", "Soil", amount)
    assert ana.type("pledge", "make", "Soil", "1 lag").exit_code == failures.USAGE


@pytest.mark.parametrize("time", [("2 hours",), ("2", "hours"), ("2", "h")])
def test_a_time_in_words_is_taken_wherever_one_is_asked(ana: Person, time: tuple[str, ...]) -> None:
    words = ("--hours", "2..3 hours", "--estimate", "2 hours", "--trigger", "none")
    ana.sees("need", "add", "Roof", *words)
    assert ana.gets("need", "show", "Roof")["estimate"] == 120
    assert "Roof" in ana.sees("need", "fit", *time)
    assert "pledged 2h to" in ana.sees("pledge", "make", "Roof", *time)
    assert ana.gets("pledge", "claim", "Roof", *time)["claimed"] == 120
    assert "wrote down Tea, 2h" in ana.sees("contribution", "add", "Tea", *time)
    assert "is muted until" in ana.sees("notify", "mute", "Roof", "--for", "2 hours")
    for act in ("take", "confirm", "settle"):
        told = ana.type("pledge", act, "Roof", *time).stderr
        assert "no time" not in told
        assert "unexpected" not in told
    assert "unexpected" not in ana.type("contribution", "accept", "4f1c", *time).stderr


def test_hours_a_week_are_written_as_other_hours_are(ana: Person) -> None:
    assert ana.gets("profile", "set", "--hours", "3h") == ana.gets("profile", "set", "--hours", "3")
    assert ana.gets("profile", "set", "--hours", "3 hours")["hours_per_week"] == 3
    assert ana.type("profile", "set", "--hours", "90min").exit_code == failures.USAGE
    assert ana.type("profile", "set", "--hours", "169h").exit_code == failures.USAGE


def test_who_asks_for_a_class_that_no_need_has_is_told_those_there_are(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "1h", "--class", "care")
    assert "care" in ana.sees("need", "list", "--class", "carre")
    assert "carre" not in ana.sees("need", "list", "--class", "care")


def test_what_was_promised_is_told_back_with_its_line_and_when_it_binds(ana: Person) -> None:
    ana.sees("need", "add", "Shelf", "--hours", "4h", "--skill", "2 carriers", "--trigger", "any")
    told = ana.sees("pledge", "make", "Shelf", "1", "--if-others", "1", "--after", "2099-04-30")
    assert "pledged 1 carrier to Shelf, line 2 (pledge " in told
    assert "if 1 other pledges and it closes after 2099-04-30 23:59 " in told
    assert "it binds you when the need closes with any minimum pledged" in told
    ana.sees("need", "add", "Bed", "--hours", "4h", "--trigger", "none")
    assert "it binds you now" in ana.sees("pledge", "make", "Bed", "1h")


def test_each_act_on_a_pledge_tells_how_much_and_of_what(ana: Person) -> None:
    ana.sees("need", "add", "Bed", "--hours", "2h..4h")
    ana.sees("pledge", "make", "Bed", "3h")
    assert ana.sees("pledge", "withdraw", "Bed") == "withdrew 3h from Bed: you owe nothing of it\n"
    ana.sees("pledge", "make", "Bed", "2h")
    ana.sees("need", "close", "Bed")
    assert ana.sees("pledge", "claim", "Bed", "1h") == "claimed 1h of 2h to Bed\n"
    released = ana.sees("pledge", "release", "Bed", "--reason", "my back")
    assert released == "released 1h of Bed: anybody may take it over\n"
    assert "said before: my back" in ana.sees("pledge", "show", "Bed")


def test_a_pledge_that_was_renewed_is_listed_only_if_all_are(ana: Person) -> None:
    ana.sees("need", "add", "Bed", "--hours", "2h", "--skill", "2 cooks")
    for amount in ("1h", "1 cook"):
        ana.sees("pledge", "make", "Bed", amount)
    ana.sees("need", "edit", "Bed", "--hours", "3h", "--skill", "2 cooks")
    old, cook = [made["pledge"] for made in ana.gets("pledge", "list")]
    new = ana.gets("pledge", "renew", old)["pledge"]
    assert [made["pledge"] for made in ana.gets("pledge", "list")] == [cook, new]
    assert ana.gets("pledge", "list", "--all")[0]["renewed_by"] == new
    assert f"outdated, renewed as {new[:8]}" in ana.sees("pledge", "list", "--all")
    assert f"renewed: p2pvalue pledge show {new[:8]}" in ana.sees("pledge", "show", old)
    assert old[:8] not in ana.sees("need", "show", "Bed")
    assert [made["pledge"] for made in ana.gets("pledge", "list", "--state", "offered")] == [new]
    assert "none of 3" in ana.sees("pledge", "list", "--state", "settled")


def test_own_pledges_to_one_need_are_told_apart_by_their_amounts(ana: Person) -> None:
    ana.sees("need", "add", "Bed", "--hours", "9h")
    for amount in ("1h", "90min"):
        ana.sees("pledge", "make", "Bed", amount)
    told = ana.type("pledge", "withdraw", "Bed").stderr
    assert "1h to Bed, offered" in told
    assert "1h30 to Bed, offered" in told


def test_a_list_of_nothing_says_what_to_type(ana: Person) -> None:
    for words in (
        "need list", "need board", "need rank", "pledge list", "pledge plan", "project list",
        "contribution list", "contribution suggest", "thanks list", "notify list", "notify digest",
        "chat list", "invite list", "request list", "document list", "blob list",
    ):  # fmt: skip
        if not ana.gets(*words.split()):
            assert "p2pvalue " in ana.sees(*words.split()), words
    ana.sees("project", "create", "Workshop")
    assert "none of 1: p2pvalue project list" in ana.sees("project", "list", "--mine")


def test_the_next_day_of_a_need_is_in_the_list(ana: Person) -> None:
    ana.sees("need", "add", "Bed", "--hours", "1h", "--trigger", "none")
    assert "BY WHEN" not in ana.sees("need", "list")
    days = ("--closes", "2099-05-30", "--deadline", "2099-06-30")
    ana.sees("need", "add", "Path", "--hours", "1h", *days)
    ana.sees("need", "add", "Gate", "--hours", "1h", "--deadline", "2099-07-31")
    listed = ana.sees("need", "list")
    assert "pledge by 2099-05-30 23:59 " in listed
    assert "do by 2099-07-31 23:59 " in listed


def test_a_pledge_that_is_too_old_when_its_need_closes_is_not_said_to_bind(ana: Person) -> None:
    ana.sees("need", "add", "Feast", "--hours", "2h", "--closes", "2099-05-31")
    told = ana.sees("pledge", "make", "Feast", "1h")
    assert "it does not count" in told
    assert "binds" not in told
    [made] = ana.gets("pledge", "list", "--need", "Feast")
    assert made["state"] == "expired"
    again = f"p2pvalue pledge renew {made['pledge'][:8]}"
    assert again in told
    assert "it does not count" in ana.sees(*again.split()[1:])
    assert ana.gets("pledge", "make", "Feast", "1h")["state"] == "expired"


def test_the_last_day_to_pledge_is_not_said_to_be_when_it_is_due(ana: Person) -> None:
    ana.sees("need", "add", "Bed", "--hours", "1h", "--closes", "2099-05-30", "--trigger", "none")
    ana.sees("need", "add", "Wall", "--hours", "1h", "--deadline", "2099-07-31")
    for title in ("Bed", "Wall"):
        ana.sees("pledge", "make", title, "1h")
    [bed] = [line for line in ana.sees("pledge", "plan").splitlines() if "  Bed  " in line]
    [wall] = [line for line in ana.sees("pledge", "plan").splitlines() if "  Wall  " in line]
    assert "pledges until 2099-05-30 23:59 " in bed
    assert "do by 2099-07-31 23:59 " in wall


def test_all_that_is_claimed_is_confirmed_as_it_was_shown_by_who_is_sure(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        {"act": act, "pledge": pledge * 8, "name": "Eva", "kind": "hours", "unit": "minute"}
        | {"quantity": 60}
        for act, pledge in (("take", "11"), ("confirm", "22"), ("confirm", "33"))
    ]
    said: list[tuple[str, object]] = []

    def post(path: str, **fields: object) -> dict[str, object]:
        said.append((path, fields["quantity"]))
        return {**steps[0], "delivered": fields["quantity"], "need_title": "Roof"}

    monkeypatch.setattr("p2pvalue_cli.connection.get", lambda path, **_: steps)
    monkeypatch.setattr("p2pvalue_cli.connection.post", post)
    asked = ana.type("pledge", "confirm", "--need", "Roof")
    assert (asked.exit_code, said) == (failures.FAILED, [])
    assert asked.stderr.count("1h of Eva") == 2
    assert (
        ana.sees("pledge", "confirm", "--need", "Roof", "--yes").count("counts as delivered") == 2
    )
    assert said == [
        ("/pledges/2222222222222222/confirm", 60),
        ("/pledges/3333333333333333/confirm", 60),
    ]


def test_a_pledge_or_a_need_is_confirmed_and_not_both(ana: Person) -> None:
    for words in ((), ("4f1c", "--need", "Roof")):
        assert ana.type("pledge", "confirm", *words).exit_code == failures.USAGE
    ana.sees("need", "add", "Roof", "--hours", "1h")
    assert ana.gets("pledge", "confirm", "--need", "Roof") == []


def test_an_amount_of_two_words_needs_no_quotes(ana: Person) -> None:
    ana.sees("need", "add", "Beds", "--material", "12 boards")
    assert "pledged 5 boards to Beds" in ana.sees("pledge", "make", "Beds", "5", "boards")
    refused = ana.type("pledge", "make", "Beds", "5", "lamps")
    assert (refused.exit_code, "5 lamps does not fit" in refused.stderr) == (failures.USAGE, True)


def test_who_forgot_quotes_is_told_of_them(ana: Person) -> None:
    refused = ana.type("need", "add", "Beds", "--material", "12", "boards")
    assert refused.exit_code == failures.USAGE
    assert "(boards): put words that belong together between quotes" in refused.stderr


def test_a_need_shows_on_what_an_unmet_pledge_waits(ana: Person) -> None:
    ana.sees("need", "add", "Beds", "--hours", "2h")
    ana.sees("pledge", "make", "Beds", "1h", "--if-others", "2")
    assert ": unmet, if 2 others pledge\n" in ana.sees("need", "show", "Beds")


def test_the_first_day_to_pledge_is_told_until_it_comes(ana: Person) -> None:
    days = ("--opens", "2099-05-01", "--closes", "2099-05-30")
    ana.sees("need", "add", "Path", "--hours", "1h", *days)
    assert "pledge from 2099-05-01 00:00 " in ana.sees("need", "list")
    assert (
        "has not begun: it does on 2099-05-01 00:00 "
        in ana.type("pledge", "make", "Path", "1h").stderr
    )


def test_where_nothing_waits_a_title_says_so(ana: Person) -> None:
    ana.sees("need", "add", "Beds", "--hours", "1h")
    ana.sees("pledge", "make", "Beds", "1h")
    for words in (["confirm"], ["take"], ["dispute", "--reason", "no"]):
        told = ana.type("pledge", words[0], "Beds", *words[1:])
        assert (told.exit_code, "waits for you" in told.stderr) == (failures.FAILED, True)
        assert "p2pvalue pledge list --need Beds" in told.stderr


def test_a_title_means_the_one_pledge_that_binds_and_why_not_is_told_of_it(ana: Person) -> None:
    ana.sees("need", "add", "Beds", "--hours", "2h", "--trigger", "none")
    ana.sees("pledge", "make", "Beds", "1h")
    assert "waits for you" in ana.type("pledge", "confirm", "Beds").stderr, "nobody claimed it"
    ana.sees("pledge", "claim", "Beds")
    for words in (["confirm"], ["settle", "30min"], ["dispute", "--reason", "no"]):
        told = ana.type("pledge", words[0], "Beds", *words[1:])
        assert told.exit_code != 0
        assert "this pledge" in told.stderr, words
    ana.sees("pledge", "make", "Beds", "30min")
    assert "waits for you" in ana.type("pledge", "settle", "Beds", "30min").stderr


def test_who_pledges_more_than_is_asked_for_is_told(ana: Person) -> None:
    ana.sees("need", "add", "Vacuum", "--money", "80EUR..100EUR")
    assert "more than" not in ana.sees("pledge", "make", "Vacuum", "100EUR")
    told = ana.sees("pledge", "make", "Vacuum", "1000EUR")
    assert "with it 1100 EUR are pledged, more than the 100 EUR that are of use" in told
