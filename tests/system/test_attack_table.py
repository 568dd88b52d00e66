"""The page of attacks names what exists, and leaves out none that is run."""

from __future__ import annotations

import re

from tests.network.attacks import attackers
from tests.system import test_join_attacks, test_network_attacks, test_sync_attacks
from tests.tidy.tree import ROOT, functions

SHOWN_BY = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def named() -> set[tuple[str, str]]:
    text = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")
    return set(SHOWN_BY.findall(text))


def test_every_attack_on_the_page_is_shown_by_something_that_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in sorted(named())
        if name not in {function.name for function in functions(ROOT / path)}
    ]
    assert named()
    assert missing == []


def test_every_attack_that_is_run_stands_on_the_page() -> None:
    run = {attack.__name__ for attack in (*test_join_attacks.ATTACKS, *test_sync_attacks.ATTACKS)}
    run |= set(test_network_attacks.BY_NAME)
    assert run - {name for _, name in named()} == set()


def test_every_attack_on_the_network_room_is_run_on_a_daemon() -> None:
    grouped = [name for group in test_network_attacks.GROUPS for name in group]
    everything = (*attackers.WITHOUT_RANDOMNESS, *attackers.WITH_RANDOMNESS)
    assert sorted(grouped) == sorted(attack.__name__ for attack in everything)
