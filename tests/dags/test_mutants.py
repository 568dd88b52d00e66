"""Bent rules are noticed; all of them by `make mutants`, a few here."""

from __future__ import annotations

import pytest

from tests.dags.mutants import CORE, MUTANTS, UNBENT, Mutant, is_caught

CHEAP = ("anybody-removes", "fork-voids", "link-brings-back")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_bends_the_code_as_it_is(mutant: Mutant) -> None:
    source = (CORE / f"{mutant.module}.py").read_text(encoding="utf-8")
    assert source.count(mutant.text) == 1, "the code changed: bring the mutant up to date"
    assert mutant.text != mutant.becomes


@pytest.mark.parametrize("name", CHEAP)
def test_a_bent_rule_is_noticed(name: str) -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    assert is_caught(mutant)


def test_the_code_as_it_is_passes() -> None:
    assert not is_caught(UNBENT)


def test_every_rule_has_a_mutant() -> None:
    rules = {mutant.rule.partition(":")[0] for mutant in MUTANTS}
    assert rules >= {*(f"R{n}" for n in range(1, 10)), "G", "FORK", "POLICY", "ADMIT"}
