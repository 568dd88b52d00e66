"""No rule without a deliberate fault: who adds a rule to a page adds the fault and its check."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest

from tests.mutants.checking import does_apply
from tests.mutants.mutant import DAGS, Mutant
from tests.mutants.registry import MUTANTS
from tests.mutants.rules import NO_RULE, rule_names, sections
from tests.tidy.tree import ROOT


def unbent(rules: set[str], mutants: tuple[Mutant, ...]) -> set[str]:
    """Return the rules that no mutant bends."""
    return rules - {rule for mutant in mutants for rule in mutant.rules}


def has_test(check: str) -> bool:
    """Return whether a check is the search, or a test that is there."""
    file, _, test = check.partition("::")
    if check == DAGS:
        return True
    path = ROOT / "tests" / file
    name = re.escape(test.partition("[")[0])
    return path.is_file() and re.search(rf"^def {name}\(", path.read_text(), re.M) is not None


def test_every_check_that_names_one_case_of_a_test_names_a_case_there_is() -> None:
    cases = [f"tests/{mutant.check}" for mutant in MUTANTS if "[" in mutant.check]
    collect = ["pytest", "-q", "--collect-only", "-p", "no:cacheprovider", *sorted(set(cases))]
    said = subprocess.run(
        [sys.executable, "-m", *collect],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr


def test_every_rule_of_the_protocol_has_a_mutant() -> None:
    assert sorted(unbent(rule_names(), MUTANTS)) == []


def test_a_rule_without_a_mutant_is_noticed() -> None:
    without = tuple(mutant for mutant in MUTANTS if "R4" not in mutant.rules)
    assert unbent(rule_names(), without) == {"R4"}
    assert unbent({*rule_names(), "R11"}, MUTANTS) == {"R11"}


def test_the_rules_are_read_from_the_pages() -> None:
    some = {"R1", "R10", "Gone", "too-long", "CLAIMS_MAX", "kinds/chat", "sync#wants"}
    assert some <= rule_names()
    assert sections() >= NO_RULE


def test_every_mutant_bends_a_rule_that_there_is() -> None:
    assert {rule for mutant in MUTANTS for rule in mutant.rules} <= rule_names()


def test_every_mutant_has_a_name_of_its_own() -> None:
    assert [name for name, n in Counter(m.name for m in MUTANTS).items() if n > 1] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_bends_the_code_as_it_is_and_names_its_check(mutant: Mutant) -> None:
    assert does_apply(mutant), "the code changed: bring the mutant up to date"
    assert has_test(mutant.check), "the check is gone: name another"
