"""Leaving a community: saying so to the others, then being silent about it.

A leave takes effect for others when they hear of it. So this node goes on to exchange until some
peer is known to hold it, also after a restart; from then on it neither calls nor answers anybody
about this community. What was read stays to be read, unless it is wiped.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue import types as t
from p2pvalue.store import StoreFailed
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH, Reference
from p2pvalue_protocol.removal import leave_draft

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)

TELL_S_MAX: Final = 5.0  # how long a caller waits for the others to hear of it
LOOK_S: Final = 0.1


class Leaving:
    """The communities that one node has left, or is about to."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._silent: set[bytes] = set()
        self._unnoted: set[bytes] = set()  # silent, though the disk took no note of it yet

    async def leave(self, community: bytes, *, wipe: bool) -> t.LeaveView:
        """Write that we leave, and wait a few seconds for a peer to hold it.

        A join that is under way ends, and leaves nothing behind. A wipe waits until somebody knows
        of the leave, if there is anybody: ask again then. Raises LocalProtocolError for who was put
        out and does not want to wipe: there is nothing else to leave.
        """
        node = self._node
        name, state = node.community(community.hex()).name, node.participation(community).state
        others = len(node.membership(community).members()) > 1
        if node.is_admitted(community):
            await node.write(community, [leave_draft(node.copy_of(community))])
            with trio.move_on_after(TELL_S_MAX if others else 0):
                while not self.is_silent(community):
                    await trio.sleep(LOOK_S)
        elif state == "removed" and not wipe:
            raise LocalProtocolError(
                f"you are no member of {name} any more: with --wipe its data go from this machine"
            )
        is_told = not self.has_left(community) or self.is_silent(community)
        is_wiped = state == "joining" or (wipe and (is_told or not others))
        if is_wiped:
            self._wipe(community)
        return t.LeaveView(community=community.hex(), name=name, told=is_told, wiped=is_wiped)

    def _wipe(self, community: bytes) -> None:
        """Remove all of a community; its keys go first, without which little can be read."""
        node = self._node
        node.keystore.drop(community)
        node.joining.cancel(community)
        node.perform(node.machine.forget(community))
        node.documents.forget(community)
        node.boards.forget(community)
        node.chunks.forget(community)
        node.member_events.drop(community)
        node.notifications.forget(community)
        self._silent.discard(community)
        self._unnoted.discard(community)
        node.store.forget(community)
        if node.dialer is not None:
            node.dialer.forget(community)
        node.move_to_topics(community)
        node.neighbours.announce_again()

    def check_return(self, community: bytes) -> None:
        """Raise LocalProtocolError for who need not or cannot come back by a link."""
        name = self._node.community(community.hex()).name
        state = self._node.participation(community).state
        if state == "active":
            raise LocalProtocolError(f'you are in "{name}" already: nothing to do')
        if state == "removed":
            raise LocalProtocolError(
                f"you were put out of {name}, and no link brings you back: ask an admin there to "
                "run `p2pvalue member readmit`"
            )

    def has_left(self, community: bytes) -> bool:
        """Return whether our member left a community by herself."""
        root = self._node.root(community)
        former = self._node.membership(community).former_members()
        return any(member.root == root and member.is_leave for member in former)

    def is_silent(self, community: bytes) -> bool:
        """Return whether we left and some peer holds it: then nothing is exchanged any more."""
        keys = self._node.keystore.keys(community)
        if (keys is not None and keys.link) or not self.has_left(community):
            return False  # a member, or on the way back
        if community not in self._silent:
            key = f"left:{community.hex()}"
            if self._node.store.meta(key) is not None:
                self._silent.add(community)
            elif community in self._unnoted or self._is_told(community):
                self._note(community, key)
            else:
                return False
        return True

    def _note(self, community: bytes, key: str) -> None:
        """Keep for after a restart that a leave is told; again when asked again, if it fails."""
        try:
            self._node.store.put_meta(key, b"told")
        except StoreFailed as failure:
            if community not in self._unnoted:
                log.error("that we left is known, which is noted later: %s", failure)
            self._unnoted.add(community)
        else:
            self._silent.add(community)
            self._unnoted.discard(community)

    def _is_told(self, community: bytes) -> bool:
        machine, device = self._node.machine, self._node.device(community)
        return any(
            machine.peers_holding(
                community, Reference(device, AUTH, branch.head_seq, branch.head_id)
            )
            for branch in machine.replica(community).branches.of(device, AUTH)
        )
