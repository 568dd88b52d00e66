"""Networks to test with: the same tests run on the one in memory and on the one over libp2p."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

import pytest

from p2pvalue.network import Libp2pNetwork, Limits, MemoryHub, MemoryNetwork, Network, Timeouts
from tests.network.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    import trio

LOOPBACK = "/ip4/127.0.0.1/tcp/0"


class Started(Protocol):
    async def __call__(
        self, *, limits: Limits | None = None, timeouts: Timeouts | None = None
    ) -> tuple[Network, Recorder]: ...


@pytest.fixture(params=["memory", "libp2p"])
def start(request: pytest.FixtureRequest, nursery: trio.Nursery) -> Started:
    """Start a network of the kind under test; it runs until the test ends."""
    hub = MemoryHub()
    seeds = (bytes([n]) * 32 for n in itertools.count(1))

    def make(limits: Limits | None, timeouts: Timeouts | None) -> Network:
        if request.param == "memory":
            return MemoryNetwork(hub, next(seeds), limits=limits, timeouts=timeouts)
        return Libp2pNetwork(next(seeds), [LOOPBACK], limits=limits, timeouts=timeouts)

    return _starter(make, nursery)


def _starter(
    make: Callable[[Limits | None, Timeouts | None], Network], nursery: trio.Nursery
) -> Started:
    async def started(
        *, limits: Limits | None = None, timeouts: Timeouts | None = None
    ) -> tuple[Network, Recorder]:
        network = make(limits, timeouts)
        recorder = Recorder()
        await nursery.start(network.run, recorder)
        return network, recorder

    return started
