"""What several needs belong to, here and in the other communities of the node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from p2pvalue import project_types as pt
from p2pvalue.need_types import NeedView, PersonView
from p2pvalue.node.blobs.blob_states import blob_at, resolve_blob
from p2pvalue.node.cards import community_name
from p2pvalue.node.context import Context
from p2pvalue.node.needs.interests import interests
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.needs import Needs
from p2pvalue.node.needs.project_states import (
    every_project,
    project_at,
    project_state,
    resolve_project,
)
from p2pvalue.node.pace import Pace
from p2pvalue.node.people import RANKS, Names, People
from p2pvalue.node.references import resolve
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import interest, project
from p2pvalue_protocol.past import StateRow

OVER: Final = frozenset(("confirmed", "settled", "lapsed", "dropped"))
"""The states of needs for which nothing is to be done any more."""

_ASKED_MAX: Final = 3  # so many projects are named when one is to be chosen


class Projects:
    """The projects of one community."""

    def __init__(self, context: Context, community: bytes, needs: Needs) -> None:
        self._context = context
        self._community = community
        self._needs = needs

    # --- reading

    async def all(self) -> list[pt.ProjectView]:
        """Return all projects, oldest change first; reads every need and interest once.

        Others have their turns meanwhile.
        """
        pace = Pace()
        roles: dict[bytes, list[interest.InterestState]] = {}
        for state in interests(self._context, self._community):
            roles.setdefault(state.about, []).append(state)
            await pace.rest()
        open_in: dict[bytes, bytes] = {}
        for row in self._needs.rows():
            of = need_state(row).project
            open_in.pop(row.subject, None)  # it was changed meanwhile
            if of and self._needs.standing(row).state not in OVER:
                open_in[row.subject] = of
            await pace.rest()
        counts = Counter(open_in.values())
        names = self._needs.names()
        return [
            self._view(row, roles.get(row.subject, ()), counts[row.subject], names)
            for row in every_project(self._context, self._community)
        ]

    def page(self, reference: str) -> pt.ProjectPageView:
        """Return the project meant, its needs, and those of what it is linked to; or NotFound."""
        row = self._row(reference)
        needs = self._needs_of(row.subject)
        view = self._view_now(row, needs)
        return pt.ProjectPageView(
            project=view,
            needs=needs,
            linked=[
                pt.LinkedNeedsView(elsewhere=there, needs=self._needs_there(there))
                for there in view.also
                if there.is_here
            ],
        )

    def _needs_there(self, there: pt.ElsewhereView) -> list[NeedView]:
        other = self._other(bytes.fromhex(there.community))
        return other._needs_of(bytes.fromhex(there.project))

    # --- writing

    async def add(self, draft: pt.ProjectDraft) -> pt.ProjectView:
        """Begin a project."""
        if draft.title is None:
            raise LocalProtocolError("a project has a title: give one")
        given = self._given(draft)
        payload = project.encode_project(given.pop("title"), **given)
        return self._view_now(self._held(await self._write(b"", payload)))

    async def change(self, reference: str, draft: pt.ProjectDraft) -> pt.ProjectView:
        """Change what is given; nothing is written if nothing is given."""
        row = self._row(reference)
        given = self._given(draft)
        if given:
            self._check_may_change(row)
            await self._write(row.subject, project.encode_project_change(**given))
        return self._view_now(self._held(row.subject))

    async def set_role(self, reference: str, role: pt.ProjectRole) -> pt.ProjectView:
        """Say what we are to a project; nothing is written if that is said already."""
        row = self._row(reference)
        if self._view_now(row).role != role:
            payload = interest.encode_interest(row.subject, role)
            draft = Draft(interest.NUMBER, b"", payload)
            await self._context.write(self._community, [draft])
        return self._view_now(row)

    async def link(
        self, reference: str, other: str, *, project_there: str = "", is_linked: bool = True
    ) -> pt.ProjectView:
        """Say that a project is the same as one in another community of ours, or no more.

        Without `project_there` it is the one that this one names there already, else the one of
        ours there that names this one, else a project like it that is made there. If others there
        name it, whoever they are, it must be said which is meant. If the other project is not ours
        to change, only this one names it.
        """
        row = self._row(reference)
        self._check_may_change(row)
        there = self._other(self._community_meant(other))
        if is_linked:
            theirs = await self._partner(row, there, project_there)
            await self._name(row, there, theirs, is_linked=True)
            if there._may_change(theirs):
                await there._name(theirs, self, row, is_linked=True)
        else:
            for named in _named_in(row, there):
                held = project_at(self._context, there._community, named.project)
                await self._write_also(row, set(project_state(row).also) - {named})
                if held is not None and there._may_change(held):
                    await there._name(held, self, row, is_linked=False)
                row = self._held(row.subject)
        return self._view_now(self._held(row.subject))

    async def _partner(self, row: StateRow, there: Projects, reference: str) -> StateRow:
        """Return the project there that is to be named; makes one if there is none."""
        if reference:
            return there._row(reference)
        meant = self._meant_there(row, there)
        if meant is not None:
            return meant
        state = project_state(row)
        if len(state.also) >= project.ALSO_MAX:
            raise LocalProtocolError(_too_many())
        draft = pt.ProjectDraft(title=state.title, body=state.body, place=state.place)
        return there._held(bytes.fromhex((await there.add(draft)).project))

    def _meant_there(self, row: StateRow, there: Projects) -> StateRow | None:
        """Return the one project there that can be meant; refuses to choose, or to trust others."""
        ours = [
            held
            for named in _named_in(row, there)
            if (held := project_at(self._context, there._community, named.project)) is not None
        ]
        theirs = [
            held
            for held in every_project(self._context, there._community)
            if _named(held, self._community, row.subject) and not project_state(held).dropped
        ]
        if len(ours) == 1 or not (ours or theirs):
            return ours[0] if ours else None
        me = self._context.root(there._community)
        if not ours and len(theirs) == 1 and project_state(theirs[0]).author == me:
            return theirs[0]
        names = there._needs.names()
        each = " or ".join(
            f'"{project_state(held).title}" of {names.of(project_state(held).author)}'
            f" ({held.subject.hex()[:8]})"
            for held in (ours or theirs)[:_ASKED_MAX]
        )
        raise LocalProtocolError(
            f"{each} may be meant there: say which with `--as`, or begin one of your own there with"
            " `p2pvalue project create` and name that"
        )

    async def _name(
        self, row: StateRow, there: Projects, theirs: StateRow, *, is_linked: bool
    ) -> None:
        named = {project.Elsewhere(there._community, theirs.subject)}
        also = set(project_state(row).also)
        await self._write_also(row, also | named if is_linked else also - named)

    async def _write_also(self, row: StateRow, also: set[project.Elsewhere]) -> None:
        if len(also) > project.ALSO_MAX:
            raise LocalProtocolError(_too_many())
        if also != set(project_state(row).also):
            payload = project.encode_project_change(also=tuple(sorted(also)))
            await self._write(row.subject, payload)

    async def _write(self, subject: bytes, payload: bytes) -> bytes:
        """Write what is said of a project; return its id."""
        draft = Draft(project.NUMBER, subject, payload)
        [order] = await self._context.write(self._community, [draft])
        return subject or subject_of(order.op_id)

    # --- helpers

    def _row(self, reference: str) -> StateRow:
        return self._held(resolve_project(self._context, self._community, reference))

    def _held(self, subject: bytes) -> StateRow:
        row = project_at(self._context, self._community, subject)
        assert row is not None, "what was resolved or written is held"
        return row

    def _other(self, community: bytes) -> Projects:
        return Projects(self._context, community, Needs(self._context, community))

    def _community_meant(self, reference: str) -> bytes:
        known = self._context.store.communities()
        names = [(community, community_name(self._context, community)) for community in known]
        found = resolve(reference, names, "community")
        if found == self._community:
            raise LocalProtocolError(
                "a project is linked with one in another community: name that one"
            )
        return found

    def _needs_of(self, subject: bytes) -> list[NeedView]:
        rows = [row for row in self._needs.rows() if need_state(row).project == subject]
        return [self._needs.view(row) for row in rows]

    def _given(self, draft: pt.ProjectDraft) -> dict[str, Any]:
        """Return the fields of the payload that a draft gives."""
        given = {field: getattr(draft, field) for field in draft.__struct_fields__}
        if draft.image:
            given["image"] = resolve_blob(self._context.store, self._community, draft.image)
        elif draft.image == "":
            given["image"] = b""
        return {field: value for field, value in given.items() if value is not None}

    def _may_change(self, row: StateRow) -> bool:
        me = self._context.root(self._community)
        rank = People(self._context, self._community).my_rank()
        is_admin = rank is not None and RANKS.index(rank) <= project.RANK_MAY_EDIT_MAX
        return is_admin or (bool(me) and me == project_state(row).author)

    def _check_may_change(self, row: StateRow) -> None:
        if not self._may_change(row):
            author = self._needs.names().of(project_state(row).author)
            raise NotAdmitted(
                f"this is changed by {author}, who began it, or by an admin: ask one of them"
            )

    def _view_now(self, row: StateRow, needs: list[NeedView] | None = None) -> pt.ProjectView:
        """Return a project as it stands; its needs are read unless they are given."""
        found = self._needs_of(row.subject) if needs is None else needs
        roles = interests(self._context, self._community, row.subject)
        count = sum(need.state not in OVER for need in found)
        return self._view(row, roles, count, self._needs.names())

    def _view(
        self,
        row: StateRow,
        roles: Iterable[interest.InterestState],
        needs: int,
        names: Names,
    ) -> pt.ProjectView:
        state, me = project_state(row), self._context.root(self._community)
        by_role: dict[str, list[PersonView]] = {}
        my_role: pt.ProjectRole = "none"
        for said in sorted(roles, key=lambda said: (said.time, said.author)):
            person = PersonView(member=said.author.hex(), name=names.of(said.author))
            by_role.setdefault(said.role, []).append(person)
            if said.author == me and said.role != "want":
                my_role = said.role
        image = blob_at(self._context.store, (self._community, state.image))
        return pt.ProjectView(
            project=row.subject.hex(),
            title=state.title,
            body=state.body,
            place=state.place,
            image=state.image.hex(),
            image_file="" if image is None else image.name,
            also=[self._elsewhere(row, named) for named in state.also],
            dropped=state.dropped,
            members=by_role.get("member", []),
            followers=by_role.get("follower", []),
            role=my_role,
            needs=needs,
            member=state.author.hex(),
            name=names.of(state.author),
            created=state.created,
            time=row.time,
        )

    def _elsewhere(self, row: StateRow, named: project.Elsewhere) -> pt.ElsewhereView:
        is_ours = named.community in self._context.store.communities()
        held = project_at(self._context, named.community, named.project) if is_ours else None
        return pt.ElsewhereView(
            community=named.community.hex(),
            community_name=community_name(self._context, named.community) if is_ours else "",
            project=named.project.hex(),
            is_here=held is not None,
            is_mutual=held is not None and _named(held, self._community, row.subject),
        )


def _named(row: StateRow, community: bytes, subject: bytes) -> bool:
    return project.Elsewhere(community, subject) in project_state(row).also


def _named_in(row: StateRow, there: Projects) -> list[project.Elsewhere]:
    return [named for named in project_state(row).also if named.community == there._community]


def _too_many() -> str:
    return f"a project is linked with at most {project.ALSO_MAX} others: unlink one first"
