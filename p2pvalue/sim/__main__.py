"""Runs one simulated world: `python -m p2pvalue.sim --seed 7 --machines 5`."""

from __future__ import annotations

import argparse

from p2pvalue.sim import simulate


def main() -> int:
    """Print a short report, the trace last; 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m p2pvalue.sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides everything (default 1)")
    parser.add_argument("--machines", type=int, default=5, choices=range(2, 21), metavar="2..20")
    given = parser.parse_args()
    report = simulate(given.seed, given.machines)
    settled = "never" if report.settled_ms is None else f"{report.settled_ms} ms after the heal"
    print(f"seed {report.seed}, {report.machines} machines, {report.members} members")
    print(f"operations {report.operations}, all equal {settled}")
    print(f"frames {report.frames} ({report.frame_bytes} bytes)")
    print(f"hints {report.hints}, lost {report.hints_lost}")
    print(f"restarts {report.restarts}, partitions {report.partitions}")
    for failure in report.failures:
        print(f"FAILED: {failure}")
    print(f"trace {report.trace}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
