"""The projects that a community shows, as the store has them folded."""

from __future__ import annotations

from collections.abc import Iterator

from p2pvalue.node.context import Context
from p2pvalue.node.references import every_state, full_id, resolve
from p2pvalue_protocol.kinds import decode_state, project
from p2pvalue_protocol.past import StateRow


def project_state(row: StateRow) -> project.ProjectState:
    """Return what the stored state of a project says."""
    state = decode_state(row.kind, row.state)
    assert isinstance(state, project.ProjectState)
    return state


def every_project(context: Context, community: bytes) -> Iterator[StateRow]:
    """Yield the states of all projects."""
    return every_state(context.store, community, project.NUMBER)


def project_at(context: Context, community: bytes, subject: bytes) -> StateRow | None:
    """Return a project by its id, if it is held."""
    row = context.store.state(community, subject) if subject else None
    return row if row is not None and row.kind == project.NUMBER else None


def resolve_project(context: Context, community: bytes, reference: str) -> bytes:
    """Return the id of the project meant; raises NotFound.

    A title means the project that is not dropped, if there are others of that title.
    """
    whole = full_id(reference, 16)
    if whole is not None and project_at(context, community, whole) is not None:
        return whole
    found = [(row.subject, project_state(row)) for row in every_project(context, community)]
    living = {state.title for _, state in found if not state.dropped}
    return resolve(
        reference,
        (
            (subject, "" if state.dropped and state.title in living else state.title)
            for subject, state in found
        ),
        "project",
    )


def title_of(context: Context, community: bytes, subject: bytes) -> str:
    """Return what a project is called; empty if it is none or has not arrived."""
    row = project_at(context, community, subject)
    return "" if row is None else project_state(row).title


def project_titles(context: Context, community: bytes) -> dict[bytes, str]:
    """Return what all projects are called."""
    return {row.subject: project_state(row).title for row in every_project(context, community)}
