"""What can have stood beside each other is found in few hops, and is what walking would find."""

from __future__ import annotations

from math import log2
from random import Random

import pytest

from p2pvalue_protocol.documents import chains
from p2pvalue_protocol.documents.chains import may_be_neighbours, run_of, settle, settling
from p2pvalue_protocol.documents.steps import finish
from p2pvalue_protocol.documents.strands import Branch, Char, Node, Run, Strand

TEXT = Node(-1, 0)
LONG = 20_000


def strands_of(count: int) -> list[Strand]:
    branch = Branch(0, bytes(32), lambda branch, seq: bytes(32))
    return [Strand(branch, number, number, None, 0) for number in range(count)]


class Written:
    """Runs as somebody might have written them, and all their units."""

    def __init__(self, strands: int) -> None:
        self.strands = strands_of(strands)
        self.units: list[Char] = []
        self._ends = dict.fromkeys(self.strands, 0)

    def write(self, strand: Strand, origin: Char | None, length: int) -> None:
        clock = self._ends[strand]
        run = Run(TEXT, None, origin)
        strand.add(clock, run)
        settle(run, None if origin is None else run_of(origin))
        self._ends[strand] = clock + length
        self.units += [(strand, at) for at in range(clock, clock + length)]


def by_chance(rng: Random, count: int) -> Written:
    written = Written(3)
    for _ in range(count):
        near = written.units[-rng.choice([1, 2, 10, 1_000]) :]
        origin = rng.choice(near) if near and rng.random() < 0.95 else None
        written.write(rng.choice(written.strands), origin, rng.randint(1, 3))
    return written


def left_of(char: Char) -> Char | None:
    strand, clock = char
    at = strand.run_of(clock)
    return strand.runs[at].origin if strand.run_starts[at] == clock else (strand, clock - 1)


def chain(char: Char | None) -> list[Char]:
    found = []
    while char is not None:
        found.append(char)
        char = left_of(char)
    return found


def as_the_page_says(origin: Char | None, right: Char) -> bool:
    left, units = left_of(right), chain(origin)
    if right in units:
        return False
    return left in units if origin is not None and left is not None else left is None


@pytest.mark.parametrize("seed", range(6))
def test_what_may_stand_beside_each_other_is_what_walking_along_the_chain_says(seed: int) -> None:
    print(f"seed {seed}")
    rng = Random(seed)
    written = by_chance(rng, 150)
    answers = set()
    for _ in range(1_500):
        right = rng.choice(written.units)
        near = [*chain(right), *chain(rng.choice(written.units)), None]
        origin = rng.choice(near if rng.random() < 0.7 else [*written.units, None])
        expected = as_the_page_says(origin, right)
        assert may_be_neighbours(origin, right) == expected
        answers.add(expected)
    assert answers == {True, False}


def test_runs_are_settled_alike_in_whatever_order_they_come_back() -> None:
    written = by_chance(Random(7), 400)
    runs = [run for strand in written.strands for run in strand.runs]
    before = [(run.depth, run.jump) for run in runs]
    for run in runs:
        run.depth, run.jump = -1, None
    finish(settling(written.strands[::-1]))
    assert [(run.depth, run.jump) for run in runs] == before


def test_the_longest_chain_is_gone_along_in_few_hops(monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written(2)
    for number in range(LONG):  # two who take turns letter by letter, then one who began after none
        written.write(written.strands[number % 2], written.units[-1] if number else None, 1)
    first, last = written.units[0], written.units[-1]
    written.write(written.strands[0], first, 1)
    beside = written.units[-1]
    hops = 0

    def counted(char: Char) -> Run:
        nonlocal hops
        hops += 1
        return run_of(char)

    monkeypatch.setattr(chains, "run_of", counted)
    assert may_be_neighbours(last, beside)
    assert not may_be_neighbours(last, written.units[LONG // 2])
    assert 0 < hops <= 6 * log2(LONG)
