"""What hostile machines need of a world to do harm: a rank, a removal to ignore, or a victim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from p2pvalue.sim.hostile import BEHAVIOURS
from p2pvalue.sim.hostile.node import HostileNode
from p2pvalue.sim.member import Actor
from p2pvalue.sim.scenario import Event
from p2pvalue_protocol import auth_payloads as auth

HONEST_AROUND_MIN = 3
"""A machine is surrounded only where so many others are honest that nobody else depends on it."""


def planned_for(
    hostile: Mapping[int, str], honest: Sequence[int], rng: Random, busy_ms: int
) -> list[Event]:
    """Return what befalls hostile machines: a rank, a removal, or hours alone with a victim."""
    events: list[Event] = []
    around = [number for number, name in sorted(hostile.items()) if BEHAVIOURS[name].encircles]
    if around and len(honest) > HONEST_AROUND_MIN:
        at_ms = rng.randint(busy_ms // 5, busy_ms // 3)
        alone = (*around, honest[-1])
        events.append(Event(at_ms, "cut", others=alone, amount=2, for_ms=busy_ms // 3))
    met: dict[str, int] = {}
    for number, name in sorted(hostile.items()):
        behaviour = BEHAVIOURS[name]
        met[name] = met.get(name, 0) + 1
        if behaviour.rank_wanted < auth.MEMBER:
            at_ms = rng.randint(busy_ms // 10, busy_ms // 5)
            events.append(Event(at_ms, "promote", 0, other=number))
        if behaviour.is_put_out and not (behaviour.has_friends and met[name] % 2 == 0):
            at_ms = rng.randint(busy_ms * 2 // 5, busy_ms * 3 // 4)
            events.append(Event(at_ms, "remove", 0, other=number))
    return events


def surround(actors: Sequence[Actor]) -> None:
    """Give machines that encircle one honest machine as their victim, in place of its neighbours.

    One honest neighbour is left to it. The ring of the honest is closed behind it.
    """
    around = [a for a in actors if isinstance(a, HostileNode) and a.behaviour.encircles]
    honest = [actor for actor in actors if actor.is_honest]
    if not around or len(honest) <= HONEST_AROUND_MIN:
        return
    *_, before, victim = honest
    for actor in actors:
        if victim.number in actor.neighbours:
            actor.neighbours.remove(victim.number)
    for hostile in around:
        hostile.behaviour.victim = victim.number
        hostile.neighbours = sorted({*hostile.neighbours, victim.number})
    before.neighbours = sorted({*before.neighbours, honest[0].number, victim.number})
    victim.neighbours = sorted({before.number, *(hostile.number for hostile in around)})
