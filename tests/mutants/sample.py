"""Bends the core in many small ways and counts what its tests notice: `make mutation`.

    python -m tests.mutants.sample --sample 1000 --seed 1
    python -m tests.mutants.sample --module verdicts
    python -m tests.mutants.sample --sample 1000 --seed 1 --survivors    with the tests of today

Works in a copy below `build/mutation`, which stays as it is until `--fresh`: a run that was stopped
goes on where it was. What survives is to be judged in docs/survivors.md, in the words printed here.
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

from tests.mutants.covering import read_covering
from tests.mutants.judging import Judge, Verdict
from tests.mutants.mutations import Mutation, modules, mutated, mutations_of, source_file
from tests.mutants.tree_copy import FOLDERS, ROOT, copy_tree, digest_of, run_in, unbend

FIRST_S, REST_S = 2.0, 6.0
SHOWN_EVERY_S = 30
JUDGED_PAGE = Path("docs") / "survivors.md"
_INSIDE = "P2PVALUE_MUTATION_FOLDER"


class Given(NamedTuple):
    """What the command line asks for."""

    sample: int
    seed: int
    module: str
    survivors: bool
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
    parser.add_argument("--fresh", action="store_true", help="forget the copy and what was judged")
    given = Given(**vars(parser.parse_args()))
    inside = os.environ.get(_INSIDE)
    if inside is not None:
        return _judge_all(given, Path(inside))
    folder = ROOT / "build" / "mutation"
    tree, covering = folder / "tree", folder / "covering.json"
    if given.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    unbend(folder)
    if not tree.exists():
        copy_tree(tree)
    elif given.survivors:
        shutil.rmtree(tree / "tests")
        shutil.copytree(ROOT / "tests", tree / "tests")
        covering.unlink(missing_ok=True)
    if not covering.exists():
        print("finding out which test runs what: some minutes", flush=True)
        if run_in(tree, ["tests.mutants.covering", str(covering)]):
            return 1
    os.environ[_INSIDE] = str(folder)
    return run_in(tree, ["tests.mutants.sample", *sys.argv[1:]])


def _judge_all(given: Given, folder: Path) -> int:
    record = Record(folder / f"{given.name}.jsonl")
    rest_s = float("inf") if given.survivors else REST_S
    judge = Judge(read_covering(folder / "covering.json"), first_s=FIRST_S, rest_s=rest_s)
    order = _in_order(given, folder)
    by_name = {mutation.name: mutation for mutation in order}
    for name, verdict in record.verdicts.items():
        if verdict.test and name in by_name:
            judge.note_kill(by_name[name].module, verdict.test)
    names: list[str] = []
    judged = _judged(folder)
    shown = time.monotonic()
    print(f"of {len(order):,} mutants of the core {digest_of(ROOT, FOLDERS[0])}", flush=True)
    for mutation in order:
        if not given.module and len(names) >= given.sample:
            break
        known = record.verdicts.get(mutation.name)
        if known is None or (given.survivors and _is_open(mutation, known, judged)):
            source = mutated(ROOT, mutation)
            lines = range(mutation.line, mutation.line + 1)
            known = Verdict("invalid")
            if source is not None:
                known = judge.judge(mutation.module, lines, source)
            record.add(mutation, known)
        if known.outcome != "invalid":
            names.append(mutation.name)
        if time.monotonic() - shown >= SHOWN_EVERY_S:
            shown = time.monotonic()
            print(_counts(record.outcomes(names)), flush=True)
    print(_counts(record.outcomes(names)))
    survivors = [by_name[name] for name in names if record.verdicts[name].outcome == "survived"]
    return 1 if _show(survivors, folder) else 0


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


def _counts(outcomes: Counter[str]) -> str:
    noticed = outcomes["killed"] + outcomes["timed-out"]
    judged = noticed + outcomes["survived"]
    share = 100 * noticed / judged if judged else 0.0
    return (
        f"{judged:,} judged: {outcomes['killed']:,} killed, {outcomes['timed-out']} timed out, "
        f"{outcomes['survived']} survive; {share:.1f} % noticed"
    )


def _show(survivors: list[Mutation], folder: Path) -> int:
    """Print what survives; return how many of these nobody has judged."""
    judged = _judged(folder)
    unjudged = 0
    for mutation in sorted(survivors):
        words = shown(mutation)
        is_judged = words in judged
        unjudged += not is_judged
        print(f"{'judged' if is_judged else 'NOT JUDGED'} {mutation.line}: {words}")
    return unjudged


def _judged(folder: Path) -> str:
    """Return the page on which survivors are judged."""
    page = folder.parents[1] / JUDGED_PAGE
    return page.read_text(encoding="utf-8") if page.exists() else ""


def _is_open(mutation: Mutation, known: Verdict, judged: str) -> bool:
    """Return whether a mutant survived that no page says nothing can notice."""
    return known.outcome == "survived" and shown(mutation) not in judged


def shown(mutation: Mutation) -> str:
    """Return a mutant as the page of survivors has it: module, a line, and what it becomes."""
    source = source_file(ROOT, mutation.module).read_text(encoding="utf-8").splitlines()
    becomes = (mutated(ROOT, mutation) or "").splitlines()
    pairs = zip(source, becomes, strict=False)
    old, new = next(pair for pair in pairs if pair[0] != pair[1])
    return f"`{mutation.module}`: `{' '.join(old.split())}` → `{' '.join(new.split())}`"


if __name__ == "__main__":
    sys.exit(main())
