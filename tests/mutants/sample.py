"""Bends the core in many small ways and counts what its tests notice: `make mutation`.

    python -m tests.mutants.sample --sample 1000 --seed 1
    python -m tests.mutants.sample --module verdicts
    python -m tests.mutants.sample --sample 1000 --seed 1 --survivors    with the tests of today

Works in a copy below `build/mutation`, which stays as it is until `--fresh`: a run that was stopped
goes on where it was. What survives is to be judged in docs/survivors.md, in the words printed here.
Two shares are printed: what is noticed of all, and the score, without what that page judges to be
equivalent.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tests.mutants.covering import files_affected, read_covering
from tests.mutants.judging import Judge, Verdict
from tests.mutants.mutations import Mutation, modules, mutated, mutations_of
from tests.mutants.survivors import JUDGED_PAGE, Page, read_page, shown
from tests.mutants.tree_copy import (
    FOLDERS,
    ROOT,
    changed_files,
    copy_tree,
    digest_of,
    run_in,
    unbend,
)

FIRST_S, REST_S = 2.0, 6.0
SHOWN_EVERY_S = 30
COVERING, BEFORE, CHANGED = "covering.json", "covering-before.json", "changed-tests.txt"
_INSIDE = "P2PVALUE_MUTATION_FOLDER"


class Given(NamedTuple):
    """What the command line asks for."""

    sample: int
    seed: int
    module: str
    survivors: bool
    seconds: float
    fresh: bool

    @property
    def name(self) -> str:
        return f"module-{self.module.replace('/', '-')}" if self.module else f"seed-{self.seed}"


class Record:
    """What was judged so far, kept in a file line by line; of one mutant the last line counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.verdicts: dict[str, Verdict] = {}
        if file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                name, outcome, test = json.loads(line)
                self.verdicts[name] = Verdict(outcome, test)

    def add(self, mutation: Mutation, verdict: Verdict) -> None:
        self.verdicts[mutation.name] = verdict
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps([mutation.name, *verdict]) + "\n")

    def outcomes(self, names: list[str]) -> Counter[str]:
        return Counter(self.verdicts[name].outcome for name in names if name in self.verdicts)


def main() -> int:
    """Do what the arguments say, in the copy; 1 if something survives that nobody has judged."""
    parser = argparse.ArgumentParser(description="Count which small faults the tests notice.")
    parser.add_argument("--sample", type=int, default=1_000, help="how many, drawn from all")
    parser.add_argument("--seed", type=int, default=1, help="decides which are drawn")
    parser.add_argument("--module", default="", help="all of one module instead, as kinds/chat")
    parser.add_argument("--survivors", action="store_true", help="try those again, with new tests")
    parser.add_argument("--seconds", type=float, default=0.0, help="of tests on each; 0: as usual")
    parser.add_argument("--fresh", action="store_true", help="forget the copy and what was judged")
    given = Given(**vars(parser.parse_args()))
    inside = os.environ.get(_INSIDE)
    if inside is not None:
        return _judge_all(given, Path(inside))
    folder = ROOT / "build" / "mutation"
    tree, covering = folder / "tree", folder / COVERING
    if given.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    unbend(folder)
    if not tree.exists():
        copy_tree(tree)
    elif given.survivors and _take_tests_of_today(folder, tree):
        return 1
    if not covering.exists():
        print("finding out which test runs what: some minutes", flush=True)
        if run_in(tree, ["tests.mutants.covering", str(covering)]):
            return 1
    os.environ[_INSIDE] = str(folder)
    return run_in(tree, ["tests.mutants.sample", *sys.argv[1:]])


def _take_tests_of_today(folder: Path, tree: Path) -> int:
    """Copy the tests if they changed, and find out what those of the core run that did; 0 if so."""
    found = changed_files(ROOT / "tests", tree / "tests")
    if not found:
        return 0
    covering, before, changed = (folder / name for name in (COVERING, BEFORE, CHANGED))
    anew = files_affected(ROOT, {*_lines_of(changed), *(f"tests/{file}" for file in found)})
    is_known = covering.exists()
    if is_known:
        covering.replace(before)
    shutil.rmtree(tree / "tests")
    shutil.copytree(ROOT / "tests", tree / "tests")
    changed.write_text("\n".join(anew), encoding="utf-8")
    if not is_known:
        return 0
    print("finding out what the tests run that changed", flush=True)
    if anew:
        return run_in(tree, ["tests.mutants.covering", str(covering), str(before), *anew])
    before.replace(covering)
    return 0


