from __future__ import annotations

import csv
import datetime
import io
import json
from pathlib import Path
from typing import Any

import pytest

from p2pvalue_cli import failures
from p2pvalue_cli.fact_files import csv_text, valueflows_text
from tests.cli.conftest import Person

FUTURE = (datetime.date.today() + datetime.timedelta(days=2)).isoformat()


def test_what_was_done_is_written_down_listed_and_added_up_by_class(ana: Person) -> None:
    told = ana.sees("contribution", "add", "Minutes", "90min", "--class", "care")
    assert "wrote down Minutes, 1h30" in told
    ana.sees("contribution", "add", "Tea", "30min", "--class", "care", "--day", "2026-05-03")
    ana.sees("contribution", "add", "Nails", "20.50EUR")
    listed = ana.sees("contribution", "list")
    assert "care: 2h" in listed
    assert "without class: 20.50 EUR" in listed
    assert listed.index("2026-05-03") < listed.index("Minutes")
    assert "Minutes" not in ana.sees("contribution", "list", "--class", "build")
    found = ana.gets("contribution", "list", "--class", "care")
    assert [one["quantity"] for one in found] == [30, 90]
    ana.sees("contribution", "withdraw", "Tea")
    assert [one["title"] for one in ana.gets("contribution", "list")] == ["Minutes", "Nails"]


def test_what_was_done_is_added_up_by_need_each_unit_by_itself(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "12h")
    for amount in ("90min", "30min", "5EUR", "7USD", "3 planks"):
        ana.sees("contribution", "add", "For the roof", amount, "--need", "Roof")
    ana.sees("contribution", "add", "Tea", "1h")
    told = ana.sees("contribution", "list", "--sum", "need").splitlines()
    assert told[-2:] == ["without need: 1h", "Roof: 2h, 3 planks, 5 EUR, 7 USD"]
    assert len(ana.gets("contribution", "list", "--need", "Roof")) == 5


def test_a_day_beyond_all_calendars_breaks_no_file() -> None:
    found = [done(day=2**53)]
    assert "Minutes" in csv_text(found)
    assert "Minutes" in valueflows_text(found, {"community": "f" * 64, "name": "Garden"})


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "Minutes", "much"), failures.USAGE),
        (("add", "Minutes", "0h"), failures.USAGE),
        (("add", "Minutes", "1h", "--day", FUTURE), failures.USAGE),
        (("add", "Minutes", "1h", "--day", "1066-10-14"), failures.USAGE),
        (("add", "Minutes", "1h", "--need", "Nothing"), failures.NOT_FOUND),
        (("list", "--since", "May"), failures.USAGE),
        (("list", "--member", "Nobody"), failures.NOT_FOUND),
        (("witness", "Nothing"), failures.NOT_FOUND),
        (("accept", "4f1c", "much"), failures.USAGE),
        (("accept", "4f1c", "0h"), failures.USAGE),
        (("accept", "4f1c", "1h"), failures.NOT_FOUND),
        (("dismiss", "4f1c"), failures.NOT_FOUND),
        (("suggest",), 0),
    ],
)
def test_what_cannot_be_written_down_is_explained(
    ana: Person, words: tuple[str, ...], code: int
) -> None:
    result = ana.type("contribution", *words)
    assert (result.exit_code, "Traceback" in result.output) == (code, False)


def test_an_export_writes_over_nothing_unless_forced(ana: Person, tmp_path: Path) -> None:
    ana.sees("contribution", "add", "Minutes", "90min")
    target = tmp_path / "may.csv"
    assert "wrote 1 contribution" in ana.sees("contribution", "export", str(target))
    [row] = csv.DictReader(target.read_text(encoding="utf-8").splitlines())
    assert (row["what"], row["quantity"], row["unit"]) == ("Minutes", "90", "minute")
    assert ana.type("contribution", "export", str(target)).exit_code == failures.FAILED
    ana.sees("contribution", "export", str(target), "--force", "--format", "valueflows")
    assert json.loads(target.read_text())["@graph"][-1]["vf:note"] == "Minutes"
    assert "90,minute" in ana.sees("contribution", "export", "-")
    for name, begins in (("may.json", "{"), ("may.jsonld", "{"), ("may.txt", "day,")):
        ana.sees("contribution", "export", str(tmp_path / name))
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


def done(**fields: Any) -> dict[str, Any]:
    """A contribution as the API tells it."""
    return {
        "contribution": "c" * 32,
        "title": "Minutes",
        "kind": "hours",
        "unit": "minute",
        "quantity": 90,
        "class": "care",
        "need": "",
        "need_title": "",
        "witnesses": [],
        "day": 1_800_000_000_000,
        "member": "a" * 64,
        "name": "Ana",
        **fields,
    }


@pytest.mark.parametrize(
    "evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", '=cmd|"/C calc"!A0']
)
def test_no_cell_is_a_formula(evil: str) -> None:
    person = {"member": "b" * 64, "name": evil}
    first = done(title=evil, name=evil, unit=evil, need_title=evil, witnesses=[person])
    text = csv_text([first, done(**{"class": evil})])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    cells = [cell for row in rows for cell in row]
    assert cells.count(f"'{evil}") == 6
    assert not [cell for cell in cells if cell.strip()[:1] in tuple("=+-@\uff1d")]


def test_events_say_what_kind_of_flow_it_was_in_units_that_others_know() -> None:
    person = {"member": "b" * 64, "name": "Bea"}
    found = [
        done(need="d" * 32, need_title="Roof", witnesses=[person]),
        done(kind="money", unit="EUR", quantity=2_050, contribution="e" * 32),
        done(kind="skill", unit="carpenter", quantity=1),
        done(kind="material", unit="planks", quantity=5, day=2**53),
    ]
    whole = json.loads(valueflows_text(found, {"community": "f" * 64, "name": "Garden"}))
    here = f"urn:p2pvalue:{'f' * 64}"
    kinds = [node["@type"] for node in whole["@graph"]]
    assert kinds == [
        *("vf:Organization", "vf:Person", "vf:Person", "vf:Intent"),
        *["vf:EconomicEvent"] * 4,
    ]
    work, money, skill, things = whole["@graph"][4:]
    assert work == {
        "@id": f"{here}:{'c' * 32}",
        "@type": "vf:EconomicEvent",
        "vf:action": {"@id": "vf:work"},
        "vf:provider": {"@id": f"{here}:{'a' * 64}"},
        "vf:receiver": {"@id": here},
        "vf:effortQuantity": {
            "@type": "om2:Measure",
            "om2:hasUnit": {"@id": "om2:minute-Time"},
            "om2:hasNumericalValue": {"@type": "xsd:decimal", "@value": "90"},
        },
        "vf:hasPointInTime": {"@type": "xsd:dateTimeStamp", "@value": "2027-01-15T08:00:00Z"},
        "vf:note": "Minutes",
        "vf:resourceClassifiedAs": "care",
        "vf:satisfies": {"@id": f"{here}:{'d' * 32}"},
    }
    assert [one["vf:action"]["@id"] for one in (money, skill, things)] == [
        *("vf:transfer", "vf:deliverService", "vf:transfer"),
    ]
    quantity = money["vf:resourceQuantity"]
    assert quantity["om2:hasNumericalValue"]["@value"] == "20.50"
    assert money["vf:resourceConformsTo"]["vf:name"] == "EUR"


def test_the_example_of_thanks_without_any_says_how_to_give_some(ana: Person) -> None:
    assert "p2pvalue thanks give" in ana.sees("thanks", "list")
    assert ana.type("thanks", "give", "Nobody", "for all").exit_code == failures.NOT_FOUND
