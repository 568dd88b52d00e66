"""Who came, went, rose or fell: what one commit of auth operations means to people.

A node compares who was a member before with who is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from p2pvalue_protocol.membership import Membership

What = Literal[
    "admitted", "readmitted", "promoted", "demoted", "removed", "left", "voided", "invite-used"
]


class Coming(NamedTuple):
    """What happened to one member; `by` is the root of who did it, if somebody did.

    `voided`: who let her in turned out not to be entitled to.
    """

    what: What
    root: bytes
    by: bytes | None
    op_id: bytes | None  # of a removal or of an invite


class _Seen(NamedTuple):
    """What was found at one look."""

    ranks: dict[bytes, int]
    out: frozenset[bytes]  # put out, left, or voided
    voided: frozenset[bytes]
    uses: dict[bytes, frozenset[bytes]]  # of invites: roots by op id


class Comings:
    """Watches the members of one community."""

    def __init__(self) -> None:
        self._before: _Seen | None = None  # None: not looked yet

    def forget(self) -> None:
        """Take what is found next as given: for a newcomer, to whom all is new."""
        self._before = None

    def look(self, membership: Membership) -> list[Coming]:
        """Return what changed since the last look; costs a pass over the members and invites."""
        members = {member.root: member for member in membership.members()}
        former = {member.root: member for member in membership.former_members()}
        voided = frozenset(membership.voided_members())
        before = self._before
        now = self._before = _Seen(
            {root: member.rank for root, member in members.items()},
            voided.union(former),
            voided,
            {invite.op_id: frozenset(invite.admitted) for invite in membership.invites()},
        )
        if before is None:
            return []
        found: list[Coming] = []
        for root, member in sorted(members.items()):
            if root not in before.ranks:
                what: What = "readmitted" if root in before.out else "admitted"
                found.append(Coming(what, root, member.admitted_by, None))
            elif member.rank != before.ranks[root]:
                what = "promoted" if member.rank < before.ranks[root] else "demoted"
                found.append(Coming(what, root, None, None))
        for root in sorted(former.keys() - before.out):
            out = former[root]
            what = "left" if out.is_leave else "removed"
            found.append(Coming(what, root, None if out.is_leave else out.removed_by, out.op_id))
        found += [Coming("voided", root, None, None) for root in sorted(voided - before.voided)]
        return [*found, *_used(before, now)]


def _used(before: _Seen, now: _Seen) -> Iterator[Coming]:
    for op_id, admitted in sorted(now.uses.items()):
        for root in sorted(admitted - before.uses.get(op_id, frozenset())):
            yield Coming("invite-used", root, None, op_id)
