"""Whether everybody who is out was already out somewhere (spec: epochs, "Usable").

A secret made at a frontier may be written under only if nobody who is out by everything held could
have been given it: there, whoever is out had been removed and had no standing.
"""

from __future__ import annotations

from p2pvalue_protocol.auth_record import Record
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.views import View


def is_uncovered(authority: Authority, frontier: int) -> bool:
    """Return whether somebody who is out by all held may still have been in at a frontier.

    Costs a look at every member and at every removal of a device.
    """
    now, then = authority.view(), authority.view(frontier)
    return any(
        _is_member_uncovered(authority, now, then, root) for root in authority.record.givings
    ) or any(
        _is_device_uncovered(authority.record, now, then, device)
        for device in authority.record.device_removals
    )


def _is_member_uncovered(authority: Authority, now: View, then: View, root: bytes) -> bool:
    """Return whether a member who is out was not yet, or could have come back unseen.

    Who is out because the giving was void needs no removal of her own; that the giving is known and
    void there is as good.
    """
    if now.rank_of(root) is not None or not authority.was_given(root):
        return False
    if then.rank_of(root) is not None:
        return True
    record = authority.record
    named = (*record.removals.get(root, ()), *record.votes_on.get(root, ()))
    is_removed = any(
        then.known >> index & 1 and now.is_effective(record.graph.op_id(index)) for index in named
    )
    if not is_removed and not then.givings(root):
        return True
    return any(
        now.verdicts.is_effective(giving) and not then.known >> giving.index & 1
        for giving in now.givings(root)
    )


def _is_device_uncovered(record: Record, now: View, then: View, device: bytes) -> bool:
    """Return whether a device that was taken from a member, who is in, was still hers."""
    if now.standing(device) is not None:
        return False
    removals = [r for r in record.device_removals[device] if now.is_authorised(r)]
    if not removals or not any(
        now.rank_of(root) is not None for root in record.roots_of.get(device, ())
    ):
        return False
    is_known = any(then.known >> removal.at & 1 for removal in removals)
    return not is_known or then.standing(device) is not None
