"""One target, fuzzed for some seconds in this process.

Atheris guides by coverage: it changes the code of what is imported under it, so nothing of the
project may be imported before. Where it is not installed, inputs are mutated at random, and those
that were accepted are mutated again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

INSTRUMENTED = ["p2pvalue", "p2pvalue_protocol"]
WEIGHED_EVERY = 64
_POOL_MAX = 5_000
_MUTATED_BY_US = 0.5  # of inputs; the library changes the others
_INPUT_S_MAX = 600  # of wall time: this ends what hangs, the budget finds what is slow
_RSS_MB_MAX = 2_048


def has_atheris() -> bool:
    """Whether inputs can be guided by coverage."""
    return find_spec("atheris") is not None


def fuzz(target_name: str, seconds: int, folder: Path, seed: int) -> None:
    """Fuzz one target; what it finds is written to `folder`, and ends the process.

    The last line on stderr that begins with "figures:" tells how many inputs ran.
    """
    guide = _atheris()
    with guide.instrument_imports(include=INSTRUMENTED) if guide is not None else nullcontext():
        from tests.fuzz import inputs, table
        from tests.fuzz.target import steady_work, try_input
    target = table.target_named(target_name)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in inputs.beginnings(target):
        inputs.keep(folder, "corpus", data)
    runs = 0

    def test_one(data: bytes) -> None:
        nonlocal runs
        runs += 1
        try_input(target, data, weighs=runs % WEIGHED_EVERY == 0)

    if guide is None:
        _unguided(target, test_one, seconds, folder, seed)
    else:
        guide.instrument_func(steady_work)  # or a unit would be one of faster code
        _guided(guide, target, test_one, seconds, folder, seed)


def _atheris() -> Any:
    return import_module("atheris") if has_atheris() else None


def _guided(
    atheris: Any,
    target: Any,
    test_one: Callable[[bytes], None],
    seconds: int,
    folder: Path,
    seed: int,
) -> None:
    from tests.fuzz.mutation import mutate

    def change(data: bytes, bytes_max: int, drawn: int) -> bytes:
        rng = Random(drawn)
        if rng.random() < _MUTATED_BY_US:
            changed = mutate(data, data, rng, bytes_max, target.shape)
        else:
            changed = atheris.Mutate(data, bytes_max)
        return changed

    options = [
        f"-max_total_time={seconds}",
        f"-max_len={target.bytes_max}",
        f"-timeout={_INPUT_S_MAX}",
        f"-rss_limit_mb={_RSS_MB_MAX}",
        f"-seed={seed % 2**31 + 1}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-len_control=20",
    ]
    arguments = [sys.argv[0], *options, str(folder / "corpus")]
    atheris.Setup(arguments, test_one, custom_mutator=change)
    atheris.Fuzz()


def _unguided(
    target: Any, test_one: Callable[[bytes], None], seconds: int, folder: Path, seed: int
) -> None:
    from tests.fuzz import inputs
    from tests.fuzz.mutation import mutate

    rng = Random(seed)
    pool = [path.read_bytes() for path in sorted((folder / "corpus").iterdir())]
    count, until_s = 0, process_time() + seconds
    while process_time() < until_s:
        data = mutate(rng.choice(pool), rng.choice(pool), rng, target.bytes_max, target.shape)
        try:
            test_one(data)
        except BaseException:
            path = inputs.keep(folder, "findings", data)
            print(f"finding: {path}", file=sys.stderr, flush=True)
            raise
        finally:
            count += 1
        if len(pool) < _POOL_MAX and target.run(data):
            pool.append(data)
    print(f"stat::number_of_executed_units: {count}", file=sys.stderr)
