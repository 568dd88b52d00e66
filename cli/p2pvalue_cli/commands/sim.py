"""Simulated worlds that try to break the core: run one, run many, list what there is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from p2pvalue_cli.command import Command, Group, as_json
from p2pvalue_cli.output import is_person_reading, json_text, show, table
from p2pvalue_protocol.errors import ConfigError

if TYPE_CHECKING:
    from p2pvalue.sim.campaign import Tally
    from p2pvalue.sim.world import Report

SEED_DEFAULT = 1
STOPPED = 130  # what shells say of a command that Ctrl-C ended


@click.group(cls=Group, name="sim")
def sim() -> None:
    """Run simulated worlds that try to break this software.

    Many machines run in one process, on a virtual clock, network and disk; a seed decides all.
    """


@sim.command("list", cls=Command, example="p2pvalue sim list")
def list_scenarios() -> None:
    """List the scenarios."""
    from p2pvalue.sim import scenario

    found = [{"scenario": name, "about": scenario.load(name).about} for name in scenario.names()]
    show(
        found, lambda rows: table(("scenario", "what goes wrong"), [list(r.values()) for r in rows])
    )


@sim.command(cls=Command, example="p2pvalue sim run --seed 7 --scenario split")
@click.option("--scenario", metavar="NAME", default="mix", help="One of the list, or a file.")
@click.option("--seed", type=click.IntRange(min=0), help="Decides everything; default 1.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, help="How many, from that one on.")
@click.option("--machines", type=click.IntRange(2, 10_000), help="How many, instead.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, help="How many at a time.")
@click.option(
    "--shrink",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="If it fails, write the smallest scenario found that fails so, in some minutes.",
)
def run(
    scenario: str,
    seed: int | None,
    seeds: int,
    machines: int | None,
    jobs: int,
    shrink: Path | None,
) -> None:
    """Run the world of a seed, or of many, and say what became of it.

    The last line is a hash over everything that any machine did: the same wherever it runs. The
    exit code is 1 if a promise was broken, and the command is named that runs the same again.
    """
    from p2pvalue.sim import campaign

    campaign.scenario_named(scenario)  # raises before anything runs
    if shrink is not None and not shrink.absolute().parent.is_dir():
        raise ConfigError(f"{shrink.parent} is no folder: name a file in one that is there")
    if seeds == 1:
        report = campaign.run_seed(scenario, seed, machines)
        _say(report, machines)
        failed = [report] if report.failures else []
    else:
        first = SEED_DEFAULT if seed is None else seed
        failed = _run_many(scenario, range(first, first + seeds), jobs, machines)
    if failed and shrink is not None:
        _write_shrunk(failed[0], scenario, machines, shrink)
    if failed:
        raise click.exceptions.Exit(1)


@sim.command(cls=Command, example="p2pvalue sim soak --hours 8 --jobs 2 --state soak.json")
@click.option("--scenario", metavar="NAME", default="mix", help="One of the list, or a file.")
@click.option("--hours", type=click.FloatRange(min=0), default=8.0, help="Default 8.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, help="How many at a time.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="Where it is kept which seeds were run, and what they came to.",
)
def soak(scenario: str, hours: float, jobs: int, state: Path) -> None:
    """Run seeds that were never run, for some hours, and count on where the last soak ended."""
    from p2pvalue.sim import campaign

    campaign.scenario_named(scenario)
    tally = campaign.soak(
        scenario, hours, jobs, state, lambda report, sums: _say_progress(report, sums, 0, None)
    )
    _say_tally(tally)
    if tally.failed:
        raise click.exceptions.Exit(1)


def _run_many(scenario: str, seeds: range, jobs: int, machines: int | None) -> list[Report]:
    """Return what failed; who has seen enough is told what was run until then."""
    from p2pvalue.sim import campaign

    tally = campaign.Tally()
    failed: list[Report] = []
    try:
        for report in campaign.run_many(scenario, seeds, jobs, machines):
            tally.add(report)
            failed += [report] if report.failures else []
            _say_progress(report, tally, len(seeds), machines)
    except KeyboardInterrupt:
        _say_tally(tally)
        click.echo(f"stopped after {tally.seeds} of {len(seeds)} seeds", err=True)
        raise click.exceptions.Exit(STOPPED) from None
    _say_tally(tally)
    return failed


def _say(report: Report, machines: int | None) -> None:
    import msgspec

    from p2pvalue.sim.campaign import replay_command

    if as_json():
        click.echo(json_text(msgspec.to_builtins(report)))
        return
    settled = "never" if report.settled_ms is None else f"{report.settled_ms} ms after the heal"
    click.echo(f"scenario {report.scenario}, seed {report.seed}")
    click.echo(f"machines {report.machines}, members {report.members}")
    click.echo(f"operations {report.operations}, all equal {settled}")
    click.echo(f"inputs {report.inputs}, frames {report.frames} ({report.frame_bytes} bytes)")
    click.echo(f"hints {report.hints}, lost {report.hints_lost}")
    for title, sums in (
        ("hostile", dict.fromkeys(report.hostile, 1)),
        ("faults", report.faults),
        ("deeds", report.deeds),
        ("refused from hostile machines", report.blamed),
    ):
        if sums:
            click.echo(f"{title}: {_summed(sums)}")
    for failure in report.failures:
        click.echo(f"FAILED: {failure}")
    if report.failures:
        click.echo(f"again: {replay_command(report, machines)}")
    click.echo(f"trace {report.trace}")


def _say_progress(report: Report, tally: Tally, seeds: int, machines: int | None) -> None:
    from p2pvalue.sim.campaign import replay_command

    if report.failures and not as_json():
        click.echo(f"FAILED: {report.failures[0]}")
        click.echo(f"again: {replay_command(report, machines)}")
    if is_person_reading() and not as_json():
        click.echo(f"\r{tally.seeds} of {seeds}\r" if seeds else f"\r{tally.seeds}\r", nl=False)


def _say_tally(tally: Tally) -> None:
    import msgspec

    if as_json():
        click.echo(json_text(msgspec.to_builtins(tally)))
        return
    click.echo(f"seeds {tally.seeds}, failed {len(tally.failed)}")
    click.echo(f"operations {tally.operations}, inputs {tally.inputs}, frames {tally.frames}")
    click.echo(f"longest way to equal {tally.settled_ms_max} ms after the heal")
    for title, sums in (
        ("hostile", tally.hostile),
        ("faults", tally.faults),
        ("deeds", tally.deeds),
        ("refused from hostile machines", tally.blamed),
    ):
        if sums:
            click.echo(f"{title}: {_summed(sums)}")
    click.echo(f"trace {tally.trace}")


def _summed(sums: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(sums.items()))


def _write_shrunk(report: Report, scenario: str, machines: int | None, target: Path) -> None:
    from p2pvalue.sim import campaign, shrinking
    from p2pvalue.sim.plan import plan_of
    from p2pvalue.sim.scenario import text_of

    click.echo(f"seed {report.seed} is made smaller, which takes minutes", err=True)
    plan = plan_of(campaign.scenario_named(scenario, machines), report.seed)
    small = shrinking.shrunk(plan, report)
    about = f"Found by seed {report.seed} of {scenario}: {report.failures[0]}"
    target.write_text(text_of(shrinking.scenario_of(small, about)), encoding="utf-8")
    click.echo(f"{len(plan.events)} events became {len(small.events)}: {target}", err=True)
