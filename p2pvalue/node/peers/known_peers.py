"""The peers that a node knows: to be shown, and to be added by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from p2pvalue import types as t
from p2pvalue.node.peers.dialing import peer_id_of
from p2pvalue_protocol.errors import LocalProtocolError

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

NETWORK_UP_S_MAX = 15.0


def peers(node: RunningNode) -> list[t.PeerView]:
    """Return the peers that we know or are connected with, ascending by id."""
    if node.network is None or node.dialer is None:
        return []
    connected = set(node.network.peers())
    now_s = trio.current_time()
    views = [
        t.PeerView(
            peer=peer.peer_id,
            is_connected=peer.peer_id in connected,
            communities=sorted(c.hex() for c in peer.communities),
            addresses=peer.addresses,
            next_dial_in_s=(
                None if peer.peer_id in connected else round(max(0.0, peer.next_dial_s - now_s), 1)
            ),
            last_error=peer.last_error,
        )
        for peer in node.dialer.peers()
    ]
    unknown = connected - {view.peer for view in views}
    views += [t.PeerView(peer=p, is_connected=True, communities=[], addresses=[]) for p in unknown]
    return sorted(views, key=lambda view: view.peer)


def add_peer(node: RunningNode, address: str, community: str | None) -> t.PeerView:
    """Remember where a peer is, and call it now."""
    peer_id = peer_id_of(address)
    if peer_id is None:
        raise LocalProtocolError(
            f"{address} does not end in /p2p/PEER-ID: `p2pvalue status` on the other node "
            "shows its addresses in full"
        )
    if node.dialer is None:
        raise LocalProtocolError("this node has no network: set `listen` in config.toml")
    shared = {node.community(community).id} if community else set(node.machine.communities())
    if node.dialer.know([address], shared) is None:
        raise LocalProtocolError("that is this node's own address: give another node's")
    node.dialer.look_again(peer_id)
    return next(view for view in peers(node) if view.peer == peer_id)


async def reachable_addresses(node: RunningNode) -> list[str]:
    """Return where others can call us, once there is a network; raises LocalProtocolError."""
    if node.network is None:
        raise LocalProtocolError(
            "this node has no network, so nobody could call it: "
            "set `listen` in config.toml and start again"
        )
    with trio.move_on_after(NETWORK_UP_S_MAX):
        await node.is_network_up.wait()
    addresses = node.addresses() if node.network.addresses() else []
    if not addresses:
        raise LocalProtocolError("the network is not up yet: try again in a few seconds")
    return addresses
