"""The state of a DAG by the code that runs: what `Authority` makes of the same acts."""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol.acts import Event
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.coverage import Coverage
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.visibility import Visibility
from tests.dags.model import Content, Dag, Standing, State, pasts, reference_to


class HeldContent:
    """Which content is held, as the store would tell."""

    def __init__(self) -> None:
        self._held: dict[bytes, Content] = {}

    def add(self, content: Content) -> None:
        self._held[content.op_id] = content

    def is_in_chain(self, op: Reference, head: Reference) -> bool:
        at = self._held.get(head.op_id)
        while at is not None and reference_to(at) != op:
            at = self._held.get(at.backlink) if at.seq else None
        return at is not None


class Running:
    """A node's membership, which takes operations one by one in any order that keeps pasts."""

    def __init__(self, dag: Dag) -> None:
        self.dag = dag
        self.graph = AuthGraph()
        self.chains = HeldContent()
        self.authority = Authority(self.graph, self.chains)
        self.visibility = Visibility(self.authority)
        self.coverage = Coverage(self.authority)
        self.before = pasts(dag)
        self.events: list[Event] = []
        self.contents: list[Content] = []

    def take(self, operation: Event | Content) -> None:
        if isinstance(operation, Content):
            self.contents.append(operation)
            self.chains.add(operation)
            if self.authority.awaits(operation.op_id):
                self.authority.evidence(reference_to(operation))
        else:
            self.events.append(operation)
            backlink = [operation.backlink] if operation.seq else []
            self.graph.add(operation.op_id, [*operation.named, *backlink])
            self.authority.add(operation)

    def take_all(self, operations: Iterable[Event | Content]) -> Running:
        for operation in operations:
            self.take(operation)
        return self

    def frontier(self, op_ids: Iterable[bytes]) -> int:
        return self.graph.frontier(op_ids)

    def is_visible(self, content: Content) -> bool:
        frontier = self.frontier(self.before[content.op_id])
        place = reference_to(content)
        return self.visibility.visible(content.device, content.kind, frontier, place)

    def state(self) -> State:
        """Return the state of what was taken."""
        events, view = self.events, self.authority.view()
        devices = Dag(tuple(events), tuple(self.contents)).devices()
        policy = view.policy()
        assert policy is not None
        return State(
            standings={e.op_id: _standing(view.standing_at(e.op_id)) for e in events},
            standings_alone={
                e.op_id: _standing(
                    self.authority.view(self.frontier(self.before[e.op_id])).standing(e.device)
                )
                for e in events
            },
            effective=sorted(e.op_id for e in events if view.is_effective(e.op_id)),
            devices={live.device: Standing(live.root, live.rank) for live in view.live_devices()},
            policy=policy,
            visible=sorted(c.op_id for c in self.contents if self.is_visible(c)),
            gone=[device for device in devices if self.visibility.is_gone(device)],
            uncovered=sorted(
                e.op_id for e in events if self.coverage.is_uncovered(self.frontier([e.op_id]))
            ),
        )


def _standing(standing: tuple[bytes, int] | None) -> Standing | None:
    return None if standing is None else Standing(*standing)


def running_state_of(dag: Dag) -> State:
    """Return the whole state by the code that runs."""
    return Running(dag).take_all(dag.operations()).state()
