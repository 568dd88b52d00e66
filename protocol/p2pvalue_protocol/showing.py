"""What our documents show, in short, so that a difference is noticed (spec: digests).

Whoever holds the same updates shows the same. If two do not, a program or a disk of one of them is
at fault: that must not go unseen. Here what is shown is only kept for peers; who compares it knows
texts.
"""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol import limits
from p2pvalue_protocol.inputs import ShownDocument


class Showing:
    """What our documents of one community show, those that changed last; not kept."""

    def __init__(self) -> None:
        self._shown: dict[bytes, ShownDocument] = {}  # by document, the newest last

    def show(self, shown: Iterable[ShownDocument]) -> None:
        """Take what some documents show now."""
        for each in shown:
            self._shown.pop(each.document, None)
            self._shown[each.document] = each
        for document in list(self._shown)[: max(0, len(self._shown) - limits.DIGESTS_MAX)]:
            del self._shown[document]

    def all(self) -> list[ShownDocument]:
        """Return what is shown, at most 64 documents."""
        return list(self._shown.values())
