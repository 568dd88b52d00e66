"""What there is to say of one member: what she says of herself, and how she keeps her word."""

from __future__ import annotations

from typing import Final

from p2pvalue import need_types as nt
from p2pvalue.node.context import Context
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.needs import Needs
from p2pvalue.node.people import People, profile_of, resolve_member
from p2pvalue_protocol.errors import NotAdmitted
from p2pvalue_protocol.needs.reliability import DAY_MS, endings_of, reliability

_NOTHING: Final = (None, 0)


def about_member(context: Context, community: bytes, needs: Needs, reference: str) -> nt.AboutView:
    """Return what there is to say of a member, to members; reads where all needs stand.

    Computed here at every question, as of the last midnight (UTC), and kept or sent nowhere.
    """
    if People(context, community).my_rank() is None:
        raise NotAdmitted("only members are told of members: you read here")
    root = resolve_member(context, community, reference)
    as_of_ms = context.clock_ms() // DAY_MS * DAY_MS
    endings = [
        ending
        for row in needs.rows()
        for ending in endings_of(need_state(row), row.time, needs.standing(row), root, as_of_ms)
    ]
    percent, words = reliability(endings, as_of_ms) or _NOTHING
    said = profile_of(context, community, root)
    return nt.AboutView(
        member=root.hex(),
        name=needs.names().of(root),
        skills=[] if said is None else list(said.skills),
        interests=[] if said is None else list(said.interests),
        hours_per_week=0 if said is None else said.hours_per_week or 0,
        kept_percent=percent,
        kept_words=words,
        as_of=as_of_ms,
    )
