"""Kind 42, profile: what a member says about herself (spec: kinds/profile)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kind import Placed, StateKind, no_group
from p2pvalue_protocol.payload_form import PayloadForm, first_problem, line_problem

NUMBER: Final = 42
NAME_BYTES_MAX: Final = 200
TAGS_MAX: Final = 32
TAG_BYTES_MAX: Final = 100
HOURS_PER_WEEK_MAX: Final = 168

Tags = Annotated[tuple[str, ...], msgspec.Meta(max_length=TAGS_MAX)]
Hours = Annotated[int, msgspec.Meta(ge=0, le=HOURS_PER_WEEK_MAX)]


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole profile: the newest replaces those before it."""

    name: str
    skills: Tags = ()
    interests: Tags = ()
    hours_per_week: Hours | None = None


class ProfileState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A member's profile; `author` is her root key."""

    author: bytes
    name: str
    skills: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    hours_per_week: int | None = None


def _problem(profile: Profile) -> str | None:
    return first_problem(
        line_problem("name", profile.name, NAME_BYTES_MAX),
        *(line_problem("skill", skill, TAG_BYTES_MAX) for skill in profile.skills),
        *(line_problem("interest", interest, TAG_BYTES_MAX) for interest in profile.interests),
    )


_form = PayloadForm(Profile, _problem)


def encode_profile(
    name: str,
    skills: Sequence[str] = (),
    interests: Sequence[str] = (),
    hours_per_week: int | None = None,
) -> bytes:
    """Return the payload of a profile; raises LocalProtocolError."""
    return _form.encode(Profile(name, tuple(skills), tuple(interests), hours_per_week))


def profile_subject(member: bytes) -> bytes:
    """Return the subject of a member's profile; she has one, whatever its operations name."""
    return tagged_hash("profile", member)[:16]


def _fold(operations: Sequence[Placed]) -> ProfileState | None:
    if not operations:
        return None
    last = operations[-1]
    profile: Profile = last.payload
    return ProfileState(
        author=last.member,
        name=profile.name,
        skills=profile.skills,
        interests=profile.interests,
        hours_per_week=profile.hours_per_week,
    )


PROFILE = StateKind(
    number=NUMBER,
    name="profile",
    decode=_form.decode,
    subject=lambda payload, subject, op_id, member: profile_subject(member),
    fold=_fold,
    group=no_group,
)
