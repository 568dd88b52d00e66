"""What a community wants done: needs are written, changed, closed and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import msgspec
import trio

from p2pvalue import need_types as nt
from p2pvalue.node.context import Context
from p2pvalue.node.needs.interests import voices, wanting
from p2pvalue.node.needs.need_boards import need_state, read_acts
from p2pvalue.node.needs.need_checks import (
    ENDED,
    check_close,
    check_days,
    check_drop,
    check_open,
    check_what_comes_first,
)
from p2pvalue.node.needs.need_proofs import (
    read_proof_data,
    read_proof_file,
    shown_about,
    write_proof,
)
from p2pvalue.node.needs.need_timeline import timeline
from p2pvalue.node.needs.need_views import need_view
from p2pvalue.node.needs.next_steps import steps_of
from p2pvalue.node.needs.origins import message_meant, of_text, origin_view
from p2pvalue.node.needs.project_states import project_titles, resolve_project, title_of
from p2pvalue.node.needs.stand_ins import out_of
from p2pvalue.node.pace import Pace
from p2pvalue.node.people import Names, resolve_member
from p2pvalue.node.references import every_state, full_id, resolve
from p2pvalue.proof_types import ProofView
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import close, need
from p2pvalue_protocol.needs.acts import Act, Acts, sorted_acts, withdrawals
from p2pvalue_protocol.needs.closing import CLOSES_OF_ONE_MAX, may_close
from p2pvalue_protocol.needs.standing import NeedStanding
from p2pvalue_protocol.past import StateRow
from p2pvalue_protocol.proof.form import encode_proof
from p2pvalue_protocol.proof.making import Making


class Needs:
    """The needs of one community."""

    def __init__(self, context: Context, community: bytes) -> None:
        self._context = context
        self._community = community

    # --- reading

    async def all(self) -> list[nt.NeedView]:
        """Return all needs, oldest change first; reads anew what changed since the last time.

        Others have their turns meanwhile, so each is as it was when it was looked at.
        """
        pace = Pace()
        names, me = self.names(), self._context.root(self._community)
        wanted = await voices(self._context, self._community, pace)
        titles = project_titles(self._context, self._community)
        sealed = self._sealed()
        is_out = cache(self._context.membership(self._community).is_out)
        found: dict[bytes, nt.NeedView] = {}
        for row in self.rows():
            found.pop(row.subject, None)  # it was changed meanwhile, and is among the newest
            standing = self.standing(row)
            found[row.subject] = need_view(
                row,
                standing,
                names,
                wanted.get(row.subject, ()),
                me,
                project_title=titles.get(need_state(row).project, ""),
                absent=out_of(is_out, need_state(row), standing.terms),
                sealed=sealed,
            )
            await pace.rest()
        return list(found.values())

    def named(self, reference: str) -> nt.NeedView:
        """Return the need meant; raises NotFound."""
        return self.view(self.row(reference))

    def steps(self, reference: str) -> list[nt.StepView]:
        """Return what we may do next about a need; raises NotFound."""
        row = self.row(reference)
        me, now_ms = self._context.root(self._community), self._context.clock_ms()
        membership = self._context.membership(self._community)
        return steps_of(need_state(row), self.standing(row), me, now_ms, self.names(), membership)

    def view(self, row: StateRow) -> nt.NeedView:
        """Return a need as it stands now."""
        me = self._context.root(self._community)
        wanted = wanting(self._context, self._community, row.subject).get(row.subject, ())
        title = title_of(self._context, self._community, need_state(row).project)
        standing, names = self.standing(row), self.names()
        is_out = self._context.membership(self._community).is_out
        view = need_view(
            row,
            standing,
            names,
            wanted,
            me,
            project_title=title,
            absent=out_of(is_out, need_state(row), standing.terms),
            sealed=self._sealed(),
        )
        origin = origin_view(self._context, self._community, need_state(row).message)
        return view if origin is None else msgspec.structs.replace(view, origin=origin)

    def timeline(self, reference: str) -> list[nt.HappeningView]:
        """Return what happened to a need and its pledges; reads all that was said of it."""
        return timeline(self._context, self._community, self.row(reference), self.names())

    def rows(self) -> Iterator[StateRow]:
        """Yield the states of all needs."""
        return every_state(self._context.store, self._community, need.NUMBER)

    def row(self, reference: str) -> StateRow:
        """Return the state of the need meant: of several with a title the one that is not over.

        Raises NotFound.
        """
        whole = full_id(reference, 16)
        found = None if whole is None else self._held(whole)
        if found is None:
            index = self._context.boards.index(self._context.store, self._community)
            titles = index.titles(lambda row: need_state(row).title)
            named = [subject for subject, title in titles if title == reference.strip()]
            under_way = [n for n in named if not self._is_over(n)] if len(named) > 1 else []
            is_clear = len(under_way) == 1
            found = self._held(under_way[0] if is_clear else resolve(reference, titles, "need"))
        assert found is not None, "a resolved need is held"
        return found

    def row_of(self, subject: bytes) -> StateRow:
        """Return the state of a need by its id; raises NotFound."""
        found = self._held(subject)
        if found is None:
            raise NotFound(f"there is no need {subject.hex()[:12]} here: list the needs")
        return found

    def standing(self, row: StateRow) -> NeedStanding:
        """Return where a need stands."""
        copy = self._context.copy_of(self._community)
        return self._context.boards.of(copy, self._context.store, row)

    def _is_over(self, subject: bytes) -> bool:
        return self.standing(self.row_of(subject)).state in ENDED

    def has_close(self, row: StateRow) -> bool:
        """Return whether anybody said that a need is closed; one seek."""
        store = self._context.store
        return bool(store.entries(self._community, row.subject, close.NUMBER, limit=1))

    def names(self) -> Names:
        """Return what members are called."""
        return Names(self._context, self._community)

    # --- writing

    async def add(self, draft: nt.NeedDraft) -> nt.NeedView:
        """Write a need; of a message, it has its title and body, unless others are given."""
        draft = self._of_message(draft)
        if draft.title is None or not draft.lines:
            raise LocalProtocolError("a need has a title and says how much it takes: give both")
        given = self._given(draft)
        check_days(given, None)
        payload = need.encode_need(given.pop("title"), given.pop("lines"), **given)
        [order] = await self._context.write(self._community, [Draft(need.NUMBER, b"", payload)])
        return self.view(self.row_of(subject_of(order.op_id)))

    async def change(self, reference: str, draft: nt.NeedDraft) -> nt.NeedView:
        """Change what is given; nothing is written if nothing is given."""
        row = self.row(reference)
        given = self._given(draft)
        if not given:
            return self.view(row)
        payload = need.encode_need_change(**given)
        self._check_may_change(row, given)
        self._check_terms(row, given)
        check_days(given, need_state(row))
        check_what_comes_first(given.get("depends", ()), row.subject, self._held)
        if given.get("status") == "dropped":
            check_drop(self.standing(row).state)
        elif given.get("status") == "open":
            check_open(self.standing(row).state)
        await self._context.write(self._community, [Draft(need.NUMBER, row.subject, payload)])
        return self.view(self.row_of(row.subject))

    async def close(self, reference: str) -> nt.NeedView:
        """Close a need with every offer and withdrawal held here that is in time."""
        row = self.row(reference)
        standing, state = self.standing(row), need_state(row)
        me, terms = self._context.root(self._community), standing.terms
        if terms.trigger == "none":
            raise LocalProtocolError("this need has no threshold: pledges to it bind at once")
        if terms.closes and self._context.clock_ms() < terms.closes:
            raise LocalProtocolError(
                "pledges can be made and withdrawn until its last day is over: close it then"
            )
        acts = self._acts(row)
        counted = self._counted(standing, acts)
        pledgers = frozenset(act.member for act in counted)
        if not may_close(state, terms, me, pledgers):
            asked = ", ".join(person.name for person in self.view(row).stewards)
            raise NotAdmitted(
                f"it is for {asked} to close this need, or for two who have no part in it"
            )
        check_close(standing)
        payload = close.encode_close(row.subject, standing.terms_id, [act.name for act in counted])
        await self._context.write(self._community, [Draft(close.NUMBER, b"", payload)])
        return self.view(row)

    async def prove(self, reference: str, target: Path | None = None) -> ProofView:
        """Make the file that proves what became of a need; return what a stranger reads in it.

        It is written to `target`, if that is given, and else let go.
        """
        row = self.row(reference)
        self._context.sign()
        copy = self._context.copy_of(self._community)
        making = Making(copy, row.subject, shown_about(self._context.store, self._community, row))
        for _ in making.pages():
            await trio.lowlevel.checkpoint()
            if self._context.copy_of(self._community) is not copy:
                raise LocalProtocolError("the community was read anew meanwhile: try again")
        data = await trio.to_thread.run_sync(encode_proof, making.form())
        if target is None:
            return await trio.to_thread.run_sync(read_proof_data, data, "this file")
        await trio.to_thread.run_sync(write_proof, target, data)
        return await trio.to_thread.run_sync(read_proof_file, target)

    def _sealed(self) -> int:
        return self._context.copy_of(self._community).sealed_count

    def _acts(self, row: StateRow) -> Acts:
        copy = self._context.copy_of(self._community)
        return sorted_acts(read_acts(copy, self._context.store, row))

    def _counted(self, standing: NeedStanding, acts: Acts) -> list[Act]:
        """Return what a CLOSE of ours is to count; refuses one that would change nothing."""
        named: set[bytes] = set()
        me, said_before = self._context.root(self._community), 0
        for act in acts.closes:
            said = act.payload
            assert isinstance(said, close.Close)
            if said.terms == standing.terms_id and not act.is_hidden:
                said_before += act.member == me
                named |= set(close.names(said)) if standing.is_closed else set()
        if said_before and not standing.is_closed:
            raise LocalProtocolError("you closed this need: another member has to say so, too")
        counted = _in_time(acts, standing, named)
        if standing.is_closed and not counted:
            raise LocalProtocolError("this need is closed already, with all that came in time")
        if said_before >= CLOSES_OF_ONE_MAX:
            raise LocalProtocolError("you closed this need several times: let somebody else do it")
        return counted

    def _given(self, draft: nt.NeedDraft) -> dict[str, Any]:
        """Return the fields of the payload that a draft gives."""
        convert: dict[str, Callable[[Any], object]] = {
            "lines": _written_lines,
            "skills": tuple,
            "stewards": self._roots,
            "confirmers": self._roots,
            "depends": self._subjects,
            "project": self._project,
            "message": self._message,
        }
        given = {field: getattr(draft, field) for field in draft.__struct_fields__}
        return {
            field: convert[field](value) if field in convert else value
            for field, value in given.items()
            if value is not None
        }

    def _roots(self, references: Sequence[str]) -> tuple[bytes, ...]:
        found = (resolve_member(self._context, self._community, r) for r in references)
        return tuple(sorted(set(found)))

    def _subjects(self, references: Sequence[str]) -> tuple[bytes, ...]:
        return tuple(sorted({self.row(reference).subject for reference in references}))

    def _project(self, reference: str) -> bytes:
        return resolve_project(self._context, self._community, reference) if reference else b""

    def _message(self, reference: str) -> bytes:
        if not reference:
            return b""
        return message_meant(self._context, self._community, reference).message

    def _of_message(self, draft: nt.NeedDraft) -> nt.NeedDraft:
        """Return a draft with what the message says that it comes of, if it comes of one."""
        if not draft.message:
            return draft
        origin = message_meant(self._context, self._community, draft.message)
        title, body = of_text(draft, origin.text)
        return msgspec.structs.replace(
            draft, title=title, body=body or None, message=origin.message.hex()
        )

    def _check_may_change(self, row: StateRow, given: dict[str, Any]) -> None:
        state = need_state(row)
        me = self._context.root(self._community)
        standing = self._context.membership(self._community).standing(
            self._context.device(self._community)
        )
        is_admin = standing is not None and standing.rank <= need.RANK_MAY_EDIT_MAX
        if me == state.author or is_admin:
            return
        is_steward = me in state.terms[-1].stewards
        if not is_steward or {"stewards", "confirmers"} & given.keys():
            raise NotAdmitted(
                f"this is changed by {self.names().of(state.author)}, who asked for it, or by an"
                " admin: ask one of them"
            )

    def _check_terms(self, row: StateRow, given: dict[str, Any]) -> None:
        """Refuse to change terms that stand already: it would do nothing, or undo what binds."""
        if not given.keys() & set(need.Terms.__struct_fields__):
            return
        standing = self.standing(row)
        closes = standing.terms.closes
        is_over = standing.is_closed or (closes and self._context.clock_ms() > closes)
        if is_over or any(p.word is not None and p.word.bound for p in standing.pledges):
            raise LocalProtocolError(
                "amounts, last day, trigger, stewards and confirmers stay as they are once pledges"
                " bind or the last day is over: add another need for what is different"
            )

    def _held(self, subject: bytes) -> StateRow | None:
        row = self._context.store.state(self._community, subject)
        return row if row is not None and row.kind == need.NUMBER else None


def _in_time(acts: Acts, standing: NeedStanding, named: set[bytes]) -> list[Act]:
    """Return the offers and withdrawals that a CLOSE of ours counts, beside those `named` already.

    Only what can count is named, and members have turns: nobody fills a CLOSE with her own words.
    """
    terms, gone = standing.terms, withdrawals(acts)
    by_member: dict[bytes, list[Act]] = {}
    for offer in acts.offers:
        said = offer.said
        fits = said.terms == standing.terms_id and (said.line or 0) < len(terms.lines)
        pair = [offer.act, gone[offer.pledge]] if offer.pledge in gone else [offer.act]
        by_member.setdefault(offer.member, []).extend(
            act
            for act in pair
            if fits and said.takes is None and not act.is_hidden and act.name not in named
            if not terms.closes or act.order.time <= terms.closes
        )
    rounds = zip_longest(*(by_member[member] for member in sorted(by_member)))
    found = (act for turn in rounds for act in turn if act is not None)
    return list(islice(found, close.NAMES_MAX))


def _written_lines(lines: Sequence[nt.LineView]) -> tuple[need.NeedLine, ...]:
    return tuple(need.NeedLine(line.kind, line.unit, line.minimum, line.optimum) for line in lines)
