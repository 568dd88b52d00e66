"""What was lately shown as a comment, by its fingerprint.

Whoever restores a version, takes back an edit or moves a block to another document brings such a
comment back after the element itself has gone. Who showed it knows what it stands for; what is not
known any more is words.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from p2pvalue.texts.blocks import Node, fingerprint, key_of

NODES_MAX: Final = 1_000
LETTERS_MAX: Final = 10_000_000


class KeptNodes:
    """The nodes that were shown last, within bounds."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[str, tuple[Node, int]] = OrderedDict()
        self._letters = 0

    def keep(self, node: Node) -> str:
        """Remember a node, and forget what was shown longest ago; return its fingerprint."""
        name = fingerprint(node)
        if name not in self._nodes:
            self._nodes[name] = node, len(key_of(node))
            self._letters += self._nodes[name][1]
        self._nodes.move_to_end(name)
        while len(self._nodes) > NODES_MAX or self._letters > LETTERS_MAX:
            _, (_, letters) = self._nodes.popitem(last=False)
            self._letters -= letters
        return name

    def get(self, name: str) -> Node | None:
        """Return what was shown under a fingerprint, if it is still known."""
        return self._nodes[name][0] if name in self._nodes else None


SHOWN: Final = KeptNodes()
"""Those of this process."""
