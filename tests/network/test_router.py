"""Where GossipSub was changed, it does what the change promises."""

from __future__ import annotations

from typing import Any

import trio
import trio.testing

from p2pvalue.network import Limits, Timeouts, Verdict
from p2pvalue.network.libp2p_load import load_libp2p


def gossip() -> Any:
    load_libp2p()
    from p2pvalue.network.libp2p_channel import Identity
    from p2pvalue.network.libp2p_gossip import Gossip

    return Gossip(
        Identity(bytes(32)),
        limits=Limits(),
        timeouts=Timeouts(),
        judge=lambda topic, message, peer_id: Verdict.ACCEPT,
    )


async def test_a_heartbeat_tells_each_peer_its_own_topics_only() -> None:
    from libp2p.peer.id import ID
    from libp2p.pubsub.rpc_queue import RpcQueue

    speaking = gossip()
    a, b = ID(b"a"), ID(b"b")
    queues = speaking._pubsub.peer_queues = {a: RpcQueue(), b: RpcQueue()}
    await speaking._router._emit_control_msgs({a: ["of-a"], b: ["of-b"]}, {b: ["old"]}, {})
    for peer, grafts, prunes in ((a, ["of-a"], []), (b, ["of-b"], ["old"])):
        rpc = await queues[peer].pop()
        assert [g.topicID for g in rpc.control.graft] == grafts
        assert [p.topicID for p in rpc.control.prune] == prunes


async def test_a_heartbeat_that_fails_is_followed_by_the_next(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    router = gossip()._router
    beats: list[int] = []

    def fail() -> None:
        beats.append(len(beats))
        raise RuntimeError("a mesh that cannot be kept")

    router.mesh_heartbeat = fail
    nursery.start_soon(router.heartbeat)
    with trio.move_on_after(3.5):
        await trio.Event().wait()
    assert beats == [0, 1, 2]


async def test_ids_are_forgotten_in_time_and_bounded(
    autojump_clock: trio.testing.MockClock,
) -> None:
    load_libp2p()
    from p2pvalue.network import libp2p_router

    seen = libp2p_router.SeenIds()
    for number in range(libp2p_router._SEEN_MAX + 10):
        seen.add(number.to_bytes(4, "big"))
    assert not seen.has((9).to_bytes(4, "big"))
    assert seen.has((10).to_bytes(4, "big"))
    autojump_clock.jump(121)
    assert not seen.has((10).to_bytes(4, "big"))
