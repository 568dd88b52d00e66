"""Events about members, for whoever follows: who came, went, rose or fell, and what it says to us.

They come besides the event that something changed: that one is cheap and always there, these are
made by comparing, and name the person.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from p2pvalue.node.members.comings import Coming, Comings
from p2pvalue.node.people import RANKS, Names
from p2pvalue.types import EventView
from p2pvalue_protocol.effects import Changed
from p2pvalue_protocol.operation import KIND_AUTH_MAX

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)


class MemberEvents:
    """Watches the members of all communities of one node."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._comings: dict[bytes, Comings] = {}

    def start(self) -> None:
        """Take the members that are stored as given."""
        for community in self._node.machine.communities():
            self._of(community)

    def begin(self, community: bytes) -> None:
        """Take what is known now as given: we have just come in."""
        comings = self._of(community)
        comings.forget()
        comings.look(self._node.membership(community))

    def drop(self, community: bytes) -> None:
        """Watch a community no more."""
        self._comings.pop(community, None)

    def changed(self, changed: Changed) -> None:
        """Tell what a commit means for members; costs nothing if it holds no auth operation.

        While a join is under way everything is new, and nothing of it is news.
        """
        if not any(change.kind <= KIND_AUTH_MAX for change in changed.changes):
            return
        community = changed.community
        if self._node.joining.view(community) is not None:
            return
        time_ms = max(change.order.time for change in changed.changes)
        membership = self._node.membership(community)
        for coming in self._of(community).look(membership):
            self._tell(community, coming, time_ms)

    def requested(self, community: bytes, root: bytes, name: str, time_ms: int) -> None:
        """Tell that somebody asks to be let in."""
        self._node.hub.publish(
            EventView(
                event="request",
                community=community.hex(),
                subject=root.hex(),
                time=time_ms,
                data={"name": name},
            )
        )

    def _of(self, community: bytes) -> Comings:
        comings = self._comings.get(community)
        if comings is None:
            comings = self._comings[community] = Comings()
            comings.look(self._node.membership(community))
        return comings

    def _tell(self, community: bytes, coming: Coming, time_ms: int) -> None:
        is_me = coming.root == self._node.root(community)
        if is_me and coming.what in ("removed", "voided"):
            log.warning(
                "you are no member of community %s any more: what came here stays, "
                "and nothing can be written",
                community.hex()[:8],
            )
        names = Names(self._node, community)
        rank = self._rank(community, coming.root)
        self._node.hub.publish(
            EventView(
                event="member",
                community=community.hex(),
                subject=coming.root.hex(),
                time=time_ms,
                data={
                    "change": coming.what,
                    "name": names.of(coming.root),
                    "rank": rank,
                    "by": names.of(coming.by) if coming.by is not None else "",
                    "operation": coming.op_id.hex() if coming.op_id is not None else "",
                    "is_me": int(is_me),
                },
            )
        )

    def _rank(self, community: bytes, root: bytes) -> str | None:
        members = self._node.membership(community).members()
        return next((RANKS[m.rank] for m in members if m.root == root), None)
