"""Tries the deliberate faults and prints which check caught each: `make mutants`.

    python -m tests.mutants.run [NAME ...]

Stopped and started again with the same `--resume` it goes on where it was, as long as the code is
the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.checking import is_caught, is_sound
from tests.mutants.mutant import Mutant
from tests.mutants.registry import MUTANTS
from tests.mutants.tree_copy import ROOT, digest_of

JOBS = 2


class Done:
    """The mutants that were caught in this very code, remembered in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._code = digest_of(ROOT, "protocol") + digest_of(ROOT, "tests")
        lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else ()
        self.names = {line.split()[1] for line in lines if line.startswith(self._code)}

    def add(self, name: str) -> None:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{self._code} {name}\n")


def main() -> int:
    """Try the mutants; 1 if one survives or does not apply, or a check fails without any."""
    parser = argparse.ArgumentParser(description="See that every bent rule is noticed.")
    parser.add_argument("names", nargs="*", help="of mutants; all if none is named")
    parser.add_argument("--resume", type=Path, help="file that remembers what was caught")
    given = parser.parse_args()
    done = Done(given.resume)
    chosen = [m for m in MUTANTS if m.name in given.names or not given.names]
    left = [mutant for mutant in chosen if mutant.name not in done.names]
    if not is_sound(sorted({mutant.check for mutant in left})):
        print("a check fails on the code as it is: mend that first")
        return 1
    failed = 0
    for mutant, verdict in _tried(left):
        failed += verdict != "caught"
        print(f"{mutant.name}: {verdict} by {mutant.check} ({mutant.rule})", flush=True)
        if verdict == "caught":
            done.add(mutant.name)
    print(f"{len(chosen)} faults, {len(chosen) - failed} caught")
    return 1 if failed else 0


def _tried(mutants: Iterable[Mutant]) -> Iterable[tuple[Mutant, str]]:
    mutants = list(mutants)
    with ThreadPoolExecutor(JOBS) as pool:
        yield from zip(mutants, pool.map(_verdict, mutants), strict=True)


def _verdict(mutant: Mutant) -> str:
    try:
        return "caught" if is_caught(mutant) else "SURVIVES, not noticed"
    except ValueError as error:
        return f"FAILS: {error}"


if __name__ == "__main__":
    sys.exit(main())
