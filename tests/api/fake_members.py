"""Members, invites and requests in memory, for a node of straw."""

from __future__ import annotations

import msgspec

from p2pvalue import types as t
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound


class FakeMembers:
    """Fulfils MembersInterface: its founder, Bo, Cleo whom Bo let in, and Dan who was removed."""

    def __init__(self, name: str) -> None:
        self.views = {
            name: _member("a", name, "founder", is_me=True),
            "Bo": _member("b", "Bo", "member", admitted_by=name),
            "Cleo": _member("c", "Cleo", "guest", admitted_by="Bo"),
            "Dan": msgspec.structs.replace(
                _member("d", "Dan", None), state="removed", removed_by=name, reason="spam"
            ),
        }
        self.invites: list[t.InviteView] = []

    def all(self, *, with_former: bool = False) -> list[t.MemberView]:
        return [view for view in self.views.values() if with_former or view.rank is not None]

    def preview(self, reference: str) -> t.RemovalView:
        view = self._named(reference)
        if view.is_me:
            raise LocalProtocolError("this is you: to go, `p2pvalue community leave`")
        stay = [v.name for v in self.views.values() if v.admitted_by == view.name]
        open_invites = [i for i in self.invites if i.name == view.name and i.state == "open"]
        return t.RemovalView(member=view, stay=stay, invites=open_invites, unseen=True)

    async def remove(
        self, reference: str, *, reason: str = "", until: int | None = None
    ) -> t.MemberView:
        return self._change(reference, rank=None, state="removed", reason=reason, until=until)

    async def set_rank(self, reference: str, rank: t.Rank) -> t.MemberView:
        return self._change(reference, rank=rank)

    async def vote_out(self, reference: str) -> t.MemberView:
        if self._named(reference).rank != "admin":
            raise NotAdmitted(f"votes are among equals, and {reference} is not yours")
        return self._change(reference, rank="member")

    async def readmit(self, reference: str, rank: t.Rank = "member") -> t.MemberView:
        if self._named(reference).rank is not None:
            raise LocalProtocolError(f"{reference} is a member already")
        return self._change(reference, rank=rank, state="member", reason="", until=None)

    def rename(self, before: str, after: str) -> None:
        mine = msgspec.structs.replace(self.views.pop(before), name=after)
        self.views = {after: mine, **self.views}

    def _named(self, reference: str) -> t.MemberView:
        for view in self.views.values():
            if view.name == reference or view.member.startswith(reference):
                return view
        raise NotFound(f'there is no member "{reference}" here')

    def _change(self, reference: str, **fields: object) -> t.MemberView:
        view = msgspec.structs.replace(self._named(reference), **fields)
        self.views[view.name] = view
        return view


class FakeInvites:
    """Fulfils InvitesInterface; Bo made one by which Cleo came in."""

    def __init__(self, members: FakeMembers) -> None:
        self.members = members
        self.views = [
            t.InviteView(
                invite="e" * 64,
                rank="guest",
                uses=5,
                used=1,
                member="b" * 64,
                name="Bo",
                time=1_700_000_000_000,
                admitted=["Cleo"],
            )
        ]
        members.invites = self.views

    def all(self) -> list[t.InviteView]:
        return self.views

    def use_of(self, reference: str) -> t.InviteUseView:
        view = self._named(reference)
        return t.InviteUseView(invite=view, removes=view.admitted)

    async def create(self, rank: t.Rank, uses: int) -> t.InviteView:
        if rank == "founder":
            raise NotAdmitted("only all founders together can make a founder")
        made = t.InviteView(invite="f" * 64, rank=rank, uses=uses)
        self.views.append(made)
        return msgspec.structs.replace(made, link="p2pvalue:1#AAAA")

    async def revoke(self, reference: str, *, with_members: bool = False) -> t.InviteView:
        view = self._named(reference)
        if with_members:
            for name in view.admitted:
                await self.members.remove(name)
        place = self.views.index(view)
        self.views[place] = msgspec.structs.replace(view, state="withdrawn")
        return self.views[place]

    def _named(self, reference: str) -> t.InviteView:
        for view in self.views:
            if view.invite.startswith(reference):
                return view
        raise NotFound(f'there is no invite "{reference}" here')


class FakeRequests:
    """Fulfils RequestsInterface; Eve asks."""

    def __init__(self) -> None:
        self.views = [
            t.RequestView(
                request="9" * 64, name="Eve", text="I have a spade", time=1_700_000_000_000
            )
        ]

    def all(self) -> list[t.RequestView]:
        return self.views

    async def approve(self, reference: str, rank: t.Rank = "member") -> t.RequestView:
        return await self.decline(reference)

    async def decline(self, reference: str) -> t.RequestView:
        for view in self.views:
            if reference in (view.name, view.request):
                self.views.remove(view)
                return view
        raise NotFound(f'there is no request "{reference}" here')


def _member(digit: str, name: str, rank: t.Rank | None, **fields: object) -> t.MemberView:
    view = t.MemberView(
        member=digit * 64, name=name, rank=rank, devices=[digit * 64] if rank else [], is_me=False
    )
    return msgspec.structs.replace(view, **fields)
