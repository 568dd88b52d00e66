"""The network room: bytes between peers, nothing of their meaning.

`node` uses it through the names below. Only `libp2p*.py` knows the library, and only inside `run`.
"""

from p2pvalue.network.addresses import Address, AddressError, parse_address, peer_id_of_seed
from p2pvalue.network.interface import (
    FRAME_BYTES_MAX,
    GOSSIP_BYTES_MAX,
    JOIN_PROTOCOL,
    LINK_PROTOCOL,
    RECOVER_PROTOCOL,
    SYNC_PROTOCOL,
    Link,
    LinkClosed,
    Network,
    NetworkHandler,
    Verdict,
)
from p2pvalue.network.lan import LanDiscovery
from p2pvalue.network.libp2p import Libp2pNetwork
from p2pvalue.network.limits import Limits, Timeouts
from p2pvalue.network.memory import MemoryHub, MemoryNetwork

__all__ = [
    "FRAME_BYTES_MAX",
    "GOSSIP_BYTES_MAX",
    "JOIN_PROTOCOL",
    "LINK_PROTOCOL",
    "RECOVER_PROTOCOL",
    "SYNC_PROTOCOL",
    "Address",
    "AddressError",
    "LanDiscovery",
    "Libp2pNetwork",
    "Limits",
    "Link",
    "LinkClosed",
    "MemoryHub",
    "MemoryNetwork",
    "Network",
    "NetworkHandler",
    "Timeouts",
    "Verdict",
    "parse_address",
    "peer_id_of_seed",
]
