"""What can be asked about members, invites, requests and the community's rules."""

from __future__ import annotations

import msgspec

from p2pvalue import types as t
from p2pvalue.api.schema import InCommunity, Reference


class ListMembers(InCommunity, frozen=True, kw_only=True):
    """The members; with `former` also those who were."""

    former: bool = False


class OfMember(InCommunity, frozen=True, kw_only=True):
    """A question about one member."""

    member: Reference


class RemoveMember(OfMember, frozen=True, kw_only=True):
    """`reason` is read by everybody who may read here; `until` is a time in milliseconds."""

    reason: str = ""
    until: int | None = None


class GiveRank(OfMember, frozen=True, kw_only=True):
    """The member's new rank."""

    rank: t.Rank


class Readmit(OfMember, frozen=True, kw_only=True):
    """The rank with which a former member comes back."""

    rank: t.Rank = "member"


class OfInvite(InCommunity, frozen=True, kw_only=True):
    """A question about one invite."""

    invite: Reference


class RevokeInvite(OfInvite, frozen=True, kw_only=True):
    """With `members`, whoever came in by it is removed, too."""

    members: bool = False


class OfRequest(InCommunity, frozen=True, kw_only=True):
    """A question about one request to be let in."""

    request: Reference


class Approve(OfRequest, frozen=True, kw_only=True):
    """The rank with which the newcomer comes in."""

    rank: t.Rank = "member"


class SetPolicy(InCommunity, frozen=True, kw_only=True):
    """What changes; what is left out stays. `write` names kinds: "document", "need"."""

    join: t.Join | None = None
    invite_rank: t.Rank | None = None
    write: dict[str, t.Rank] = msgspec.field(default_factory=dict)


class Leave(InCommunity, frozen=True, kw_only=True):
    """With `wipe`, all data of the community go from this machine."""

    wipe: bool = False


class Export(InCommunity, frozen=True, kw_only=True):
    """`target` is an absolute path; with `force`, files of the same name are replaced."""

    target: str
    force: bool = False
