from __future__ import annotations

import pytest

from p2pvalue_cli import failures
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


def test_an_edit_says_which_amounts_it_removed(ana: Person) -> None:
    ana.sees("need", "add", "Spiral", "--hours", "2h", "--material", "40 stones")
    assert "removed: 40 stones" in ana.sees("need", "edit", "Spiral", "--hours", "3h")
    assert "removed" not in ana.sees("need", "edit", "Spiral", "--hours", "4h")


@pytest.mark.parametrize("amount", ["1 bag", "2 bags", "2 boxes", "1 box"])
def test_one_thing_and_many_are_the_same(ana: Person, amount: str) -> None:
    ana.sees("need", "add", "Soil", "--material", "5 bags", "--material", "5 boxes")
    ana.sees("pledge", "make", "Soil", amount)
    assert ana.type("pledge", "make", "Soil", "1 lag").exit_code == failures.USAGE


def test_hours_a_week_are_written_as_other_hours_are(ana: Person) -> None:
    assert ana.gets("profile", "set", "--hours", "3h") == ana.gets("profile", "set", "--hours", "3")
    assert ana.type("profile", "set", "--hours", "169h").exit_code == failures.USAGE


def test_who_asks_for_a_class_that_no_need_has_is_told_those_there_are(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "1h", "--class", "care")
    assert "care" in ana.sees("need", "list", "--class", "carre")
    assert "carre" not in ana.sees("need", "list", "--class", "care")
