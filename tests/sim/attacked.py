"""Worlds in which some machines are hostile, small enough to be run by the dozen."""

from __future__ import annotations

from typing import NamedTuple, cast

import msgspec

from p2pvalue.sim import Report, World
from p2pvalue.sim.hostile import HostileNode
from p2pvalue.sim.member import Actor
from p2pvalue.sim.plan import plan_of
from p2pvalue.sim.scenario import load
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.replica import Replica

OPERATIONS_MIN = 60
BUSY_S = 24


class Attacked(NamedTuple):
    """What became of a world, and who was in it."""

    report: Report
    world: World

    @property
    def again(self) -> str:
        """What to say when an assertion fails."""
        return f"seed {self.report.seed} of {self.report.scenario}: {self.report.failures}"

    @property
    def hostile(self) -> list[HostileNode]:
        """The hostile machines, ascending by number."""
        return [cast(HostileNode, actor) for actor in self._actors if not actor.is_honest]

    @property
    def honest(self) -> list[Actor]:
        """The honest machines that are members in the end, ascending by number."""
        return [a for a in self._actors if a.is_honest and a.is_member]

    @property
    def _actors(self) -> list[Actor]:
        return [actor for _, actor in sorted(self.world.shell.machines.items())]

    def replica(self, actor: Actor) -> Replica:
        """A machine's copy of the community."""
        return self.world.shell.replica(actor)

    def holders(self, reference: Reference) -> list[int]:
        """Which honest machines hold an operation."""
        return [a.number for a in self.honest if self.replica(a).held(reference)]

    def acts(self) -> dict[str, int]:
        """What the hostile machines did, and how often."""
        done: dict[str, int] = {}
        for node in self.hostile:
            for act, times in node.behaviour.acts.items():
                done[act] = done.get(act, 0) + times
        return done


def attacked(name: str, seed: int, *, community: str = "members-only") -> Attacked:
    """Run the scenario of an attack, smaller than it is written down."""
    scenario = msgspec.structs.replace(
        load(f"hostile-{name}"),
        operations_min=OPERATIONS_MIN,
        busy_s=BUSY_S,
        community=community,
    )
    world = World(plan_of(scenario, seed), f"hostile-{name}")
    return Attacked(world.run(), world)
