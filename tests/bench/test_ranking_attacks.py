"""The page says what attacks on the order of needs gain today."""

from __future__ import annotations

import pytest

from tests.bench.ranking_attacks import ATTACKS, PAGE, gains, page


def test_the_table_of_attacks_is_up_to_date() -> None:
    made_anew = page()
    assert PAGE.read_text("utf-8") == made_anew, "python -m tests.bench.ranking_attacks"


@pytest.mark.parametrize(
    "name",
    [
        "20 guests want it and pledge two hours each",
        "10 pledge two hours each, 91 days ago",
        "a rich member pledges money",
    ],
)
def test_what_the_rules_prevent_gains_nothing_by_any_formula(name: str) -> None:
    assert set(gains(ATTACKS[name]).values()) == {0}


def test_friends_who_always_pledge_together_gain_less_than_once() -> None:
    once = gains(ATTACKS["6 friends pledge two hours each"])
    always = gains(ATTACKS["the same 6 do so at 12 needs, always together"])
    assert always["quadratic"] < once["quadratic"]


@pytest.mark.parametrize("name", ["it is split in two", "it is split in ten"])
def test_splitting_gains_nothing_in_the_quadratic_part(name: str) -> None:
    assert gains(ATTACKS[name])["quadratic"] <= 0
