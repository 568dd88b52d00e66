"""Whether the code that runs agrees with the rules, in any order of arrival and at any time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random

from p2pvalue_protocol.acts import Event
from tests.dags.laws import broken_laws
from tests.dags.model import KEEPING, Content, Dag, State
from tests.dags.running import Running, running_state_of
from tests.dags.state import state_of
from tests.dags.written import write_dag, write_state

CRASHES = (AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def problems(dag: Dag, rng: Random, is_thorough: bool) -> list[str]:
    """Return what is wrong with how the code that runs judges a DAG, or that it fails to.

    Thoroughly: in several orders, at every moment, and by the laws; fifty times the work.
    """
    try:
        return list(_problems(dag, rng, is_thorough))
    except CRASHES as crash:
        return [f"{type(crash).__name__}: {crash}"]


def _problems(dag: Dag, rng: Random, is_thorough: bool) -> Iterator[str]:
    state = state_of(dag)
    for name, operations in orders(dag, rng, is_thorough):
        yield from differences(name, state, Running(dag).take_all(operations).state())
    if is_thorough:
        yield from at_every_moment(dag, rng)
        yield from broken_laws(dag, state, running_state_of, rng)


def differences(when: str, expected: State, found: State) -> Iterator[str]:
    """Yield the parts in which two states differ."""
    for name in State._fields:
        if getattr(expected, name) != getattr(found, name):
            one, other = write_state(expected)[name], write_state(found)[name]
            yield f"{when}, {name}: by the rules {json.dumps(one)}, found {json.dumps(other)}"


def orders(dag: Dag, rng: Random, is_thorough: bool) -> Iterator[tuple[str, list[Event | Content]]]:
    """Yield orders of arrival: at random, and as unlike the order of writing as possible."""
    yield "at random", arrival(dag, lambda ready: rng.choice(ready))
    if is_thorough:
        yield "as listed", dag.operations()
        yield "last first", arrival(dag, lambda ready: ready[-1])
        yield "by author", arrival(dag, lambda ready: max(ready, key=lambda o: o.device))
        yield "content last", [*arrival(Dag(dag.events), lambda r: rng.choice(r)), *dag.contents]


def arrival(
    dag: Dag, choose: Callable[[list[Event | Content]], Event | Content]
) -> list[Event | Content]:
    """Return all operations, each after its past, picked one by one among those that may come."""
    left, arrived, taken = dag.operations(), set[bytes](), list[Event | Content]()
    while left:
        ready = [
            o for o in left if arrived.issuperset((*o.named, *([o.backlink] if o.seq else [])))
        ]
        chosen = choose(ready)
        left.remove(chosen)
        taken.append(chosen)
        arrived.add(chosen.op_id)
    return taken


def at_every_moment(dag: Dag, rng: Random) -> Iterator[str]:
    """Yield where a node that is asked after every arrival differs from one that begins anew.

    And where content was shown or hidden that nobody was told to look at again.
    """
    running = Running(dag)
    held: list[Event | Content] = []
    visible: dict[bytes, bool] = {}
    for operation in arrival(dag, lambda ready: rng.choice(ready)):
        running.take(operation)
        held.append(operation)
        if dag.events[0] not in held:
            continue
        events = [o for o in held if isinstance(o, Event)]
        contents = [o for o in held if isinstance(o, Content)]
        told = set(running.visibility.take_reconsidered())
        shown = {content.op_id: running.is_visible(content) for content in contents}
        for content in contents:
            was = visible.get(content.op_id)
            if was not in (None, shown[content.op_id]) and content.device not in told:
                yield f"{operation.op_id!r} changes {content.op_id!r}, and nobody is told"
        visible = shown
        genesis = dag.events[0]
        part = Dag((genesis, *(e for e in events if e is not genesis)), tuple(contents))
        yield from differences(f"after {operation.op_id!r}", state_of(part), running.state())


def shrunk(dag: Dag, is_wrong: Callable[[Dag], bool]) -> Dag:
    """Return a small part of a DAG that is still wrong: fewer operations, then fewer keeps."""
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in _smaller(dag):
            if is_wrong(smaller):
                dag, shrinking = smaller, True
                break
    return dag


def _smaller(dag: Dag) -> Iterator[Dag]:
    for operation in reversed(dag.operations()):
        if operation != dag.events[0]:
            yield dag.without([operation.op_id])
    for number, event in enumerate(dag.events):
        if isinstance(event.act, KEEPING) and event.act.keeps:
            bare = event._replace(act=event.act._replace(keeps=()))
            yield dag._replace(events=(*dag.events[:number], bare, *dag.events[number + 1 :]))


def report(dag: Dag, found: list[str]) -> str:
    """Return what is wrong with a DAG, and the smallest part with the same kind of problem."""
    small = shrunk(dag, lambda part: bool(problems(part, Random(0), is_thorough=True)))
    written = json.dumps({"format": 1, "dags": [write_dag(small)]})
    return "\n".join([*found[:5], written])
