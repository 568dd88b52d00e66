"""The members of a community: who is in, who is out, and how that is changed.

What may be done is the rules' business (spec: membership). This room asks them first, so that a
person is told in words what would have no effect, and writes what has one.
"""

from __future__ import annotations

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.members.invites import Invites, admitted_ms
from p2pvalue.node.people import RANKS, Names
from p2pvalue.node.references import resolve
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import decode_state, notice
from p2pvalue_protocol.members import FormerMember, Member
from p2pvalue_protocol.removal import removal_draft, return_draft, vote_draft
from p2pvalue_protocol.replica import Replica


class Members:
    """The members of one community."""

    def __init__(self, context: Context, community: bytes) -> None:
        self._context = context
        self._community = community

    # --- looking

    def all(self, *, with_former: bool = False) -> list[t.MemberView]:
        """Return everybody admitted, strongest rank first, then by name; former members last."""
        names = Names(self._context, self._community)
        membership = self._context.membership(self._community)
        views = [self._view(member, names) for member in membership.members()]
        views.sort(key=lambda view: (RANKS.index(view.rank or "guest"), view.name, view.member))
        return views + self.former() if with_former else views

    def former(self) -> list[t.MemberView]:
        """Return who was a member and is none now, by name."""
        names = Names(self._context, self._community)
        membership = self._context.membership(self._community)
        views = [self._former_view(member, names) for member in membership.former_members()]
        views += [self._voided_view(root, names) for root in self._voided()]
        return sorted(views, key=lambda view: (view.name, view.member))

    def preview(self, reference: str) -> t.RemovalView:
        """Return what removing a member would do; raises NotAdmitted where it would do nothing."""
        root = self._removable(reference)
        names = Names(self._context, self._community)
        membership = self._context.membership(self._community)
        came = [m for m in membership.members() if m.admitted_by == root]
        invites = Invites(self._context, self._community).all()
        return t.RemovalView(
            member=self._of(root),
            stay=sorted(names.of(m.root) for m in came),
            invites=[i for i in invites if i.member == root.hex() and i.state == "open"],
            unseen=not self._context.participation(self._community).peers,
        )

    # --- changing

    async def remove(
        self, reference: str, *, reason: str = "", until: int | None = None
    ) -> t.MemberView:
        """Put a member out, or who left and writes on; what this node holds of her stays."""
        root = self._removable(reference)
        self._check_notice(reason, until)
        [order] = await self._write(removal_draft(self._copy(), root))
        if reason or until:
            text = notice.encode_notice(reason, until or 0)
            await self._write(Draft(notice.NUMBER, subject_of(order.op_id), text))
        return self._of(root)

    async def set_rank(self, reference: str, rank: t.Rank) -> t.MemberView:
        """Give a member a stronger or a weaker rank."""
        member, number = self._member(reference), RANKS.index(rank)
        membership, device = self._context.membership(self._community), self._device()
        name = self._name(member.root)
        if number == member.rank:
            raise LocalProtocolError(f"{name} is {_a(rank)} already: nothing to do")
        if number == auth.FOUNDER:
            raise LocalProtocolError("founders are named when a community begins, and never later")
        if number < member.rank:
            if not membership.may_grant(device, member.root, number):
                raise NotAdmitted(f"your rank may not make {_a(rank)}: ask somebody stronger")
            draft = Draft(auth.GRANT, b"", auth.grant_payload(member.root, number))
        else:
            if not membership.may_demote(device, member.root, number):
                raise NotAdmitted(f"{name} is no weaker than you: only a stronger rank may do this")
            draft = removal_draft(self._copy(), member.root, number)
        await self._write(draft)
        return self._of(member.root)

    async def vote_out(self, reference: str) -> t.MemberView:
        """Vote against an equal; enough such votes take the rank that both have from her."""
        member = self._member(reference)
        if not self._context.membership(self._community).may_vote(self._device(), member.root):
            raise NotAdmitted(
                f"votes are among founders or among admins, and {self._name(member.root)} is not "
                "your equal there: `p2pvalue member remove` puts out who is weaker"
            )
        if not self._quorum(member.rank):
            raise NotAdmitted(
                f"in this community {RANKS[member.rank]}s do not vote each other out: "
                "ask somebody stronger"
            )
        await self._write(vote_draft(self._copy(), member.root))
        return self._of(member.root)

    async def readmit(self, reference: str, rank: t.Rank = "member") -> t.MemberView:
        """Let somebody in again, and let all count that she wrote and this node holds."""
        root = self._former(reference)
        if not self._context.membership(self._community).may_grant(
            self._device(), root, RANKS.index(rank)
        ):
            raise NotAdmitted(f"your rank may not make {_a(rank)}: ask somebody stronger")
        await self._write(return_draft(self._copy(), root, RANKS.index(rank)))
        return self._of(root)

    # --- what may be done

    def _removable(self, reference: str) -> bytes:
        """Return the root of a member, or of who left, whom this device may put out."""
        membership = self._context.membership(self._community)
        names = Names(self._context, self._community)
        members = {m.root: m for m in membership.members()}
        left = [former.root for former in membership.former_members() if former.is_leave]
        root = resolve(reference, ((r, names.of(r)) for r in [*members, *left]), "member")
        if root in members:
            self._check_removal(members[root])
        elif not membership.may_remove(self._device(), root):
            raise NotAdmitted(
                f"{names.of(root)} left: only a stronger rank may put her out besides"
            )
        return root

    def _check_removal(self, member: Member) -> None:
        membership, device = self._context.membership(self._community), self._device()
        if member.root == self._context.root(self._community):
            raise LocalProtocolError("this is you: to go, `p2pvalue community leave`")
        if membership.may_remove(device, member.root):
            return
        name, rank = self._name(member.root), RANKS[member.rank]
        if membership.may_vote(device, member.root) and self._quorum(member.rank):
            raise NotAdmitted(
                f"{name} is {_a(rank)} as you are: `p2pvalue member vote-out` votes, and "
                f"{self._quorum(member.rank)} votes take that rank from her"
            )
        raise NotAdmitted(f"{name} is {_a(rank)}: only a stronger rank may remove her")

    def _check_notice(self, reason: str, until: int | None) -> None:
        if not reason and not until:
            return
        notice.encode_notice(reason, until or 0)  # raises before anything is written
        membership = self._context.membership(self._community)
        standing, policy = membership.standing(self._device()), membership.policy()
        if standing is None or policy is None:
            raise NotAdmitted("you are no member here: ask to be let in")
        if standing.rank > policy.weakest_writer(notice.NUMBER):
            weakest = RANKS[policy.weakest_writer(notice.NUMBER)]
            raise NotAdmitted(
                f"a reason and a term are written by rank {weakest} or stronger: leave them out"
            )

    def _quorum(self, rank: int) -> int:
        genesis = self._context.membership(self._community).genesis
        if genesis is None or rank > auth.ADMIN:
            return 0
        return genesis.admin_quorum if rank == auth.ADMIN else genesis.founder_quorum

    # --- looking up

    def _device(self) -> bytes:
        return self._context.device(self._community)

    def _name(self, root: bytes) -> str:
        return Names(self._context, self._community).of(root)

    async def _write(self, draft: Draft) -> list[Order]:
        return list(await self._context.write(self._community, [draft]))

    def _copy(self) -> Replica:
        return self._context.copy_of(self._community)

    def _voided(self) -> list[bytes]:
        return self._context.membership(self._community).voided_members()

    def _member(self, reference: str) -> Member:
        members = {m.root: m for m in self._context.membership(self._community).members()}
        names = Names(self._context, self._community)
        return members[resolve(reference, ((r, names.of(r)) for r in members), "member")]

    def _former(self, reference: str) -> bytes:
        membership = self._context.membership(self._community)
        roots = [*(m.root for m in membership.former_members()), *self._voided()]
        names = Names(self._context, self._community)
        present = [m.root for m in membership.members() if names.of(m.root) == reference.strip()]
        if present and all(names.of(root) != reference.strip() for root in roots):
            raise LocalProtocolError(
                f"{reference.strip()} is a member already: `p2pvalue member rank` changes the rank"
            )
        return resolve(reference, ((r, names.of(r)) for r in roots), "former member")

    def _of(self, root: bytes) -> t.MemberView:
        views = self.all(with_former=True)
        return next(view for view in views if view.member == root.hex())

    def _view(self, member: Member, names: Names) -> t.MemberView:
        return t.MemberView(
            member=member.root.hex(),
            name=names.of(member.root),
            rank=RANKS[member.rank],
            devices=[device.hex() for device in member.devices],
            is_me=member.root == self._context.root(self._community),
            admitted_by=names.of(member.admitted_by) if member.admitted_by is not None else "",
            since=admitted_ms(self._copy(), member) or None,
            skills=names.skills_of(member.root),
        )

    def _former_view(self, member: FormerMember, names: Names) -> t.MemberView:
        said = self._notice(member.op_id)
        remover = None if member.is_leave else member.removed_by
        return t.MemberView(
            member=member.root.hex(),
            name=names.of(member.root),
            rank=None,
            devices=[],
            is_me=member.root == self._context.root(self._community),
            state="left" if member.is_leave else "removed",
            removed_by=names.of(remover) if remover is not None else "",
            reason=said.text if said is not None else "",
            until=(said.until_ms or None) if said is not None else None,
        )

    def _voided_view(self, root: bytes, names: Names) -> t.MemberView:
        return t.MemberView(
            member=root.hex(),
            name=names.of(root),
            rank=None,
            devices=[],
            is_me=root == self._context.root(self._community),
            state="voided",
        )

    def _notice(self, op_id: bytes) -> notice.NoticeState | None:
        row = self._context.store.state(self._community, subject_of(op_id))
        if row is None or row.kind != notice.NUMBER:
            return None
        state = decode_state(row.kind, row.state)
        assert isinstance(state, notice.NoticeState)
        return state


def _a(rank: str) -> str:
    return f"an {rank}" if rank == "admin" else f"a {rank}"
