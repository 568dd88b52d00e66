"""What bends a machine: the base of all attacks.

A behaviour sees what comes in before its machine does, and what goes out before the world does, and
has its turn every few seconds while the world is busy. It keeps count of what it did, so that a
test can tell an attack that was survived from one that never happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Effect, Publish, SendFrame
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.inputs import Input

if TYPE_CHECKING:
    from p2pvalue.sim.hostile.node import HostileNode


class Behaviour:
    """A hostile machine that does what an honest one does; attacks override what they bend."""

    name: ClassVar[str] = ""
    rank_wanted: ClassVar[int] = auth.MEMBER
    """The rank that the founder gives it, unsuspecting."""

    is_stranger: ClassVar[bool] = False
    """Whether it is nobody's member and never becomes one."""

    is_put_out: ClassVar[bool] = False
    """Whether the founder puts them out while the world is busy."""

    has_friends: ClassVar[bool] = False
    """Whether every second of them is left in all the same, to carry what the others write."""

    encircles: ClassVar[bool] = False
    """Whether the world gives it and its like one honest machine to surround."""

    provable: ClassVar[bool] = False
    """Whether honest machines come to hold proof against it: a FORK that names its device."""

    refusals: ClassVar[frozenset[Reason]] = frozenset()
    """Reasons for which honest machines refuse what it sends; empty where nothing is refused."""

    def __init__(self) -> None:
        self.acts: Counter[str] = Counter()
        self.victim: int | None = None  # the machine that it surrounds with others

    def settle(self, node: HostileNode) -> None:
        """Take a machine over, when it is made."""
        self.node = node

    def face_for(self, peer_id: str) -> int:
        """Return which of the machine's faces a peer gets to see."""
        return 0

    def incoming(self, given: Input) -> list[Input]:
        """Return what the machine is given in place of an input."""
        return [given]

    def outgoing(self, effects: list[Effect]) -> list[Effect]:
        """Return what leaves in place of effects; `Store` effects are performed already."""
        return effects

    def act(self, now_ms: int) -> list[Input | Effect]:
        """Return inputs for the machine and effects for the world, to be performed in turn."""
        return []


def bent_frames(
    effects: Iterable[Effect], bend: Callable[[int, bytes], Iterable[bytes]]
) -> list[Effect]:
    """Return effects with each frame replaced by those that `bend` makes of it."""
    bent: list[Effect] = []
    for effect in effects:
        if isinstance(effect, SendFrame):
            bent += [
                SendFrame(effect.session, frame) for frame in bend(effect.session, effect.frame)
            ]
        else:
            bent.append(effect)
    return bent


def bent_hints(effects: Iterable[Effect], bend: Callable[[bytes], bytes]) -> list[Effect]:
    """Return effects with each hint replaced by what `bend` makes of it."""
    return [
        Publish(effect.topic, bend(effect.message)) if isinstance(effect, Publish) else effect
        for effect in effects
    ]
