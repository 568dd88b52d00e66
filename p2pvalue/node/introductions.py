"""Says what we are called in the communities that let us in."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from p2pvalue_protocol.errors import LocalProtocolError, NotFound

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)

INTRODUCE_S = 0.2


class Introductions:
    """Finishes joins: one task for all communities of a node."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._admissions, self._admitted = trio.open_memory_channel[bytes](64)

    def admitted(self, community: bytes) -> None:
        """Note that a community, which we had asked, let us in."""
        self._admissions.send_nowait(community)

    async def run(self) -> None:
        """Finish every join until cancelled."""
        node = self._node
        async with trio.open_nursery() as nursery:
            for community in node.machine.communities():  # a crash may have come in between
                if node.is_admitted(community) and not self._has_my_name(community):
                    nursery.start_soon(self._introduce, community)
            async for community in self._admitted:
                keys = node.keystore.keys(community)
                was_here_before = keys is not None and keys.is_recovering
                if node.joining.finish(community):
                    node.member_events.begin(community)
                    node.neighbours.announce_again()
                    if not was_here_before:  # else she has said what she is called
                        nursery.start_soon(self._introduce, community)

    def _has_my_name(self, community: bytes) -> bool:
        return self._node.community(community.hex()).has_my_name()

    async def _introduce(self, community: bytes) -> None:
        """Say what we are called, as soon as the keys are here under which we may write."""
        node = self._node
        with suppress(NotFound):  # the community was wiped meanwhile
            while node.is_admitted(community) and not self._has_my_name(community):
                try:
                    await node.community(community.hex()).set_my_name(node.keystore.name)
                except LocalProtocolError as error:
                    log.debug("cannot say our name yet: %s", error)
                    await trio.sleep(INTRODUCE_S)
