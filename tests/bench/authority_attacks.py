"""What members who may give and take ranks can make everybody judge, and what it costs.

Each shape is a history of so many auth operations, most of them of a kind that the rules look at in
pairs: ranks given and taken, keeps, votes, policies, removals of devices. At so many places of it
the member it is about writes something, as of what she knows there, and it is judged as it comes.
CPU time, without signatures; one JSON line for each shape:

    python -m tests.bench.authority_attacks --operations 1000 --frontiers 200
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, repeat
from typing import NamedTuple

from p2pvalue_protocol import acts
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from tests.bench.authority import POLICY, Opened, seconds

CHAT = 35
ANA, BEA, CAT, EVA = (name.encode().ljust(32) for name in ("ana", "bea", "cat", "eva"))
FOUNDERS = (ANA, BEA, CAT)
QUORUM = 2


def device_of(root: bytes, number: int = 0) -> bytes:
    """The device of a person: her first, or a later one."""
    return root[:16] + number.to_bytes(16, "big")


def name_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


class Step(NamedTuple):
    """What is done next: by whom, and whether she knows everything or her own log alone."""

    author: bytes  # root
    act: acts.Act
    is_blind: bool = False
    device: int = 0


Shape = Callable[[Reference], Iterator[Step]]
"""From an operation of Eva's to what is done in turn, without end."""


def given_and_taken(_: Reference) -> Iterator[Step]:
    """A rank is given and taken again, knowing everything."""
    return cycle([Step(ANA, acts.Give(EVA, 2)), Step(ANA, acts.Remove(EVA))])


def taken_blindly(_: Reference) -> Iterator[Step]:
    """An admin acts each time that she is one; whoever takes that from her knows nothing of it."""
    return cycle(
        [
            Step(ANA, acts.Give(EVA, 1), is_blind=True),
            Step(EVA, acts.OpenInvite(EVA, 3)),
            Step(ANA, acts.Remove(EVA), is_blind=True),
        ]
    )


def demoted(_: Reference) -> Iterator[Step]:
    """A rank is made weaker in place of being taken."""
    return cycle([Step(ANA, acts.Give(EVA, 1)), Step(ANA, acts.Remove(EVA, 3))])


def demoted_blindly(_: Reference) -> Iterator[Step]:
    """The same by somebody who does not know what the member does meanwhile."""
    return cycle(
        [
            Step(ANA, acts.Give(EVA, 1), is_blind=True),
            Step(EVA, acts.OpenInvite(EVA, 3)),
            Step(ANA, acts.Remove(EVA, 2), is_blind=True),
        ]
    )


def kept(wrote: Reference) -> Iterator[Step]:
    """Each taking and each giving keeps what the member wrote."""
    return cycle(
        [
            Step(ANA, acts.Give(EVA, 2, (wrote,))),
            Step(ANA, acts.Remove(EVA, keeps=(wrote,))),
        ]
    )


def left(_: Reference) -> Iterator[Step]:
    """The member leaves and is let in again."""
    return cycle([Step(ANA, acts.Give(EVA, 2)), Step(EVA, acts.Remove(EVA))])


def voted(_: Reference) -> Iterator[Step]:
    """A founder votes against another, again and again."""
    return repeat(Step(ANA, acts.Vote(BEA)))


def voted_blindly(_: Reference) -> Iterator[Step]:
    """Two founders vote against each other, neither knowing of the other's votes."""
    return cycle(
        [Step(ANA, acts.Vote(BEA), is_blind=True), Step(BEA, acts.Vote(ANA), is_blind=True)]
    )


def voted_out_blindly(_: Reference) -> Iterator[Step]:
    """Two founders vote a third one out, who votes against them; nobody knows of the others."""
    return cycle(
        [
            Step(ANA, acts.Vote(BEA), is_blind=True),
            Step(CAT, acts.Vote(BEA), is_blind=True),
            Step(BEA, acts.Vote(ANA), is_blind=True),
        ]
    )


def demoted_and_kept(wrote: Reference) -> Iterator[Step]:
    """A rank is made weaker and given anew, each time with a keep of what the member wrote."""
    return cycle([Step(ANA, acts.Give(EVA, 1, (wrote,))), Step(ANA, acts.Remove(EVA, 2))])


def given_and_voted(_: Reference) -> Iterator[Step]:
    """An admin is voted out by her equals as often as she is let in again."""
    return cycle(
        [Step(ANA, acts.Give(EVA, 1)), Step(BEA, acts.Vote(EVA)), Step(CAT, acts.Vote(EVA))]
    )


