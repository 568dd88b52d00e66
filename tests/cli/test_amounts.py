"""Amounts as people write them."""

from __future__ import annotations

import pytest

from p2pvalue.amounts import written
from p2pvalue_cli.amounts import BadAmount, Line, LineKind, parse_line, parse_quantity


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("12h", 720),
        ("12 h", 720),
        ("1h30", 90),
        ("1h 30min", 90),
        ("1:30", 90),
        ("1.5h", 90),
        ("1,5h", 90),
        ("90min", 90),
        ("90 m", 90),
        ("2 hours", 120),
        ("1 hour 30 minutes", 90),
        ("1,5 Std.", 90),
        ("3stunden", 180),
        ("90 Minuten", 90),
    ],
)
def test_a_time_is_minutes(text: str, minutes: int) -> None:
    assert parse_quantity("hours", text) == (minutes, "minute")


@pytest.mark.parametrize(
    ("text", "cents", "unit"),
    [
        ("200EUR", 20_000, "EUR"),
        ("200 eur", 20_000, "EUR"),
        ("99.50EUR", 9_950, "EUR"),
        ("99,50 €", 9_950, "EUR"),
        ("€99", 9_900, "EUR"),
        ("$ 1.05", 105, "USD"),
        ("7 GBP", 700, "GBP"),
    ],
)
def test_a_sum_is_cents(text: str, cents: int, unit: str) -> None:
    assert parse_quantity("money", text) == (cents, unit)


@pytest.mark.parametrize(
    ("kind", "text", "line"),
    [
        ("hours", "12h..20h", Line("hours", "minute", 720, 1200)),
        ("hours", "12..20h", Line("hours", "minute", 720, 1200)),
        ("hours", "2..3 hours", Line("hours", "minute", 120, 180)),
        ("hours", "12h", Line("hours", "minute", 720, 720)),
        ("money", "200..300EUR", Line("money", "EUR", 20_000, 30_000)),
        ("material", "30..50 planks", Line("material", "planks", 30, 50)),
        ("material", "30 long planks", Line("material", "long planks", 30, 30)),
        ("skill", "1 carpenter", Line("skill", "carpenter", 1, 1)),
    ],
)
def test_a_line_has_a_minimum_and_an_optimum(kind: LineKind, text: str, line: Line) -> None:
    assert parse_line(kind, text) == line


@pytest.mark.parametrize(
    ("text", "meant"), [("3", "3h"), ("3 planks", "for example"), ("much", "for example")]
)
def test_a_time_without_its_unit_is_answered_with_how_it_is_written(text: str, meant: str) -> None:
    with pytest.raises(BadAmount, match=f"write {meant}"):
        parse_quantity("hours", text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("hours", "12"),
        ("hours", "-3h"),
        ("hours", "h"),
        ("hours", "20h..12h"),
        ("hours", ".."),
        ("money", "200"),
        ("money", "1.5EUR"),
        ("money", "1.505 EUR"),
        ("money", "10EUR..20USD"),
        ("material", "30"),
        ("material", "planks"),
        ("skill", ""),
    ],
)
def test_what_cannot_be_read_is_answered_with_an_example(kind: LineKind, text: str) -> None:
    with pytest.raises(BadAmount, match=r"write|use one unit"):
        parse_line(kind, text)


@pytest.mark.parametrize("minutes", [0, 1, 59, 60, 61, 90, 600, 1439])
def test_a_time_that_was_written_reads_the_same(minutes: int) -> None:
    assert parse_quantity("hours", written("hours", "minute", minutes)) == (minutes, "minute")


@pytest.mark.parametrize("cents", [0, 5, 99, 100, 12_345])
def test_a_sum_that_was_written_reads_the_same(cents: int) -> None:
    assert parse_quantity("money", written("money", "EUR", cents)) == (cents, "EUR")


@pytest.mark.parametrize("text", ["2.5 kg sand", "2,5 kg", "2-5 kg"])
def test_parts_of_things_are_not_taken_for_their_name(text: str) -> None:
    with pytest.raises(BadAmount, match="no number of things"):
        parse_quantity("material", text)
