"""Small histories of a community as the rules of authority see them, and the states they have.

A *DAG* is auth operations as acts, with the content operations whose visibility is asked. Ids,
roots and devices are short names as bytes; where the rules compare ids, names are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from p2pvalue_protocol.acts import (
    Event,
    Found,
    Give,
    Policy,
    ProveFork,
    Remove,
    RemoveDevice,
    Vote,
)
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference

CARD, DOCUMENT, CHAT = 46, 32, 35
WRITE = ((DOCUMENT, 2), (CHAT, 3), (CARD, 1))
"""Who writes what unless a DAG's policy says otherwise: one kind for each rank."""


KEEPING = Give | Remove | Vote | RemoveDevice | ProveFork
"""The acts that carry keeps."""


class Content(NamedTuple):
    """A content operation: where it stands in its log, and the auth operations it names."""

    op_id: bytes
    device: bytes
    seq: int
    backlink: bytes  # op id of seq - 1 in the same log; zeros at seq 0
    named: tuple[bytes, ...]  # auth operations; what precedes its backlink counts too
    kind: int = CHAT


class Dag(NamedTuple):
    """Auth and content operations, each after everything it names; GENESIS is the first."""

    events: tuple[Event, ...]
    contents: tuple[Content, ...] = ()

    def found(self) -> Found:
        act = self.events[0].act
        assert isinstance(act, Found)
        return act

    def operations(self) -> list[Event | Content]:
        return [*self.events, *self.contents]

    def devices(self) -> list[bytes]:
        """Return every device that founds or writes, ascending."""
        authors = {event.device for event in self.events}
        authors |= {content.device for content in self.contents}
        return sorted(authors | {device for _, device in self.found().founders})

    def without(self, op_ids: Iterable[bytes]) -> Dag:
        """Return what is left when operations go, and everything that comes after them goes."""
        gone = set(op_ids)
        events, contents = [], []
        for event in self.events:
            if event.op_id in gone or gone.intersection((*event.named, event.backlink)):
                gone.add(event.op_id)
            else:
                events.append(event)
        for content in self.contents:
            if content.op_id in gone or gone.intersection((*content.named, content.backlink)):
                gone.add(content.op_id)
            else:
                contents.append(content)
        return Dag(tuple(events), tuple(contents))


class Standing(NamedTuple):
    """For whom a device speaks, and how strongly."""

    root: bytes
    rank: int


class State(NamedTuple):
    """What follows from a DAG; two implementations agree if these are equal."""

    standings: dict[bytes, Standing | None]  # by auth operation: its author there
    standings_alone: dict[bytes, Standing | None]  # the same, judged by that past alone
    effective: list[bytes]  # operations that give, take, invite, withdraw or set policy
    devices: dict[bytes, Standing]  # of an operation that would come next
    policy: Policy
    visible: list[bytes]
    gone: list[bytes]  # devices whose logs are no longer offered
    uncovered: list[bytes]  # auth operations up to which an EPOCH would leave the removed a key


def pasts(dag: Dag) -> dict[bytes, frozenset[bytes]]:
    """Return for every operation the auth operations before it, itself not among them."""
    auth = {event.op_id for event in dag.events}
    found: dict[bytes, frozenset[bytes]] = {}
    for operation in dag.operations():
        predecessors = {*operation.named, *([operation.backlink] if operation.seq else [])}
        found[operation.op_id] = frozenset(predecessors & auth).union(
            *(found[predecessor] for predecessor in predecessors)
        )
    return found


def reference_to(operation: Event | Content) -> Reference:
    """Return the pointer that keeps and proofs of forks use."""
    log_class = AUTH if isinstance(operation, Event) else CONTENT
    return Reference(operation.device, log_class, operation.seq, operation.op_id)