def _judge_all(given: Given, folder: Path) -> int:
    record = Record(folder / f"{given.name}.jsonl")
    rest_s = given.seconds or (float("inf") if given.survivors else REST_S)
    judge = Judge(
        read_covering(folder / COVERING),
        first_s=FIRST_S,
        rest_s=rest_s,
        newest=frozenset(_lines_of(folder / CHANGED)),
    )
    order = _in_order(given, folder)
    by_name = {mutation.name: mutation for mutation in order}
    for name, verdict in record.verdicts.items():
        if verdict.test and name in by_name:
            judge.note_kill(by_name[name].module, verdict.test)
    names: list[str] = []
    page = read_page(folder.parents[1] / JUDGED_PAGE)
    shown_at = time.monotonic()
    print(f"of {len(order):,} mutants of the core {digest_of(ROOT, FOLDERS[0])}", flush=True)
    for mutation in order:
        if not given.module and len(names) >= given.sample:
            break
        known = record.verdicts.get(mutation.name)
        if known is None or (given.survivors and _is_open(mutation, known, page)):
            source = mutated(ROOT, mutation)
            lines = range(mutation.line, mutation.line + 1)
            known = Verdict("invalid")
            if source is not None:
                known = judge.judge(mutation.module, lines, source)
            record.add(mutation, known)
        if known.outcome != "invalid":
            names.append(mutation.name)
        if time.monotonic() - shown_at >= SHOWN_EVERY_S:
            shown_at = time.monotonic()
            print(counts(record.outcomes(names), 0), flush=True)
    survivors = [
        (by_name[name], shown(by_name[name]))
        for name in names
        if record.verdicts[name].outcome == "survived"
    ]
    print(counts(record.outcomes(names), sum(words in page.equivalent for _, words in survivors)))
    return 1 if _show(survivors, page) else 0


def _in_order(given: Given, folder: Path) -> list[Mutation]:
    """Return what to judge: all of a module, or all of the core, in an order of the seed's own.

    By hashes: what is left out or comes to it later changes nothing in the order of the others.
    """
    if given.module:
        return mutations_of(ROOT, given.module)
    kept = folder / "mutations.json"
    if not kept.exists():
        found = [mutation for module in modules(ROOT) for mutation in mutations_of(ROOT, module)]
        kept.write_text(json.dumps(found), encoding="utf-8")
    every = [Mutation(*fields) for fields in json.loads(kept.read_text(encoding="utf-8"))]
    return sorted(every, key=lambda m: sha256(f"{given.seed} {m.name}".encode()).digest())


def counts(outcomes: Counter[str], equivalent: int) -> str:
    """Return in words the share noticed of all, and of those that are not equivalent: the score."""
    noticed = outcomes["killed"] + outcomes["timed-out"]
    judged = noticed + outcomes["survived"]
    return (
        f"{judged:,} judged: {outcomes['killed']:,} killed, {outcomes['timed-out']} timed out, "
        f"{outcomes['survived']} survive, {equivalent} of them equivalent; "
        f"{_percent(noticed, judged)} noticed of all, "
        f"score {_percent(noticed, judged - equivalent)} without the equivalent"
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0.0:.1f} %"


def _show(survivors: list[tuple[Mutation, str]], page: Page) -> int:
    """Print what survives, by what the page says of it; return how many nobody has judged."""
    unjudged = 0
    for mutation, words in sorted(survivors):
        says = page.says_of(words)
        unjudged += not says
        print(f"{says or 'NOT JUDGED'} {mutation.line}: {words}")
    return unjudged


def _lines_of(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _is_open(mutation: Mutation, known: Verdict, page: Page) -> bool:
    """Return whether a mutant survived that a test could notice."""
    return known.outcome == "survived" and shown(mutation) not in page.equivalent


if __name__ == "__main__":
    sys.exit(main())
