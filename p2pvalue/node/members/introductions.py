"""Says what we are called in the communities that let us in."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from p2pvalue.store import StoreFailed
from p2pvalue_protocol.errors import LocalProtocolError, NotFound, P2PValueError

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)

INTRODUCE_S = 0.2  # until the keys are here, usually
AGAIN_S = 10.0  # after the disk took nothing


class Introductions:
    """Finishes joins: one task for all communities of a node."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._admitted: dict[bytes, None] = {}  # in the order of their admissions
        self._has_news = trio.Event()

    def admitted(self, community: bytes) -> None:
        """Note that a community, which we had asked, let us in; more than once does no harm."""
        self._admitted[community] = None
        self._has_news.set()

    async def run(self) -> None:
        """Finish every join until cancelled; what the disk does not take is tried again."""
        node = self._node
        async with trio.open_nursery() as nursery:
            for community in node.machine.communities():  # a crash may have come in between
                if node.is_admitted(community) and not self._has_my_name(community):
                    nursery.start_soon(self._introduce, community)
            while True:
                await self._has_news.wait()
                self._has_news = trio.Event()
                admitted, self._admitted = self._admitted, {}
                for community in admitted:
                    nursery.start_soon(self._finish, community)

    async def _finish(self, community: bytes) -> None:
        node, keys = self._node, self._node.keystore.keys(community)
        was_here_before = keys is not None and keys.is_recovering
        try:
            if not node.joining.finish(community):
                return
        except P2PValueError as error:
            log.error("a join cannot be finished yet: %s", error)
            await trio.sleep(AGAIN_S)
            self.admitted(community)
            return
        node.member_events.begin(community)
        node.neighbours.announce_again()
        if not was_here_before:  # else she has said what she is called
            await self._introduce(community)

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
                except StoreFailed as failure:
                    log.error("cannot say our name yet: %s", failure)
                    await trio.sleep(AGAIN_S)
