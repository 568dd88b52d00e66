"""All small DAGs: every family of acts in every causal order, each order of equals once.

A *family* is a village that exists already and a vocabulary of moves. Its DAGs are all ways to
pick a few moves and to say which of them knew which; two that differ only in the order in which
they are listed are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from random import Random
from typing import NamedTuple

from p2pvalue_protocol.acts import (
    Act,
    Give,
    ProveFork,
    Remove,
    RemoveDevice,
    Vote,
)
from tests.dags.builder import GENESIS, Builder
from tests.dags.model import CARD, CHAT, DOCUMENT, Dag

Knowledge = tuple[frozenset[int], ...]  # by move: the moves before it


class Move(NamedTuple):
    """Something a device may do; what it names beside its past must be listed before it."""

    device: bytes
    act: Act
    keeps_of: bytes = b""  # keep the last that this device wrote so far, in both logs
    proves: bytes = b""  # prove that this device's moves fork
    is_start: bool = False  # the first of its log: knows GENESIS at most


class Family(NamedTuple):
    """A vocabulary of moves in a village, and how many of them make a DAG."""

    name: str
    village: Callable[[], Builder]
    moves: tuple[Move, ...]
    length: int


def knowledges(length: int) -> Iterator[Knowledge]:
    """Yield every way in which moves can know moves before them: 2, 7, 40 for 2, 3, 4."""
    if length == 0:
        yield ()
        return
    for earlier in knowledges(length - 1):
        for bits in range(1 << (length - 1)):
            known = frozenset(i for i in range(length - 1) if bits >> i & 1)
            if all(earlier[i] <= known for i in known):
                yield (*earlier, known)


class Part(NamedTuple):
    """Some of the DAGs of a family: those of one causal order that begin with one move."""

    family: int
    knowledge: Knowledge
    first: int


def parts(families: Sequence[Family]) -> Iterator[Part]:
    """Yield the parts of all families, small ones and large ones mixed."""
    for number, family in enumerate(families):
        for knowledge in knowledges(family.length):
            for first in range(len(family.moves)):
                yield Part(number, knowledge, first)


def dags_of(family: Family, part: Part) -> Iterator[Dag]:
    """Yield every DAG of a part, in an order that never changes."""
    if _can_be_written(family, (part.first,), part.knowledge, family.moves[part.first]):
        for picked in _picks(family, part.knowledge, (part.first,)):
            yield _build(family, [family.moves[i] for i in picked], part.knowledge)


def sample(family: Family, count: int) -> Iterator[Dag]:
    """Yield some DAGs of a family, always the same, drawn evenly from orders and moves."""
    rng = Random(family.name)
    orders = list(knowledges(family.length))
    while count:
        knowledge = rng.choice(orders)
        picked = tuple(rng.randrange(len(family.moves)) for _ in knowledge)
        if all(
            _can_be_written(family, picked[: i + 1], knowledge, family.moves[picked[i]])
            for i in range(family.length)
        ):
            yield _build(family, [family.moves[i] for i in picked], knowledge)
            count -= 1


def _picks(
    family: Family, knowledge: Knowledge, picked: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    if len(picked) == family.length:
        yield picked
        return
    for number, move in enumerate(family.moves):
        longer = (*picked, number)
        if _can_be_written(family, longer, knowledge, move) and _is_first_order(
            family, longer, knowledge
        ):
            yield from _picks(family, knowledge, longer)


def _can_be_written(
    family: Family, picked: tuple[int, ...], knowledge: Knowledge, move: Move
) -> bool:
    last = len(picked) - 1
    if move.is_start and (knowledge[last] or picked.count(picked[last]) > 1):
        return False
    if move.proves:
        return len(_forked(family, picked[:last], knowledge, move.proves)) == 2
    return True


def _forked(
    family: Family, picked: tuple[int, ...], knowledge: Knowledge, device: bytes
) -> list[int]:
    """Return the first two moves of a device that do not know each other."""
    own = [i for i, number in enumerate(picked) if family.moves[number].device == device]
    pairs = [[i, j] for i in own for j in own if i < j and i not in knowledge[j]]
    return pairs[0] if pairs else []


def _needed(family: Family, picked: tuple[int, ...], knowledge: Knowledge, last: int) -> set[int]:
    """Return what must be listed before a move: what it knows, keeps or proves."""
    move = family.moves[picked[last]]
    needed = set(knowledge[last])
    for device in (move.keeps_of, move.proves):
        needed |= {i for i in range(last) if family.moves[picked[i]].device == device}
    return needed


def _is_first_order(family: Family, picked: tuple[int, ...], knowledge: Knowledge) -> bool:
    """Tell whether the last move could not be listed earlier, before a greater one."""
    last = len(picked) - 1
    needed = _needed(family, picked, knowledge, last)
    for i in range(last - 1, -1, -1):
        if i in needed:
            return True
        if picked[last] < picked[i]:
            return False
    return True


def _build(family: Family, moves: list[Move], knowledge: Knowledge) -> Dag:
    builder = family.village()
    everything = list(builder.known)
    kept = {content.device: content.op_id for content in reversed(builder.contents)}
    names: list[bytes] = []
    for move, known in zip(moves, knowledge, strict=True):
        knows = [GENESIS] if move.is_start else [*everything, *(names[i] for i in known)]
        own = [name for name, other in zip(names, moves, strict=False) if by(other, move)]
        names.append(builder.write(move.device, _act(builder, move, own, kept), knows))
    for number, (move, name) in enumerate(zip(moves, names, strict=True)):
        kind = (CARD, DOCUMENT, CHAT)[number % 3]
        builder.say(move.device, [*everything, name], kind, op_id=b"after %d" % number)
    return builder.dag()


def by(other: Move, move: Move) -> bool:
    """Tell whether a move is by the device that another keeps, or proves to fork."""
    return other.device in (move.keeps_of, move.proves)


def _act(builder: Builder, move: Move, own: list[bytes], kept: dict[bytes, bytes]) -> Act:
    act = move.act
    if move.proves:
        seq_of = {name: builder.operations[name].seq for name in own}
        pairs = (pair for pair in combinations(own, 2) if seq_of[pair[0]] == seq_of[pair[1]])
        return builder.fork(*next(pairs))
    if move.keeps_of and isinstance(act, Give | Remove | Vote | RemoveDevice | ProveFork):
        heads = [*own[-1:], *([kept[move.keeps_of]] if move.keeps_of in kept else [])]
        return act._replace(keeps=builder.keep(*heads))
    return act
