"""The endpoints about projects."""

from __future__ import annotations

from p2pvalue import project_types as pt
from p2pvalue.api import project_schema as s
from p2pvalue.api.schema import InCommunity
from p2pvalue.node.interface import NodeInterface
from p2pvalue.node.needs.project_interface import ProjectsInterface


def _projects(node: NodeInterface, question: InCommunity) -> ProjectsInterface:
    return node.community(question.community).projects


async def list_projects(node: NodeInterface, question: InCommunity) -> list[pt.ProjectView]:
    """The projects of a community."""
    return await _projects(node, question).all()


async def add_project(node: NodeInterface, question: s.AddProject) -> pt.ProjectView:
    """Begin a project."""
    return await _projects(node, question).add(_draft(question))


async def show_project(node: NodeInterface, question: s.OfProject) -> pt.ProjectPageView:
    """One project with its needs, and those of what it is linked to in other communities."""
    return _projects(node, question).page(question.project)


async def change_project(node: NodeInterface, question: s.ChangeProject) -> pt.ProjectView:
    """Change what is given of a project."""
    return await _projects(node, question).change(question.project, _draft(question))


async def set_role(node: NodeInterface, question: s.SetRole) -> pt.ProjectView:
    """Take part in a project, follow it, or neither."""
    return await _projects(node, question).set_role(question.project, question.role)


async def link_project(node: NodeInterface, question: s.LinkProject) -> pt.ProjectView:
    """Say that a project is the same as one in another community of this node, or no more."""
    return await _projects(node, question).link(
        question.project,
        question.other,
        project_there=question.project_there,
        is_linked=question.linked,
    )


def _draft(question: s.AddProject) -> pt.ProjectDraft:
    fields = pt.ProjectDraft.__struct_fields__
    return pt.ProjectDraft(**{field: getattr(question, field) for field in fields})
