"""The invites that count, and whom they let in (spec: membership, "Invites")."""

from __future__ import annotations

from p2pvalue_protocol import acts
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.device_tree import Case
from p2pvalue_protocol.members import Invite


class Invites:
    """The INVITEs of one community that have an effect, by everything held."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._record = authority.record

    def all(self) -> list[Invite]:
        """Return them, also withdrawn and used-up ones, ascending by op id."""
        found = [self._invite(index) for index in self._record.invites if self._counts(index)]
        return sorted(found, key=lambda invite: invite.op_id)

    def of_key(self, invite_key: bytes) -> Invite | None:
        """Return the one of a key that is open and gives most; None if none counts."""
        found = [
            (self._is_void(index), self._invite(index))
            for index in self._record.invites_of_key.get(invite_key, ())
            if self._counts(index)
        ]
        order = [(i.is_withdrawn, is_void, i.is_used_up, i.rank, i.op_id) for is_void, i in found]
        return found[order.index(min(order))][1] if found else None

    def _counts(self, index: int) -> bool:
        return self._authority.view().verdicts.gives(index, 3)

    def _is_void(self, index: int) -> bool:
        """Return whether an ADMIT by it would have no effect now: who invites may not any more."""
        view, event = self._authority.view(), self._record.events[index]
        policy, level = view.policy(), self._act(index).rank - 1
        if policy is not None and level > 0:
            level = min(level, policy.invite_rank)
        return view.verdicts.best(Case(event.device, view.known), level) is None

    def _act(self, index: int) -> acts.OpenInvite:
        act = self._record.events[index].act
        assert isinstance(act, acts.OpenInvite)
        return act

    def _invite(self, index: int) -> Invite:
        record, view, act = self._record, self._authority.view(), self._act(index)
        op_id = record.events[index].op_id
        inviter = view.standing_at(op_id)
        assert inviter is not None, "only INVITEs that count are shown"
        admitted = {
            admit.root
            for at in record.admits_of_key.get(act.invite_key, ())
            if isinstance(admit := record.events[at].act, acts.Admit)
            and admit.invite == op_id
            and view.verdicts.is_effective(record.giving_at[at])
        }
        withdrawals = record.withdrawals.get(act.invite_key, ())
        return Invite(
            op_id=op_id,
            invite_key=act.invite_key,
            member=inviter.member,
            rank=act.rank,
            uses_max=act.uses_max,
            uses=len(admitted),
            admitted=tuple(sorted(admitted)),
            is_withdrawn=any(view.verdicts.at_most(at, act.rank - 1) for at in withdrawals),
        )
