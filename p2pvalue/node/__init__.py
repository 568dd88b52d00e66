"""The node room: one machine, its shell, and what callers hold."""

from p2pvalue.node.opening import open_node
from p2pvalue.node.running import RunningNode

__all__ = ["RunningNode", "open_node"]
