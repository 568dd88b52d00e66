"""Where notifications and the rules about them are kept: among the node's own values, on its disk.

One value a community, written when something in it is new, and gone with the community.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from p2pvalue.node.notifications.notified import Kept
from p2pvalue.node.notifications.notify_rules import Rules
from p2pvalue.store import Store

_RULES_KEY = "notify-rules"
_KEPT = msgspec.msgpack.Decoder(Kept)
_RULES = msgspec.msgpack.Decoder(Rules)


class NotifyStore:
    """The notifications of all communities of a node, and its rules; read once."""

    def __init__(self, store: Store, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._kept: dict[bytes, Kept] = {}
        self._beginning: set[bytes] = set()
        self._rules: Rules | None = None

    def of(self, community: bytes) -> Kept:
        """Return what is kept of a community, to be changed in place; a new one begins now."""
        kept = self._kept.get(community)
        if kept is None:
            data = self._store.meta(_kept_key(community))
            if data is None:
                self._beginning.add(community)
            kept = _KEPT.decode(data) if data is not None else Kept(since=self._clock_ms())
            self._kept[community] = kept
        return kept

    def is_beginning(self, community: bytes) -> bool:
        """Return whether nothing is kept yet of a community, not even since when there is news."""
        self.of(community)
        return community in self._beginning

    def save(self, community: bytes) -> None:
        """Keep what `of` returned, durable on return; after StoreFailed the older one is there."""
        data = msgspec.msgpack.encode(self.of(community))
        try:
            self._store.put_meta(_kept_key(community), data)
        except Exception:
            self._kept.pop(community, None)
            raise
        self._beginning.discard(community)

    def forget(self, community: bytes) -> None:
        """Forget what is in memory of a community; the store forgets its own."""
        self._kept.pop(community, None)
        self._beginning.discard(community)

    @property
    def rules(self) -> Rules:
        """What the person chose."""
        if self._rules is None:
            data = self._store.meta(_RULES_KEY)
            self._rules = Rules() if data is None else _RULES.decode(data)
        return self._rules

    def save_rules(self, rules: Rules) -> None:
        """Keep other rules, durable on return."""
        self._store.put_meta(_RULES_KEY, msgspec.msgpack.encode(rules))
        self._rules = rules


def _kept_key(community: bytes) -> str:
    return f"notifications:{community.hex()}"
