"""What members are called, and who we are among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.references import resolve
from p2pvalue.store import Store
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import decode_state, profile

RANKS: Final[tuple[t.Rank, ...]] = ("founder", "admin", "member", "guest")
JOINS: Final[tuple[t.Join, ...]] = ("invite", "open", "request")


class Naming(Protocol):
    """Whoever knows what members are called."""

    def of(self, member: bytes) -> str: ...


class Holder(Protocol):
    """Whatever has a store."""

    @property
    def store(self) -> Store: ...


class Names:
    """What members say of themselves; asks the store once for each that it is asked about."""

    def __init__(self, holder: Holder, community: bytes) -> None:
        self._holder = holder
        self._community = community
        self._known: dict[bytes, profile.ProfileState | None] = {}

    def of(self, member: bytes) -> str:
        """Return the name in a member's profile, or one made from the key: "member 3f2a9c"."""
        said = self._said(member)
        return unnamed(member) if said is None else said.name

    def skills_of(self, member: bytes) -> list[str]:
        """Return what a member says that she can."""
        said = self._said(member)
        return [] if said is None else list(said.skills)

    def _said(self, member: bytes) -> profile.ProfileState | None:
        if member not in self._known:
            self._known[member] = profile_of(self._holder, self._community, member)
        return self._known[member]


def profile_of(holder: Holder, community: bytes, member: bytes) -> profile.ProfileState | None:
    """Return what a member said here of herself."""
    row = holder.store.state(community, profile.profile_subject(member))
    if row is None or row.kind != profile.NUMBER:
        return None
    state = decode_state(row.kind, row.state)
    assert isinstance(state, profile.ProfileState)
    return state


def unnamed(member: bytes) -> str:
    """Return what a member without a profile is called: "member 3f2a9c"."""
    return f"member {member.hex()[:6]}"


def resolve_member(context: Context, community: bytes, reference: str) -> bytes:
    """Return the root key of the member meant by a name or the beginning of a key."""
    names = Names(context, community)
    roots = [member.root for member in context.membership(community).members()]
    return resolve(reference, ((root, names.of(root)) for root in roots), "member")


class People:
    """Who we are in one community."""

    def __init__(self, context: Context, community: bytes) -> None:
        self._context = context
        self._community = community

    def my_rank(self) -> t.Rank | None:
        """Return what this device's member is here; None for a reader."""
        device = self._context.device(self._community)
        standing = self._context.membership(self._community).standing(device) if device else None
        return None if standing is None else RANKS[standing.rank]

    def profile(self) -> profile.ProfileState | None:
        """Return what we said here of ourselves."""
        return profile_of(self._context, self._community, self._context.root(self._community))

    async def set_my_offers(
        self, name: str, skills: Sequence[str], interests: Sequence[str], hours_per_week: int
    ) -> None:
        """Say what we can and like to do; nothing is written if that is said already."""
        before = self.profile()
        name = name if before is None else before.name
        payload = profile.encode_profile(name, skills, interests, hours_per_week or None)
        after = (tuple(skills), tuple(interests), hours_per_week or None)
        if before is None or after != (before.skills, before.interests, before.hours_per_week):
            await self._context.write(self._community, [Draft(profile.NUMBER, b"", payload)])

    def has_my_name(self) -> bool:
        """Return whether we said here what we are called."""
        return self.profile() is not None

    async def set_my_name(self, name: str) -> None:
        """Say what we are called here, keeping the rest of our profile; nothing if it is said."""
        state = self.profile()
        payload = profile.encode_profile(name)
        if state is not None:
            if state.name == name:
                return
            payload = profile.encode_profile(
                name, state.skills, state.interests, state.hours_per_week
            )
        await self._context.write(self._community, [Draft(profile.NUMBER, b"", payload)])
