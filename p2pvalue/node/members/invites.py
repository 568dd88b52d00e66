"""Invites: made, looked through, taken back, with those who came in by them if need be."""

from __future__ import annotations

from typing import Literal

import msgspec

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.people import RANKS, Names
from p2pvalue.node.references import resolve
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.invitation import invite_key, parse_link
from p2pvalue_protocol.members import Invite, Member
from p2pvalue_protocol.removal import removal_draft, withdrawal_draft
from p2pvalue_protocol.replica import Replica


class Invites:
    """The invites of one community."""

    def __init__(self, context: Context, community: bytes) -> None:
        self._context = context
        self._community = community

    def all(self) -> list[t.InviteView]:
        """Return every invite, oldest first."""
        names = Names(self._context, self._community)
        membership = self._context.membership(self._community)
        views = [self._view(invite, names) for invite in membership.invites()]
        return sorted(views, key=lambda view: (view.time, view.invite))

    async def create(self, rank: t.Rank, uses: int) -> t.InviteView:
        """Make an invite; this answer alone carries its link. `uses` 0 means no limit."""
        link = await self._context.invite(self._community, rank, uses)
        secret = parse_link(link).secret
        if not secret:  # anybody may join: such a link names the community and no invite
            return t.InviteView(invite="", link=link, rank=rank, uses=uses)
        made = self._context.membership(self._community).invite_for(invite_key(secret).public)
        assert made is not None, "an invite of ours is effective once written"
        view = self._view(made, Names(self._context, self._community))
        return msgspec.structs.replace(view, link=link)

    def use_of(self, reference: str) -> t.InviteUseView:
        """Return an invite, and whom a revocation with members would remove."""
        invite = self._invite(reference)
        names = Names(self._context, self._community)
        removes = sorted(names.of(root) for root in self._removable(invite))
        return t.InviteUseView(invite=self._view(invite, names), removes=removes)

    async def revoke(self, reference: str, *, with_members: bool = False) -> t.InviteView:
        """Take an invite back, so that nobody comes in by it; with whoever did, in one write.

        Members who have become as strong as we are stay, as do we. Raises NotAdmitted for an invite
        that a stronger rank has to take back.
        """
        invite = self._invite(reference)
        replica = self._context.copy_of(self._community)
        drafts = [] if invite.is_withdrawn else [withdrawal_draft(replica, invite.invite_key)]
        if with_members:
            drafts += [removal_draft(replica, root) for root in self._removable(invite)]
        if not drafts:
            raise LocalProtocolError("this invite was taken back already: nothing to do")
        await self._context.write(self._community, drafts)
        names = Names(self._context, self._community)
        return self._view(self._invite(invite.op_id.hex()), names)

    def _removable(self, invite: Invite) -> list[bytes]:
        membership = self._context.membership(self._community)
        device = self._context.device(self._community)
        return [root for root in invite.admitted if membership.may_remove(device, root)]

    def _invite(self, reference: str) -> Invite:
        invites = {i.op_id: i for i in self._context.membership(self._community).invites()}
        return invites[resolve(reference, ((op_id, "") for op_id in invites), "invite")]

    def _view(self, invite: Invite, names: Names) -> t.InviteView:
        return t.InviteView(
            invite=invite.op_id.hex(),
            rank=RANKS[invite.rank],
            uses=invite.uses_max,
            used=invite.uses,
            member=invite.member.hex(),
            name=names.of(invite.member),
            time=time_of(self._context.copy_of(self._community), invite.op_id),
            state=self._state(invite),
            admitted=sorted(names.of(root) for root in invite.admitted),
        )

    def _state(self, invite: Invite) -> Literal["open", "used-up", "withdrawn", "void"]:
        if invite.is_withdrawn:
            return "withdrawn"
        if invite.is_used_up:
            return "used-up"
        members = self._context.membership(self._community).members()
        is_standing = any(m.root == invite.member and m.rank < invite.rank for m in members)
        return "open" if is_standing else "void"


def time_of(replica: Replica, op_id: bytes) -> int:
    """Return when an auth operation was written, as its author's clock says; 0 if not held."""
    reference = replica.auth_references.get(op_id)
    place = replica.branches.find(reference) if reference is not None else None
    if reference is None or place is None:
        return 0
    return replica.branches.time_and_frontier(place.branch, reference.seq)[0]


def admitted_ms(replica: Replica, member: Member) -> int:
    """Return when a member was let in first, as the clock says of who did; 0 if it is not held."""
    membership = replica.membership
    admissions = {op for device in member.devices for op in membership.admissions_of(device)}
    return min((time_of(replica, op_id) for op_id in admissions), default=0)
