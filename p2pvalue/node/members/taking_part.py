"""How a node takes part in its communities: as what, with whom, and who has our words already."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from p2pvalue.node.context import Participation, State
from p2pvalue.node.members.waiting import waiting_words
from p2pvalue.store import StoreFailed
from p2pvalue.types import JoinView
from p2pvalue_protocol.branches import Branch
from p2pvalue_protocol.ids import CONTENT, Reference

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode


class TakingPart:
    """What `CommunityView` says of the node itself, for all its communities."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._confirmed: dict[bytes, int] = {}

    def view(self, community: bytes) -> Participation:
        """Return how we take part in a community at the moment."""
        node = self._node
        replica = node.machine.replica(community)
        held = sum(b.head_seq - b.row.first_seq + 1 for b in replica.branches.all())
        state = self._state(community)
        joining = node.joining.view(community) if state == "joining" else None
        waiting_for = ""
        if state == "joining":
            name = node.community(community.hex()).name
            waiting_for = node.joining.waiting_for(community, name)
            if node.is_admitted(community):
                joining = JoinView(stage="admitted")
                waiting_for = waiting_words(joining, name)
        return Participation(
            state=state,
            waiting_for=waiting_for,
            peers=tuple(node.machine.peers_of(community)),
            operations=held,
            unshared=self._unshared(community),
            joining=joining,
        )

    def note_confirmed(self) -> None:
        """Keep, before the node stops, what peers have confirmed to hold."""
        for community in self._node.machine.communities():
            self._note_confirmed(community)

    def _state(self, community: bytes) -> State:
        """Return what we are; a member who cannot read or write yet has not come in yet."""
        if self._node.is_admitted(community):
            epochs = self._node.machine.replica(community).epochs
            return "joining" if epochs.is_sealed and not epochs.has_any else "active"
        keys = self._node.keystore.keys(community)
        if keys is not None and keys.link:
            return "joining"  # who left may be on the way back
        if self._node.device_events.warning(community):
            return "removed"
        root = self._node.root(community)
        for former in self._node.membership(community).former_members():
            if former.root == root and root:
                return "left" if former.is_leave else "removed"
        is_voided = root in self._node.membership(community).voided_members()
        return "removed" if is_voided else "joining"

    def _unshared(self, community: bytes) -> int:
        """Return how many content operations of ours no peer has confirmed to hold."""
        confirmed = self._note_confirmed(community)
        branches = self._branches(community)
        return max(0, branches[0].head_seq - confirmed) if branches else 0

    def _note_confirmed(self, community: bytes) -> int:
        store, key = self._node.store, f"confirmed:{community.hex()}"
        if community not in self._confirmed:
            kept = store.meta(key)
            self._confirmed[community] = (
                int.from_bytes(kept, "big", signed=True) if kept is not None else -1
            )
        branches = self._branches(community)
        if branches and branches[0].head_seq > self._confirmed[community]:
            head = branches[0]
            reference = Reference(head.row.device, CONTENT, head.head_seq, head.head_id)
            if self._node.machine.peers_holding(community, reference):
                self._confirmed[community] = head.head_seq
                with suppress(StoreFailed):  # peers say it again after a restart
                    store.put_meta(key, head.head_seq.to_bytes(8, "big", signed=True))
        return self._confirmed[community]

    def _branches(self, community: bytes) -> list[Branch]:
        device = self._node.device(community)
        return self._node.machine.replica(community).branches.of(device, CONTENT)
