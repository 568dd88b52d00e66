"""What can be asked about projects."""

from __future__ import annotations

from p2pvalue import project_types as pt
from p2pvalue.api.schema import InCommunity, Reference


class AddProject(InCommunity, frozen=True, kw_only=True):
    """A project; `image` is a shared file, by its name or id, or empty: none."""

    title: str | None = None
    body: str | None = None
    place: str | None = None
    image: str | None = None
    dropped: bool | None = None


class OfProject(InCommunity, frozen=True, kw_only=True):
    """A question about one project."""

    project: Reference


class ChangeProject(AddProject, frozen=True, kw_only=True):
    """What is given of a project is changed, and nothing else."""

    project: Reference


class SetRole(OfProject, frozen=True, kw_only=True):
    """Whether one takes part in a project, follows it, or neither."""

    role: pt.ProjectRole


class LinkProject(OfProject, frozen=True, kw_only=True):
    """Another community of this node, and the project there; none: one like it is made there."""

    other: Reference
    project_there: str = ""
    linked: bool = True
