"""Devices that wrote two histories: noticed, told once, and warned of until they are replaced.

The proof is two operations of one device for one place. What it means is the rules' business (spec:
operation, "Logs and forks"): nobody else's work is touched. What to do is a person's, in words.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from p2pvalue.node.people import Names
from p2pvalue.types import EventView
from p2pvalue_protocol.fork_watch import witnesses
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.membership import Membership

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)


class Fork(NamedTuple):
    """One device that wrote two histories; the two operations are the proof."""

    community: bytes
    device: bytes
    root: bytes  # empty for one that nobody's device ever was
    first: Reference
    second: Reference  # at the same place


class Forks:
    """The forked devices of all communities of one node."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._told: set[tuple[bytes, bytes]] = set()

    def of(self, community: bytes) -> list[Fork]:
        """Return the forks that somebody still has to do something about, ascending by device.

        A device that the proof put out stays among them while its member has no other to write
        with. Costs nothing while no log is forked.
        """
        replica = self._node.machine.replica(community)
        found: list[Fork] = []
        for device in replica.branches.forked_devices():
            proof = witnesses(replica.branches, device)
            is_ours = device == self._node.device(community)
            root = _root_of(replica.membership, device)
            if is_ours or not _is_settled(replica.membership, device, root):
                found.append(Fork(community, device, root, *proof))
        return found

    def start(self) -> None:
        """Take the forks that are stored as told."""
        for community in self._node.machine.communities():
            self._told.update((community, fork.device) for fork in self.of(community))

    def look(self, community: bytes) -> None:
        """Tell of forks that nobody was told of; call after each change."""
        for fork in self.of(community):
            if (community, fork.device) in self._told:
                continue
            self._told.add((community, fork.device))
            words = self.words(fork)
            log.warning("community %s: %s", community.hex()[:8], words)
            self._node.hub.publish(
                EventView(
                    event="fork",
                    community=community.hex(),
                    subject=fork.device.hex(),
                    time=self._node.clock_ms(),
                    data={
                        "member": fork.root.hex(),
                        "seq": fork.first.seq,
                        "first": fork.first.op_id.hex(),
                        "second": fork.second.op_id.hex(),
                        "is_this": int(fork.device == self._node.device(community)),
                        "is_me": int(fork.root == self._node.root(community)),
                        "text": words,
                    },
                )
            )

    def words(self, fork: Fork) -> str:
        """Return what happened, what it means, and what to do."""
        place = f"wrote two histories from its operation {fork.first.seq} on"
        if fork.device == self._node.device(fork.community):
            return (
                f"this device {place}, because its data folder was run twice: what "
                "reached others first counts, and nothing can be written here any more. Give "
                "this folder a new device: `p2pvalue device link` here and `p2pvalue device add` "
                "on another of yours, or `p2pvalue community recover` with your words"
            )
        if fork.root == self._node.root(fork.community):
            name = self._node.linking.label(fork.device) or fork.device.hex()[:8]
            return (
                f"your device {name} {place}: its data folder was copied, or somebody has its keys."
                " What came here first counts, the rest is hidden. Put it out with `p2pvalue device"
                f" revoke {name}`, and if it is yours, link its folder anew"
            )
        who = Names(self._node, fork.community).of(fork.root) if fork.root else "somebody"
        device = fork.device.hex()[:8]
        is_live = self._node.membership(fork.community).is_live(fork.device)
        todo = (
            f"Ask {who} to put device {device} out"
            if is_live
            else f"Device {device} is out: tell {who} to link that folder anew"
        )
        return (
            f"a device of {who} {place}: its data folder was copied, or somebody has its keys. What"
            f" came here first counts, and nobody else's work is touched. {todo}"
        )


def _is_settled(membership: Membership, device: bytes, root: bytes) -> bool:
    """Return whether a device is out and its member writes with another, or is none any more."""
    if membership.is_live(device):
        return False
    member = next((member for member in membership.members() if member.root == root), None)
    return member is None or bool(member.devices)


def _root_of(membership: Membership, device: bytes) -> bytes:
    """Return whose device it is or was; empty if nobody's."""
    root = membership.member_of(device)
    if root is not None:
        return root
    roots = [m.root for m in membership.members()] + [m.root for m in membership.former_members()]
    return next((root for root in roots if device in membership.devices_of(root)), b"")
