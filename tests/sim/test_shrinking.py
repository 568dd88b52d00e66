"""What fails is made smaller, written down, and read back as the same world."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from click.testing import CliRunner

from p2pvalue.sim import Event, Plan, Report, Scenario
from p2pvalue.sim.campaign import Soak, Tally, run_many, run_plan, soak
from p2pvalue.sim.plan import plan_of
from p2pvalue.sim.scenario import load, names, text_of
from p2pvalue.sim.shrinking import scenario_of, shrunk, sorts_of
from p2pvalue_cli.main import cli
from p2pvalue_protocol.errors import ConfigError, NotFound

TINY = Scenario("tiny", machines=(3, 3), operations_min=6, busy_s=10)


@pytest.fixture(scope="module")
def tiny() -> Report:
    return run_plan(plan_of(TINY, 1), "tiny")


def broken(report: Report, *failures: str) -> Report:
    return msgspec.structs.replace(report, failures=failures)


def test_only_what_a_failure_needs_is_left(tiny: Report) -> None:
    plan = plan_of(load("mix"), 3)
    needed = [event for event in plan.events if event.what == "write"][7]

    def run(smaller: Plan) -> Report:
        is_failing = needed in smaller.events
        return broken(tiny, "machine-03 lost 17") if is_failing else tiny

    small = shrunk(plan, broken(tiny, "machine-05 lost 4"), run)
    assert small.events == (needed,)
    assert small.hostile == {}
    assert small.machines < plan.machines or needed.machine == plan.machines - 1
    assert not any(
        getattr(small.scenario.weather, name) for name in ("hint_loss", "latency_ms_max")
    )


def test_another_failure_is_not_taken_for_the_same(tiny: Report) -> None:
    plan = plan_of(TINY, 1)

    def run(smaller: Plan) -> Report:
        return broken(tiny, "something else") if len(smaller.events) < len(plan.events) else tiny

    assert shrunk(plan, broken(tiny, "machine-01 lost 4"), run).events == plan.events


def test_failures_are_of_one_sort_whatever_the_numbers_in_them(tiny: Report) -> None:
    assert sorts_of(broken(tiny, "machine-01 lacks 4")) == sorts_of(
        broken(tiny, "machine-22 lacks 117")
    )


def test_a_shrunk_plan_is_the_same_world_when_it_is_read_from_its_file(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    scenario = msgspec.structs.replace(
        TINY, events=(Event(2_000, "write", 1, amount=2), Event(5_000, "crash", 2, others=(1,)))
    )
    plan = plan_of(scenario, 9)
    path = tmp_path_factory.mktemp("sim") / "small.toml"
    path.write_text(text_of(scenario_of(plan, 'it said "no"\n')), encoding="utf-8")
    again = load(str(path))
    assert again.seed is not None
    assert plan_of(again, again.seed).events == plan.events
    assert run_plan(plan_of(again, again.seed)).trace == run_plan(plan).trace


def test_every_scenario_can_be_read_and_written() -> None:
    for name in names():
        scenario = load(name)
        written = msgspec.toml.decode(text_of(scenario), type=Scenario)
        assert written == scenario, name


@pytest.mark.parametrize("text", ["about = 1", "about = 'x'\nfaults = {rain = 1}", "about"])
def test_what_is_no_scenario_is_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("sim") / "odd.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="is no scenario"):
        load(str(path))


def test_an_unknown_scenario_is_not_found() -> None:
    with pytest.raises(NotFound, match="no scenario rain: `p2pvalue sim list` shows all"):
        load("rain")
    with pytest.raises(NotFound, match=r"did you mean split\?"):
        load("spilt")


def test_a_scenario_that_cannot_be_read_is_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("sim") / "folder.toml"
    folder.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(folder))


def test_who_stops_many_worlds_is_told_what_was_run(
    monkeypatch: pytest.MonkeyPatch, tiny: Report
) -> None:
    def run(name: str, seeds: range, jobs: int, machines: int | None) -> Iterator[Report]:
        yield tiny
        yield broken(tiny, "machine-01 lost 4")
        raise KeyboardInterrupt

    monkeypatch.setattr("p2pvalue.sim.campaign.run_many", run)
    said = CliRunner().invoke(cli, ["sim", "run", "--seeds", "9"])
    assert said.exit_code == 130
    assert "FAILED: machine-01 lost 4\nagain: p2pvalue sim run --seed 1" in said.output
    assert "seeds 2, failed 1\n" in said.output
    assert said.output.endswith("stopped after 2 of 9 seeds\n")


def test_where_the_small_scenario_cannot_be_written_nothing_is_run_for_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("p2pvalue.sim.campaign.run_seed", lambda *_: pytest.fail("a world ran"))
    said = CliRunner().invoke(cli, ["sim", "run", "--shrink", "/no/such/small.toml"])
    assert said.exit_code == 1
    assert "/no/such is no folder" in said.output


def test_a_soak_goes_on_where_the_last_one_ended(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, tiny: Report
) -> None:
    state = tmp_path_factory.mktemp("sim") / "state.json"
    ran: list[int] = []

    def run(name: str, seeds: range, jobs: int) -> list[Report]:
        ran.extend(seeds)
        return [tiny] * len(seeds)

    monkeypatch.setattr("p2pvalue.sim.campaign.run_many", run)
    clock = iter([0.0, 1.0, 4_000.0, 0.0, 1.0, 4_000.0])
    monkeypatch.setattr("p2pvalue.sim.campaign.time.monotonic", lambda: next(clock))
    for _ in range(2):
        tally = soak("calm", 1.0, 1, state, lambda report, sums: None)
    assert ran == list(range(1, 201))
    assert tally.seeds == 200
    assert msgspec.json.decode(state.read_bytes(), type=Soak).next_seed == 201


def test_many_worlds_are_the_same_in_one_process_and_in_two(seed: int) -> None:
    tallies = [Tally(), Tally()]
    for jobs, tally in enumerate(tallies, start=1):
        for report in run_many("calm", range(seed, seed + 2), jobs, machines=3):
            tally.add(report)
    assert tallies[0] == tallies[1]
    assert tallies[0].failed == []
