"""Fuzz all targets for some minutes: `make fuzz MINUTES=60`, or some with --target NAME.

Each target runs in a process of its own, since a finding may be the death of the process. What is
found is kept in tests/fuzz/regressions, which the tests replay, and makes this command fail; what
reached new code stays in build/fuzz, so that the next campaign goes on from there. `--replay FILE`
runs one input again, `--distil` keeps a few inputs that reach far in tests/fuzz/corpus.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fuzz.campaign import fuzz, has_atheris

CAMPAIGN = Path(__file__).resolve().parents[2] / "build" / "fuzz"
FIGURES = CAMPAIGN / "figures.json"
SHARE_OF_PROGRAMS = 8  # a program that signs and folds gets so many times the share of a decoder
FINDINGS_MAX = 5  # of one target in one campaign; then it needs a person
_EXECUTED = re.compile(rb"stat::number_of_executed_units: (\d+)")
_PULSE = re.compile(rb"^#(\d+)\s.*cov: (\d+) ft: (\d+)", re.MULTILINE)
_ARTEFACTS = ("crash-*", "timeout-*", "oom-*", "leak-*", "findings/*")
_KEPT_PER_TARGET, _KEPT_BYTES_MAX = 8, 2_048


def main() -> int:
    """Return 0 if nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--target", action="append", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=secrets.randbits(30))
    parser.add_argument("--one", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one kept input again")
    parser.add_argument("--distil", action="store_true", help="keep a few inputs that reach far")
    asked = parser.parse_args()
    if asked.one:
        fuzz(asked.one, round(asked.minutes * 60), CAMPAIGN / asked.one, asked.seed)
        return 0
    if asked.replay:
        return _replay(asked.replay)
    return _campaign(asked.target, asked.minutes, asked.seed, is_distilled=asked.distil)


def _replay(path: Path) -> int:
    from tests.fuzz.table import target_named
    from tests.fuzz.target import try_input

    is_accepted = try_input(target_named(path.parent.name), path.read_bytes(), weighs=True)
    print("accepted" if is_accepted else "refused", "as it should be")
    return 0


def _campaign(names: list[str] | None, minutes: float, seed: int, *, is_distilled: bool) -> int:
    from tests.fuzz.table import TARGETS

    targets = [target for target in TARGETS if names is None or target.name in names]
    guide = "coverage (atheris)" if has_atheris() else "chance alone (atheris is not installed)"
    print(
        f"{len(targets)} targets, {minutes:g} minutes, guided by {guide}; seed {seed}", flush=True
    )
    shares = [SHARE_OF_PROGRAMS if target.shape == "program" else 1 for target in targets]
    findings = 0
    for target, share in zip(targets, shares, strict=True):
        seconds = max(5, round(minutes * 60 * share / sum(shares)))
        findings += _one(target.name, seconds, seed)
        if is_distilled:
            _distil(target.name)
    _show(json.loads(FIGURES.read_text()))
    return 1 if findings else 0


def _one(name: str, seconds: int, seed: int) -> int:
    """Run one target until its time is over or too much was found; return how many findings."""
    folder = CAMPAIGN / name
    folder.mkdir(parents=True, exist_ok=True)
    found = 0
    while seconds > 0 and found < FINDINGS_MAX:
        before = _artefacts(folder)
        log = folder / "log"
        command = [sys.executable, "-m", "tests.fuzz.run", "--one", name]
        command += ["--minutes", str(seconds / 60), "--seed", str(seed + found)]
        with log.open("wb") as output:
            ended = subprocess.run(command, stdout=output, stderr=output, check=False)
        told = log.read_bytes()
        _note(name, told)
        if ended.returncode == 0:
            break
        new = sorted(_artefacts(folder) - before)
        found += max(1, len(new))
        for path in new:
            _report(name, path, told)
        if not new:
            print(told.decode(errors="replace")[-4_000:])
        seconds //= 2
    return found


def _artefacts(folder: Path) -> set[Path]:
    return {path for pattern in _ARTEFACTS for path in folder.glob(pattern)}


def _report(name: str, path: Path, told: bytes) -> None:
    from tests.fuzz.inputs import REGRESSIONS, keep

    kept = keep(REGRESSIONS, name, path.read_bytes())
    print(f"\nFOUND in {name}: python -m tests.fuzz.run --replay {kept}")
    trace = told.decode(errors="replace").splitlines()
    print("\n".join(line[:200] for line in trace[-40:]), flush=True)


def _note(name: str, told: bytes) -> None:
    """Add what one run told to the figures of all campaigns."""
    figures: dict[str, Any] = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    mine = figures.setdefault(name, {"inputs": 0, "edges": 0, "features": 0})
    pulses = _PULSE.findall(told)
    executed = _EXECUTED.search(told)
    mine["inputs"] += int(executed[1]) if executed else int(pulses[-1][0]) if pulses else 0
    if pulses:
        mine["edges_first"] = mine.get("edges_first", int(pulses[0][1]))
        mine["edges"] = max(mine["edges"], int(pulses[-1][1]))
        mine["features"] = max(mine["features"], int(pulses[-1][2]))
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True))
    shown = f"{name}: {mine['inputs']:,} inputs in all, {mine['edges']} edges"
    print(shown, flush=True)


def _distil(name: str) -> None:
    """Keep a few inputs of a campaign, small and larger: each was the first to reach something."""
    from tests.fuzz.inputs import CORPUS, keep
    from tests.fuzz.table import target_named

    seeds = set(target_named(name).seeds())
    found = {path.read_bytes() for path in (CAMPAIGN / name / "corpus").iterdir()} - seeds
    small = sorted(
        (data for data in found if len(data) <= _KEPT_BYTES_MAX), key=lambda d: (len(d), d)
    )
    step = max(1, len(small) // _KEPT_PER_TARGET)
    for data in small[step // 2 :: step][:_KEPT_PER_TARGET]:
        keep(CORPUS, name, data)


def _show(figures: dict[str, Any]) -> None:
    print(f"\n{'target':24}{'inputs':>14}{'edges':>8}{'features':>10}")
    for name in sorted(figures):
        mine = figures[name]
        print(f"{name:24}{mine['inputs']:>14,}{mine['edges']:>8}{mine['features']:>10}")
    print(f"{'all':24}{sum(mine['inputs'] for mine in figures.values()):>14,}")


if __name__ == "__main__":
    sys.exit(main())
