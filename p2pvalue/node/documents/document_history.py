"""A document's past: its edits, its text at any version, who wrote what, and what is taken back.

A version is named by updates, "+" between them: it is these and their pasts. So it means the same
on every node that holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from p2pvalue import past_types as pt
from p2pvalue import types as t
from p2pvalue.node.documents.attributed import attributed, credited
from p2pvalue.node.documents.document_replay import Replay
from p2pvalue.node.documents.documents import Documents, InUse
from p2pvalue.node.documents.made_edits import MadeEdit, taken_back
from p2pvalue.node.documents.readable import readable
from p2pvalue.node.documents.taking_back import CHANGED, turned
from p2pvalue.node.pace import Pace
from p2pvalue.node.references import resolve
from p2pvalue.texts.attribution import NOBODY, Run
from p2pvalue_protocol.documents.looking_back import ids_like
from p2pvalue_protocol.errors import P2PValueError

_BETWEEN_IDS: Final = "+"


class DocumentHistory:
    """The past of the documents of one community."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def edits(self, reference: str, limit: int) -> pt.HistoryView:
        """Return the newest edits of a document, newest last; ~50 µs an update."""
        async with self._documents.use(reference) as used:
            replay = Replay(used.replica)
        edits = await replay.edits()
        first, is_back = max(0, len(edits) - limit), taken_back(edits)
        return pt.HistoryView(
            document=used.subject.hex(),
            title=used.title,
            version=_named(replay.heads),
            earlier=first,
            edits=[
                _edit_view(edits[number], is_taken_back=number in is_back)
                for number in range(first, len(edits))
            ],
        )

    async def at(self, reference: str, version: str) -> t.TextView:
        """Return the text as it was for who had just this past; ~50 µs an update."""
        async with self._documents.use(reference) as used:
            replay = _replay_at(used, version)
        with readable(used.subject):
            text = await _text_of(replay)
        return t.TextView(
            document=used.subject.hex(),
            title=used.title,
            text=text,
            version=_named(replay.heads),
        )

    async def blame(self, reference: str, version: str, *, deleted: bool) -> pt.BlameView:
        """Return who wrote each run of the text, now or at a version; ~150 µs an update."""
        async with self._documents.use(reference) as used:
            replay = _replay_at(used, version)
        edits = await replay.edits()
        with readable(used.subject):
            async with attributed(replay, edits) as shown:
                runs = await shown.runs_by_edit(deleted=deleted)
        by_number = credited(edits)
        if any(run.author not in by_number for run in runs):
            raise P2PValueError(CHANGED)
        views, pace = [], Pace()
        for run in runs:
            views.append(_run_view(run, by_number))
            await pace.rest()
        return pt.BlameView(
            document=used.subject.hex(),
            title=used.title,
            version=_named(replay.heads),
            runs=views,
        )

    async def restore(self, reference: str, version: str) -> t.TextView:
        """Make the text what it was at a version, by a new edit; the document's names stay."""
        then = await self.at(reference, version)
        return await self._documents.rewrite(
            then.document, then.text, base_version="", base_text=None
        )

    async def undo(self, reference: str) -> pt.TurnView:
        """Take back the newest edit of this device that is not taken back; others' text stays."""
        async with self._documents.use(reference) as used:
            return await self._turn(used, is_again=False)

    async def redo(self, reference: str) -> pt.TurnView:
        """Do again what `undo` took back last, unless something was written since."""
        async with self._documents.use(reference) as used:
            return await self._turn(used, is_again=True)

    async def _turn(self, used: InUse, *, is_again: bool) -> pt.TurnView:
        turn = await turned(self._documents, used, is_again=is_again)
        return pt.TurnView(
            document=used.subject.hex(),
            title=used.title,
            edit=_edit_view(turn.edit, is_taken_back=not is_again),
            inserted=turn.letters.inserted,
            deleted=turn.letters.deleted,
        )


def _replay_at(used: InUse, version: str) -> Replay:
    """Return the past that a version names, all of it if empty; raises NotFound."""
    if not version:
        return Replay(used.replica)
    core = used.replica.facts.core
    named = {
        resolve(part, ((op_id, "") for op_id in ids_like(core, part)), "version")
        for part in version.lower().split(_BETWEEN_IDS)
    }
    return Replay(used.replica, tuple(sorted(named)))


async def _text_of(replay: Replay) -> str:
    shown = await replay.empty_document()
    try:
        async for facts, batch in replay.judged():
            await shown.apply([facts.encoded(each) for each in batch])
        return await shown.text()
    finally:
        shown.close()


def _named(heads: tuple[bytes, ...]) -> str:
    return _BETWEEN_IDS.join(head.hex() for head in heads)


def _edit_view(edit: MadeEdit, *, is_taken_back: bool) -> pt.EditView:
    return pt.EditView(
        version=edit.op_id.hex(),
        member=edit.member.hex(),
        since=edit.since_ms,
        time=edit.last.time,
        updates=edit.updates,
        inserted=edit.inserted,
        deleted=edit.deleted,
        undoes="" if edit.undoes is None else edit.undoes.hex(),
        is_taken_back=is_taken_back,
    )


def _run_view(run: Run, by_number: Mapping[int, MadeEdit]) -> pt.RunView:
    wrote = by_number[run.author]
    gone = None if run.deleter == NOBODY else by_number[run.deleter]
    return pt.RunView(
        text=run.text,
        member=wrote.member.hex(),
        version=wrote.op_id.hex(),
        time=wrote.last.time,
        deleted_by="" if gone is None else gone.member.hex(),
        deleted_in="" if gone is None else gone.op_id.hex(),
        deleted_time=0 if gone is None else gone.last.time,
    )
