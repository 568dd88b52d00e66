"""Who sends anything at all is alive, however late the answer to a question comes."""

from __future__ import annotations

from typing import Any

import trio
import trio.testing

from p2pvalue.network import libp2p_load
from p2pvalue.network.limits import Limits, Timeouts

INTERVAL_S, ANSWER_S = 10.0, 10.0


class Wire:
    """A channel on which nothing is ever answered."""

    def __init__(self) -> None:
        self.peer = self
        self.heard_bytes = 0

    def to_base58(self) -> str:
        return "a peer"


def connection(wire: Wire, nursery: trio.Nursery) -> Any:
    libp2p_load.load_libp2p()
    from p2pvalue.network.libp2p_connection import Connection

    channel: Any = wire
    return Connection(
        channel,
        dialed=True,
        nursery=nursery,
        limits=Limits(),
        timeouts=Timeouts(),
        serve=lambda connection, stream: None,
    )


async def test_who_sends_slowly_but_steadily_is_kept_until_it_falls_silent(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    async with trio.open_nursery() as inner:
        kept = connection(wire, inner)
        over = trio.Event()

        async def keep_alive() -> None:
            await kept.keep_alive(INTERVAL_S, ANSWER_S)
            over.set()

        inner.start_soon(keep_alive)
        for _ in range(20):
            with trio.move_on_after(ANSWER_S / 2):
                await over.wait()
            wire.heard_bytes += 1
        assert kept.session.ended is None
        with trio.fail_after(3 * ANSWER_S):  # the last byte may fall into a wait's first moment
            await over.wait()
    assert kept.session.ended == "no sign of life"
