"""The states of a history on which both readings of the rules agree."""

from __future__ import annotations

from random import Random

from tests.dags.builder import Builder
from tests.dags.compare import differences, problems
from tests.dags.model import Dag, State
from tests.dags.running import Running, running_state_of
from tests.dags.state import state_of


def judged(builder: Builder) -> State:
    """The state of a history, on which both readings agree at every moment."""
    dag = builder.dag()
    assert problems(dag, Random(0), is_thorough=True) == []
    return running_state_of(dag)


def judged_as_written(builder: Builder) -> list[State]:
    """The state after each auth operation in the order of writing, as both readings have it."""
    events = builder.dag().events
    running, states = Running(builder.dag()), list[State]()
    for number, event in enumerate(events, start=1):
        running.take(event)
        states.append(running.state())
        by_rules = state_of(Dag(events[:number]))
        assert list(differences(f"after {event.op_id!r}", by_rules, states[-1])) == []
    return states
