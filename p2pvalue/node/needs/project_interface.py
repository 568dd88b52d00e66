"""What callers can ask about projects: a room of a community, by name."""

from __future__ import annotations

from typing import Protocol

from p2pvalue import project_types as pt


class ProjectsInterface(Protocol):
    """The projects of a community."""

    async def all(self) -> list[pt.ProjectView]: ...
    def page(self, reference: str) -> pt.ProjectPageView:
        """Return a project with its needs, and those of all that is linked to it."""
        ...

    async def add(self, draft: pt.ProjectDraft) -> pt.ProjectView: ...
    async def change(self, reference: str, draft: pt.ProjectDraft) -> pt.ProjectView: ...
    async def set_role(self, reference: str, role: pt.ProjectRole) -> pt.ProjectView:
        """Take part in a project, follow it, or neither."""
        ...

    async def link(
        self, reference: str, other: str, *, project_there: str = "", is_linked: bool = True
    ) -> pt.ProjectView:
        """Say that a project is the same as one in another community, or no more.

        Without `project_there` a project like it is made there, unless one names this already.
        """
        ...
