"""Says in every community where this node is, as often as the disk does not take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from p2pvalue.network.interface import Network
from p2pvalue.node import trying
from p2pvalue_protocol.inputs import AddressesChanged, Input


class Whereabouts:
    """One task of a node; `announce` says where it is if its network cannot know.

    `handle` takes an input and performs its effects.
    """

    def __init__(
        self,
        network: Network | None,
        announce: Sequence[str],
        handle: Callable[[Input], object],
    ) -> None:
        self._network, self._announce, self._handle = network, announce, handle
        self._due = trio.Event()

    def addresses(self) -> list[str]:
        """Return where others can reach us, with our peer id; at most eight."""
        if self._network is None:
            return []
        announced = [f"{a}/p2p/{self._network.peer_id}" for a in self._announce]
        return (announced or self._network.addresses())[:8]

    def tell(self) -> None:
        """Have it said soon where we are now."""
        self._due.set()

    async def run(self) -> None:
        """Sign where we are, now and whenever it is due, until cancelled."""
        while True:
            self._due = trio.Event()
            await trying.until_addresses_taken(self._sign)
            await self._due.wait()

    def _sign(self) -> None:
        self._handle(AddressesChanged(tuple(self.addresses())))
