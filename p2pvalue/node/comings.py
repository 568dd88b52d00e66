"""Who came, went, rose or fell: what one commit of auth operations means to people.

A node compares who was a member before with who is now. A member who is none any more though
nobody removed her was let in by somebody who, as came to light later, had no right to: that is
remembered, until somebody who has lets her in again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from p2pvalue.store import Store
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.membership import Membership

VOIDED_MAX: Final = 1_000

What = Literal[
    "admitted", "readmitted", "promoted", "demoted", "removed", "left", "voided", "invite-used"
]
_decoder = msgspec.msgpack.Decoder(list[bytes])


class Coming(NamedTuple):
    """What happened to one member; `by` is the root of who did it, if somebody did."""

    what: What
    root: bytes
    by: bytes | None
    op_id: bytes | None  # of a removal or of an invite


class Comings:
    """Watches the members of one community of one node."""

    def __init__(self, store: Store, community: bytes) -> None:
        self._store = store
        self._key = f"voided:{community.hex()}"
        self._ranks: dict[bytes, int] | None = None  # None: not looked yet
        self._uses: dict[bytes, frozenset[bytes]] = {}
        self._gone: set[bytes] = set()
        kept = store.meta(self._key)
        self._voided = [] if kept is None else _decoder.decode(kept)

    def voided(self) -> list[bytes]:
        """Return the roots whose admission turned out to be nobody's to give, ascending."""
        return list(self._voided)

    def forget(self) -> None:
        """Take what is found next as given: for a newcomer, to whom all is new."""
        self._ranks = None

    def look(self, membership: Membership) -> list[Coming]:
        """Return what changed since the last look; costs a pass over the members and invites."""
        members = {member.root: member for member in membership.members()}
        former = {member.root: member for member in membership.former_members()}
        before, gone = self._ranks, self._gone | set(self._voided)
        self._ranks = {root: member.rank for root, member in members.items()}
        self._gone = set(former)
        uses = self._uses
        self._uses = {i.op_id: frozenset(i.admitted) for i in membership.invites()}
        if before is None:
            self._keep_voided([root for root in self._voided if root not in members])
            return []
        found: list[Coming] = []
        for root, member in sorted(members.items()):
            if root not in before:
                what: What = "readmitted" if root in gone else "admitted"
                found.append(Coming(what, root, member.admitted_by, None))
            elif member.rank != before[root]:
                what = "promoted" if member.rank < before[root] else "demoted"
                found.append(Coming(what, root, None, None))
        voided = []
        for root in sorted(before.keys() - members.keys()):
            out = former.get(root)
            if out is None:
                voided.append(root)
                found.append(Coming("voided", root, None, None))
            else:
                what = "left" if out.is_leave else "removed"
                by = None if out.is_leave else out.removed_by
                found.append(Coming(what, root, by, out.op_id))
        stay = [root for root in self._voided if root not in members and root not in former]
        self._keep_voided([*stay, *voided])
        found += self._used(uses)
        return found

    def _used(self, uses: dict[bytes, frozenset[bytes]]) -> Iterator[Coming]:
        for op_id, admitted in sorted(self._uses.items()):
            for root in sorted(admitted - uses.get(op_id, frozenset())):
                yield Coming("invite-used", root, None, op_id)

    def _keep_voided(self, voided: list[bytes]) -> None:
        kept = sorted(set(voided))[:VOIDED_MAX]
        if kept != self._voided:
            self._voided = kept
            self._store.put_meta(self._key, encode(kept))
