"""The endpoints about members, invites, requests and the community's rules."""

from __future__ import annotations

from p2pvalue import types as t
from p2pvalue.api import member_schema as s
from p2pvalue.api.schema import InCommunity
from p2pvalue.node.interface import NodeInterface


async def list_members(node: NodeInterface, question: s.ListMembers) -> list[t.MemberView]:
    """The members of a community with their ranks and devices, and those who were members."""
    return node.community(question.community).people.all(with_former=question.former)


async def preview_removal(node: NodeInterface, question: s.OfMember) -> t.RemovalView:
    """What removing a member would do; an error where it may not be done."""
    return node.community(question.community).people.preview(question.member)


async def remove_member(node: NodeInterface, question: s.RemoveMember) -> t.MemberView:
    """Put a member out; what she wrote so far, and is here, stays."""
    people = node.community(question.community).people
    return await people.remove(question.member, reason=question.reason, until=question.until)


async def give_rank(node: NodeInterface, question: s.GiveRank) -> t.MemberView:
    """Give a member a stronger or a weaker rank."""
    return await node.community(question.community).people.set_rank(question.member, question.rank)


async def vote_out(node: NodeInterface, question: s.OfMember) -> t.MemberView:
    """Vote for removing an equal; enough votes put her out."""
    return await node.community(question.community).people.vote_out(question.member)


async def readmit(node: NodeInterface, question: s.Readmit) -> t.MemberView:
    """Let somebody in again; all that she wrote and is here counts."""
    return await node.community(question.community).people.readmit(question.member, question.rank)


async def list_invites(node: NodeInterface, question: InCommunity) -> list[t.InviteView]:
    """Every invite, oldest first, and who came in by each."""
    return node.community(question.community).invites.all()


async def show_invite(node: NodeInterface, question: s.OfInvite) -> t.InviteUseView:
    """One invite, and whom a revocation with members would remove."""
    return node.community(question.community).invites.use_of(question.invite)


async def revoke_invite(node: NodeInterface, question: s.RevokeInvite) -> t.InviteView:
    """Take an invite back, so that nobody comes in by it any more."""
    invites = node.community(question.community).invites
    return await invites.revoke(question.invite, with_members=question.members)


async def list_requests(node: NodeInterface, question: InCommunity) -> list[t.RequestView]:
    """Who asks to be let in, oldest first, as far as they reached this node."""
    return node.community(question.community).requests.all()


async def approve(node: NodeInterface, question: s.Approve) -> t.RequestView:
    """Let in somebody who asked."""
    requests = node.community(question.community).requests
    return await requests.approve(question.request, question.rank)


async def decline(node: NodeInterface, question: s.OfRequest) -> t.RequestView:
    """Say no to somebody who asked; she is told when she asks again."""
    return await node.community(question.community).requests.decline(question.request)


async def show_policy(node: NodeInterface, question: InCommunity) -> t.PolicyView:
    """How people come in, who may invite, and who may write what."""
    return node.community(question.community).policy()


async def set_policy(node: NodeInterface, question: s.SetPolicy) -> t.PolicyView:
    """Change the rules; founders may."""
    return await node.community(question.community).set_policy(
        join=question.join, invite_rank=question.invite_rank, write=question.write
    )


async def leave(node: NodeInterface, question: s.Leave) -> t.LeaveView:
    """Leave a community: others are told, then this node stops exchanging anything about it."""
    return await node.leave(question.community, wipe=question.wipe)
