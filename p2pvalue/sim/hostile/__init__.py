"""Hostile machines: real members, and strangers, whose every word may be a lie.

Each attack is a `Behaviour` in a module of its own, which says what is tried and what must hold. It
bends what goes into a production machine and what comes out of it, so that an attacker knows and
holds all that a member does. A scenario names behaviours and how many machines follow each.
"""

from __future__ import annotations

from typing import Final

from p2pvalue.sim.hostile.act_after_removal import ActAfterRemoval
from p2pvalue.sim.hostile.backdate import Backdate
from p2pvalue.sim.hostile.behaviour import Behaviour
from p2pvalue.sim.hostile.close_falsely import CloseFalsely
from p2pvalue.sim.hostile.corrupt import Corrupt
from p2pvalue.sim.hostile.coup import Coup
from p2pvalue.sim.hostile.eclipse import Eclipse
from p2pvalue.sim.hostile.equivocate import Equivocate
from p2pvalue.sim.hostile.flood import Flood
from p2pvalue.sim.hostile.fork_at_zero import ForkAtZero
from p2pvalue.sim.hostile.garbage_joins import GarbageJoins
from p2pvalue.sim.hostile.lie_about_heads import LieAboutHeads
from p2pvalue.sim.hostile.mutate import Mutate
from p2pvalue.sim.hostile.node import HostileNode
from p2pvalue.sim.hostile.replay import Replay
from p2pvalue.sim.hostile.withhold import Withhold
from p2pvalue_protocol.errors import NotFound

BEHAVIOURS: Final[dict[str, type[Behaviour]]] = {
    behaviour.name: behaviour
    for behaviour in (
        ActAfterRemoval,
        Backdate,
        CloseFalsely,
        Corrupt,
        Coup,
        Eclipse,
        Equivocate,
        Flood,
        ForkAtZero,
        GarbageJoins,
        LieAboutHeads,
        Mutate,
        Replay,
        Withhold,
    )
}
"""Every attack by its name."""


def behaviour_named(name: str) -> Behaviour:
    """Return a fresh behaviour, for one machine; raises NotFound."""
    try:
        return BEHAVIOURS[name]()
    except KeyError:
        raise NotFound(f"no machine is {name}: choose among {', '.join(BEHAVIOURS)}") from None


__all__ = ["BEHAVIOURS", "Behaviour", "HostileNode", "behaviour_named"]
