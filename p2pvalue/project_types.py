"""What is told about projects."""

from __future__ import annotations

from typing import Literal

import msgspec

from p2pvalue.need_types import NeedView, PersonView
from p2pvalue.types import Value

ProjectRole = Literal["member", "follower", "none"]


class ElsewhereView(Value, frozen=True, kw_only=True):
    """The same project in another community; `community_name` is empty if this node is not in it.

    `is_here`: that project is held. `is_mutual`: it names this one, too.
    """

    community: str
    community_name: str
    project: str
    is_here: bool
    is_mutual: bool


class ProjectView(Value, frozen=True, kw_only=True):
    """What several needs belong to; times in ms. `needs` counts those open or under way here.

    `image` is a blob of the community, `image_file` what it is called, if it is to be seen.
    """

    project: str
    title: str
    body: str = ""
    place: str = ""
    image: str = ""
    image_file: str = ""
    also: list[ElsewhereView]
    dropped: bool = False
    members: list[PersonView]
    followers: list[PersonView]
    role: ProjectRole = "none"  # of this node's person
    needs: int = 0
    member: str
    name: str
    created: int
    time: int


class LinkedNeedsView(Value, frozen=True, kw_only=True):
    """The needs of the same project in another community of this node."""

    elsewhere: ElsewhereView
    needs: list[NeedView]


class ProjectPageView(Value, frozen=True, kw_only=True):
    """A project with its needs, and those of all that is linked to it, as far as they are held."""

    project: ProjectView
    needs: list[NeedView]
    linked: list[LinkedNeedsView]


class ProjectDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller says of a project, new or changed; None leaves a field as it is."""

    title: str | None = None
    body: str | None = None
    place: str | None = None
    image: str | None = None
    dropped: bool | None = None