def policies(_: Reference) -> Iterator[Step]:
    """A founder sets the policy again and again."""
    return repeat(Step(ANA, acts.SetPolicy(POLICY)))


def policies_blindly(_: Reference) -> Iterator[Step]:
    """Two founders do, neither knowing of the other's."""
    return cycle(
        [
            Step(ANA, acts.SetPolicy(POLICY), is_blind=True),
            Step(BEA, acts.SetPolicy(POLICY), is_blind=True),
        ]
    )


def devices_taken(_: Reference) -> Iterator[Step]:
    """A rank is given anew and the member's device taken, again and again."""
    return cycle([Step(ANA, acts.Give(EVA, 2)), Step(ANA, acts.RemoveDevice(EVA, device_of(EVA)))])


def forks_told(wrote: Reference) -> Iterator[Step]:
    """A fork of the member's device is told again and again."""
    other = Reference(wrote.device, CONTENT, wrote.seq, ZERO32)
    return cycle([Step(ANA, acts.Give(EVA, 2)), Step(ANA, acts.ProveFork(other, wrote))])


SHAPES: dict[str, Shape] = {
    shape.__name__: shape
    for shape in (
        given_and_taken,
        taken_blindly,
        demoted,
        demoted_blindly,
        kept,
        left,
        voted,
        voted_blindly,
        voted_out_blindly,
        demoted_and_kept,
        given_and_voted,
        policies,
        policies_blindly,
        devices_taken,
        forks_told,
    )
}


class Siege:
    """A community in which one shape goes on, and what is judged of it."""

    def __init__(self, shape: str) -> None:
        self.opened = Opened()
        self._count = 0
        self._heads: dict[bytes, Reference] = {}
        self._wrote = Reference(device_of(EVA), CONTENT, 0, b"w" * 32)
        self._steps = SHAPES[shape](self._wrote)
        founders = tuple((root, device_of(root)) for root in FOUNDERS)
        self._genesis = self._write(
            device_of(ANA), acts.Found(founders, QUORUM, QUORUM, POLICY), ()
        )
        added = self._write(device_of(EVA), acts.AddDevice(EVA, b""), [self._genesis])
        self._newest = self._write(device_of(ANA), acts.Give(EVA, 1), [added])
        self.opened.look()

    def _write(self, device: bytes, act: acts.Act, named: list[bytes] | tuple[()]) -> bytes:
        self._count += 1
        op_id, head = name_of(self._count), self._heads.get(device)
        seq, backlink = (head.seq + 1, head.op_id) if head is not None else (0, ZERO32)
        self.opened.take(acts.Event(op_id, device, seq, backlink, tuple(named), act))
        self._heads[device] = Reference(device, AUTH, seq, op_id)
        return op_id

    def step(self) -> None:
        """Do what comes next, and look as a node does after each operation that comes."""
        author, act, is_blind, number = next(self._steps)
        device = device_of(author, number)
        first = [] if device in self._heads else [self._newest]
        op_id = self._write(device, act, first if is_blind else [self._newest])
        if not is_blind or author == ANA:
            self._newest = op_id
        self.opened.visibility.take_reconsidered()
        self.opened.authority.view().standing(device_of(EVA))

    def judge(self) -> None:
        """Judge something that the member wrote as of everything that was done."""
        graph, visibility = self.opened.graph, self.opened.visibility
        frontier = graph.head_frontier()
        place = Reference(device_of(EVA), CONTENT, self._count, name_of(self._count))
        visibility.take_reconsidered()
        for writer in (EVA, BEA):
            visibility.judge(device_of(writer), CHAT, frontier)
            visibility.visible(device_of(writer), CHAT, frontier, place)


def besieged(shape: str, operations: int, frontiers: int) -> None:
    """Let so many operations come, and with them what is written at so many frontiers."""
    siege = Siege(shape)
    for number in range(operations):
        siege.step()
        if (number + 1) * frontiers // operations > number * frontiers // operations:
            siege.judge()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000)
    parser.add_argument("--frontiers", type=int, default=200)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    args = parser.parse_args()
    for shape in args.shapes:
        took_s = seconds(partial(besieged, shape, args.operations, args.frontiers))
        print(json.dumps({"shape": shape, "seconds": round(took_s, 2)}), flush=True)


if __name__ == "__main__":
    main()
