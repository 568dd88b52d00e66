"""Bends the core in a copy, and asks a check whether it notices."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.mutant import DAGS, Mutant
from tests.mutants.mutations import PACKAGE, source_file
from tests.mutants.tree_copy import ROOT, environment

DAGS_MAX = 30_000  # random histories; the rarest fault needs a few thousand
DAGS_UNBENT = 500
_SEEN, _UNSEEN = 1, 0  # how a check ends that fails, and one that passes


def does_apply(mutant: Mutant) -> bool:
    """Return whether a mutant bends the core as it is: its text stands once in its module."""
    source = source_file(ROOT, mutant.module).read_text(encoding="utf-8")
    return source.count(mutant.text) == 1 and mutant.text != mutant.becomes


def is_caught(mutant: Mutant) -> bool:
    """Return whether its check notices a mutant; ValueError if it cannot say."""
    if not does_apply(mutant):
        raise ValueError(f"{mutant.name} does not apply to {mutant.module}: bring it up to date")
    with _copy_of_core() as folder:
        module = folder / PACKAGE.name / f"{mutant.module}.py"
        source = module.read_text(encoding="utf-8")
        module.write_text(source.replace(mutant.text, mutant.becomes), encoding="utf-8")
        Path(cache_from_source(str(module))).unlink(missing_ok=True)
        return _fails([mutant.check], folder)


def is_sound(checks: Collection[str]) -> bool:
    """Return whether checks pass on a copy that is not bent: else what they catch says nothing."""
    tests = [check for check in checks if check != DAGS]
    with _copy_of_core() as folder:
        is_search_sound = len(tests) == len(checks) or not _fails([DAGS], folder, DAGS_UNBENT)
        return is_search_sound and not _fails(tests, folder)


@contextmanager
def _copy_of_core() -> Iterator[Path]:
    with TemporaryDirectory() as folder:  # with its bytecode: compiling the core takes longest
        shutil.copytree(ROOT / PACKAGE, Path(folder) / PACKAGE.name)
        yield Path(folder)


def _fails(checks: list[str], folder: Path, dags: int = DAGS_MAX) -> bool:
    if not checks:
        return False
    if checks == [DAGS]:
        command = ["tests.dags.search", "random", "--brief", "--count", str(dags)]
    else:
        tests = [f"tests/{check}" for check in checks]
        command = ["pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    path = os.pathsep.join((str(folder), environment(ROOT)["PYTHONPATH"]))
    outcome = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**environment(ROOT), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    is_dags_broken = (
        checks == [DAGS] and outcome.returncode and "one does not" not in outcome.stdout
    )
    if outcome.returncode not in (_SEEN, _UNSEEN) or is_dags_broken:
        said = (outcome.stdout + outcome.stderr)[-500:]
        raise ValueError(f"{checks[0]} is broken itself: {said}")
    return outcome.returncode == _SEEN
