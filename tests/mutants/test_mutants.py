"""Bent rules are noticed: all of them by `make mutants`, a few here."""

from __future__ import annotations

import pytest

from tests.mutants.checking import is_caught, is_sound
from tests.mutants.mutant import Mutant
from tests.mutants.registry import MUTANTS

CHEAP = ("anybody-removes", "fork-voids", "link-brings-back")


@pytest.mark.parametrize("name", CHEAP)
def test_a_bent_rule_is_noticed(name: str) -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    assert is_caught(mutant)


def test_the_code_as_it_is_passes() -> None:
    assert is_sound({mutant.check for mutant in MUTANTS if mutant.name in CHEAP})


def test_a_change_that_its_check_does_not_notice_is_not_caught() -> None:
    check = "protocol/test_log.py::test_a_run_is_of_one_class"
    harmless = Mutant("harmless", "none", "log", "(plain, 1)", "(plain, 2)", check)
    with pytest.raises(ValueError, match="bring it up to date"):
        is_caught(harmless)
    assert not is_caught(harmless._replace(text="compressobj(1,", becomes="compressobj(2,"))
