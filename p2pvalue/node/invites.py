"""Invites: made, looked through, taken back, with those who came in by them if need be."""

from __future__ import annotations

from typing import Literal

import msgspec

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.people import RANKS, Names
from p2pvalue.node.references import resolve
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import invite_key, parse_link
from p2pvalue_protocol.members import Invite
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

    def who_came_by(self, reference: str) -> list[str]:
        """Return the names of those whom a revocation with members would remove."""
        names = Names(self._context, self._community)
        return sorted(names.of(root) for root in self._removable(self._invite(reference)))

    async def revoke(self, reference: str, *, with_members: bool = False) -> t.InviteView:
        """Take an invite back, so that nobody comes in by it; with whoever did, in one write.

        Members who have become as strong as we are stay, as do we. Raises NotAdmitted for an invite
        that a stronger rank has to take back.
        """
        invite = self._invite(reference)
        drafts = [] if invite.is_withdrawn else [self._withdrawal(invite)]
        if with_members:
            drafts += [self._removal(root) for root in self._removable(invite)]
        if not drafts:
            raise LocalProtocolError("this invite was taken back already: nothing to do")
        await self._context.write(self._community, drafts)
        names = Names(self._context, self._community)
        return self._view(self._invite(invite.op_id.hex()), names)

    def _withdrawal(self, invite: Invite) -> Draft:
        device = self._context.device(self._community)
        standing = self._context.membership(self._community).standing(device)
        if standing is None or standing.rank >= invite.rank:
            raise NotAdmitted(
                f"an invite for the rank {RANKS[invite.rank]} is taken back by a stronger rank: "
                "ask somebody who has one"
            )
        return Draft(auth.REVOKE, b"", auth.withdraw_payload(invite.invite_key))

    def _removal(self, root: bytes) -> Draft:
        keeps = keeps_for(self._context.copy_of(self._community), root=root)
        return Draft(auth.REVOKE, b"", auth.revoke_payload(root, keeps=keeps))

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


def keeps_for(replica: Replica, *, root: bytes) -> tuple[Reference, ...]:
    """Return the heads that are held of a member's logs, ascending."""
    devices = {
        device
        for member in replica.membership.members()
        if member.root == root
        for device in member.devices
    }
    return tuple(
        sorted(
            Reference(branch.row.device, branch.row.log_class, branch.head_seq, branch.head_id)
            for branch in replica.branches.all()
            if branch.row.device in devices
        )
    )


def time_of(replica: Replica, op_id: bytes) -> int:
    """Return when an auth operation was written, as its author's clock says; 0 if not held."""
    reference = replica.auth_references.get(op_id)
    place = replica.branches.find(reference) if reference is not None else None
    if reference is None or place is None:
        return 0
    return replica.branches.time_and_frontier(place.branch, reference.seq)[0]
