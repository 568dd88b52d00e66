"""The page of costs says what was measured, and does not call flat what grows."""

from __future__ import annotations

import pytest

from tests.bench.cost_page import COSTS, growth_of, tables, verdict, with_tables


def figures(**at_size: float) -> dict[str, dict[str, object]]:
    """Three turns at each size, in which everything costs about the same figure."""
    keys = [key for cost in COSTS for key in (cost.key, cost.wall_key) if key]
    circumstances = {"commit": "abc1234", "date": "2026-11-22", "machine": "a machine"}
    return {
        size.strip("n"): {
            **circumstances,
            "turns": [{**dict.fromkeys(keys, value * share), "load": 1.0} for share in (0.9, 1, 9)],
        }
        for size, value in at_size.items()
    }


def test_a_cost_is_the_median_of_its_turns() -> None:
    made = tables(figures(n1000=100.0, n10000=120.0))
    assert "| post a message, on the disk | µs CPU | 100 | 120 | 1.20 | flat |" in made


def test_a_cost_that_grows_is_said_to_grow() -> None:
    made = tables(figures(n1000=100.0, n10000=160.0))
    assert "| 100 | 160 | 1.60 | **grows** |" in made
    assert "flat" not in made


@pytest.mark.parametrize(
    ("values", "word"), [([100, 100, 150], "flat"), ([200, 100, 151], "**grows**")]
)
def test_growth_is_from_the_least(values: list[float], word: str) -> None:
    assert verdict(growth_of(values)) == word


def test_sizes_stand_in_the_order_of_their_numbers() -> None:
    made = tables(figures(n10000=1.0, n1000=1.0))
    assert made.index("| 1,000 |") < made.index("| 10,000 |")


def test_words_around_the_tables_are_left_alone() -> None:
    begin, end = "<!-- made by make cost: begin -->", "<!-- end -->"
    page = f"before\n{begin}\nold\n{end}\nafter\n"
    assert with_tables(page, "new") == f"before\n{begin}\n\nnew\n\n{end}\nafter\n"
    with pytest.raises(AssertionError, match="begin"):
        with_tables("no markers", "new")
