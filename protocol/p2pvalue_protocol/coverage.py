"""Whether everybody who is out was already out somewhere (spec: membership, "Covered").

A secret made at a frontier may be written under only if nobody who is out by everything held could
have been given it: there, whoever is out had been removed and had no rank.
"""

from __future__ import annotations

from p2pvalue_protocol.auth_record import Giving
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.views import View


class Coverage:
    """Who is out, and the frontiers asked about since that changed."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._record = authority.record
        self._changes = authority.changes()
        self._out: set[bytes] = set()  # roots
        self._givings = 0  # to those, with effect or not
        self._known: dict[int, bool] = {}  # by frontier

    def is_uncovered(self, frontier: int) -> bool:
        """Return whether somebody who is out by all held may still have been in at a frontier.

        Costs a look at everybody who is out, once for each frontier after a change.
        """
        self._renew()
        known = self._known.get(frontier)
        if known is None:
            now, then = self._authority.view(), self._authority.view(frontier)
            known = any(self._is_member_in(now, then, root) for root in sorted(self._out)) or any(
                self._is_device_in(now, then, device) for device in self._record.device_removals
            )
            self._known[frontier] = known
        return known

    def _renew(self) -> None:
        self._authority.settle()
        is_anew, roots = self._changes.take()
        now = self._authority.view()
        for root in list(self._record.givings) if is_anew else sorted(roots):
            is_out = now.rank_of(root) is None and self._authority.was_given(root)
            (self._out.add if is_out else self._out.discard)(root)
        givings = sum(len(self._record.givings[root]) for root in self._out)
        if is_anew or roots or givings != self._givings:
            self._givings = givings
            self._known.clear()

    def _is_member_in(self, now: View, then: View, root: bytes) -> bool:
        """Return whether a member who is out was in there, or could have come back unseen.

        Who is out because the giving was void needs no removal of her own; that the giving is void
        there, or would be for whoever heard of it as well, is as good: nobody who holds what is
        sealed under that past took her for a member.
        """
        if then.rank_of(root) is not None:
            return True
        record = self._record
        named = (*record.removals.get(root, ()), *record.votes_on.get(root, ()))
        is_removed = any(
            then.known >> index & 1 and now.is_effective(record.graph.op_id(index))
            for index in named
        )
        is_unheard_of = not is_removed and not then.givings(root)
        if is_unheard_of and any(self._gives(then, giving) for giving in now.givings(root)):
            return True
        return any(
            now.verdicts.is_effective(giving) and not then.known >> giving.index & 1
            for giving in now.givings(root)
        )

    def _gives(self, then: View, giving: Giving) -> bool:
        """Return whether who knows a past, and a giving that is not in it, counts her in."""
        known = then.known | giving.past | 1 << giving.index
        return self._authority.view_of(known).rank_of(giving.root) is not None

    def _is_device_in(self, now: View, then: View, device: bytes) -> bool:
        """Return whether a device that was taken from a member, who is in, was still hers there."""
        if now.standing(device) is not None:
            return False
        record = self._record
        removals = [r for r in record.device_removals[device] if now.is_authorised(r)]
        if not removals or not any(
            now.rank_of(root) is not None for root in record.roots_of.get(device, ())
        ):
            return False
        is_known = any(then.known >> removal.at & 1 for removal in removals)
        return not is_known or then.standing(device) is not None
