"""Taking back what this device wrote, and doing it again: each is a new edit that says so.

In a text, what goes and what comes is known by the run: what the old edit wrote goes, and what it
deleted comes back. A rich document has no runs but its Markdown, so there the change from its text
with the old edit to that without is brought into the text as it is, as another person's would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

import trio

from p2pvalue.node.documents.attributed import attributed
from p2pvalue.node.documents.document_facts import OwnUpdate
from p2pvalue.node.documents.document_replay import Replay
from p2pvalue.node.documents.document_replica import DocumentReplica
from p2pvalue.node.documents.documents import Documents, InUse
from p2pvalue.node.documents.made_edits import MadeEdit, Whose, credits_of, standing
from p2pvalue.node.documents.readable import readable
from p2pvalue.node.documents.set_aside import Written
from p2pvalue_protocol.documents.looking_back import Letters, letters_of
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.errors import LocalProtocolError, P2PValueError
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document

CHANGED: Final = "others changed the past of this text: try again"
_NOTHING_DONE: Final = 'nothing that this device wrote in "{title}" is left to take back'
_NOTHING_UNDONE: Final = 'nothing that was taken back in "{title}" can be done again'


class Turn(NamedTuple):
    """The edit that was taken back, or done again, and what that inserted and deleted."""

    edit: MadeEdit
    letters: Letters


class _Candidate(NamedTuple):
    """An edit that can be taken back or done again; `undoes` is what the new edit takes back."""

    number: int
    undoes: int


async def turned(documents: Documents, used: InUse, *, is_again: bool) -> Turn:
    """Take back the newest edit of this device that can be, or do again the last taken back.

    What nothing is left of is passed over. Raises LocalProtocolError if there is none. Costs a
    reading of all of the past, of a rich document two more for each edit that is looked at.
    """
    replay = Replay(used.replica)
    edits = await replay.edits()
    await trio.lowlevel.checkpoint()
    now = standing(edits, used.replica.own_branch())
    candidates = [_Candidate(number, number) for number in now.done]
    if is_again:
        candidates = [_Candidate(*entry) for entry in now.undone.items()]
    is_rich = used.replica.place.shape == document.SHAPE_RICH
    turn = _turned_by_text if is_rich else _turned_by_runs
    with readable(used.subject):
        found = await turn(documents, used, edits, candidates, is_again=is_again)
    if found is None:
        message = _NOTHING_UNDONE if is_again else _NOTHING_DONE
        raise LocalProtocolError(message.format(title=used.title))
    return found


async def _turned_by_runs(
    documents: Documents,
    used: InUse,
    edits: Sequence[MadeEdit],
    candidates: Sequence[_Candidate],
    *,
    is_again: bool,
) -> Turn | None:
    numbers = credits_of(edits)
    async with attributed(Replay(used.replica), edits) as shown:
        if await shown.text() != await used.replica.text():
            raise P2PValueError(CHANGED)
        for number, undoes in candidates:
            turn = await shown.edits_turning(numbers[number].number, is_again=is_again)
            if turn:
                written = await documents.take_back(
                    used, partial(used.replica.edit, turn), edits[undoes].op_id
                )
                return Turn(edits[number], _letters(used.replica, written))
    return None


async def _turned_by_text(
    documents: Documents,
    used: InUse,
    edits: Sequence[MadeEdit],
    candidates: Sequence[_Candidate],
    *,
    is_again: bool,
) -> Turn | None:
    for number, undoes in candidates:
        old = edits[undoes]
        replay = Replay(used.replica, (old.op_id,))
        text, without = await _text(replay, None), await _text(replay, old)
        if text == without:
            continue
        written = await documents.take_back(
            used, partial(used.replica.rewrite, text, without), old.op_id
        )
        if written:
            return Turn(edits[number], _letters(used.replica, written))
    return None


async def _text(replay: Replay, without: MadeEdit | None) -> str:
    """Return the text of a past, as if one edit were hidden."""
    whose = Whose([] if without is None else [without])
    hidden: set[bytes] = set()

    def seen(written: Written) -> None:
        placement = written.placement
        if whose.number(placement.branch, written.session, placement.seq) is not None:
            hidden.add(placement.op_id)

    shown = await replay.empty_document()
    try:
        async for facts, batch in replay.judged(seen):
            judged = [e._replace(is_hidden=e.is_hidden or e.op_id in hidden) for e in batch]
            await shown.apply([facts.encoded(each) for each in judged])
        return await shown.text()
    finally:
        shown.close()


def _letters(replica: DocumentReplica, written: Sequence[tuple[OwnUpdate, Order]]) -> Letters:
    """Return how much updates of ours, which were just written, insert and delete."""
    core, branch = replica.facts.core, replica.own_branch()
    assert branch is not None, "our log has begun"
    found = [
        letters_of(core, Placement(order.op_id, order.device, branch, order.seq), own.update)
        for own, order in written
    ]
    return Letters(sum(one.inserted for one in found), sum(one.deleted for one in found))
