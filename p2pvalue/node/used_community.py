"""Which community is meant where none is named: the only one, or the one that its person chose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from p2pvalue.store import Store
from p2pvalue_protocol.errors import NotFound

_KEY = "used-community"


class UsedCommunity:
    """The choice, kept among the node's own values; what is gone from here counts for nothing."""

    def __init__(
        self,
        store: Store,
        known: Callable[[], Sequence[bytes]],
        has_left: Callable[[bytes], bool],
        name_of: Callable[[bytes], str],
    ) -> None:
        self._store = store
        self._all = known
        self._has_left = has_left
        self._name_of = name_of

    def _known(self) -> Sequence[bytes]:
        """Return those that may be meant: where she left, nothing is done any more."""
        known = self._all()
        return [community for community in known if not self._has_left(community)] or known

    def chosen(self) -> bytes | None:
        """Return the community that was chosen, if she is still in it and not in it alone."""
        known = self._known()
        kept = self._store.meta(_KEY)
        return kept if kept in known and len(known) > 1 else None

    def choose(self, community: bytes | None) -> None:
        """Choose a community, or none; durable on return."""
        self._store.put_meta(_KEY, community or b"")

    def meant(self) -> bytes:
        """Return the community that is meant where none is named; raises NotFound."""
        return self.chosen() or self.only()

    def only(self) -> bytes:
        """Return the only community here; raises NotFound that says what to do."""
        known = self._known()
        if not known:
            raise NotFound(
                "there is no community here yet: `p2pvalue community create NAME` makes one, "
                "`p2pvalue community join LINK` joins one"
            )
        if len(known) > 1:
            names = ", ".join(f'"{self._name_of(community)}"' for community in known)
            raise NotFound(
                f"there are several communities here: say which with -c: {names}"
                " (or choose one for all commands: `p2pvalue community use NAME`)"
            )
        return known[0]
