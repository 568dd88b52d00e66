"""What we did so that people get on with each other: putting out, letting back in, saying no.

Who it was about is told to who did it, and stands in no contribution.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from p2pvalue import fact_types as ft
from p2pvalue.node.context import Context
from p2pvalue.node.members.requests import PendingRequests
from p2pvalue.node.people import Names
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.acts import OUT
from p2pvalue_protocol.ids import AUTH, subject_of
from p2pvalue_protocol.operation import read_core
from p2pvalue_protocol.past import OperationRow
from p2pvalue_protocol.replica import Replica

MODERATION: Final = "moderation"
ACTS_MAX: Final = 200  # of each of our logs that are looked at, the newest


def moderated(
    context: Context, community: bytes, me: bytes, since_ms: int
) -> Iterator[ft.SuggestionView]:
    """Yield our acts since then about who is a member, and the requests that were declined here.

    Looks at the newest `ACTS_MAX` operations of each of our devices.
    """
    names, replica = Names(context, community), context.copy_of(community)
    for row in _own_acts(replica, me):
        core = read_core(row.core)
        if core.time >= since_ms and (act := _act(core.kind, row.payload)) is not None:
            title, why, root = act
            if root != me:
                told = why.format(names.of(root))
                yield _view(subject_of(row.op_id), title, told, core.time)
    for asked in PendingRequests(context.store, community).all():
        if asked.is_declined and asked.time_ms >= since_ms:
            told = f"you declined the request of {asked.name}"
            yield _view(asked.root[:16], "Answered a request to join", told, asked.time_ms)


def _own_acts(replica: Replica, me: bytes) -> Iterator[OperationRow]:
    for device in replica.membership.devices_of(me):
        for branch in replica.branches.of(device, AUTH):
            first = max(branch.row.first_seq, branch.folded_seq - ACTS_MAX + 1)
            yield from replica.branches.rows(branch, first, branch.folded_seq - first + 1)


def _act(kind: int, payload: bytes | None) -> tuple[str, str, bytes] | None:
    """Return an act's title, what to tell of it with a place for a name, and whom it is about."""
    if kind == auth.REVOKE:
        said = auth.read_payload(auth.RevokePayload, payload)
        if said is not None and said.what == auth.MEMBER_KEY and said.rank == OUT:
            return "Put a member out", "you put {} out", said.key
    elif kind == auth.VOTE:
        vote = auth.read_payload(auth.VotePayload, payload)
        if vote is not None:
            return "Voted on a member", "you voted to put {} out", vote.root
    elif kind == auth.GRANT:
        given = auth.read_payload(auth.GrantPayload, payload)
        if given is not None and given.keeps:  # what lets in or promotes keeps nothing
            return "Let a member back in", "you let {} back in", given.root
    return None


def _view(suggestion: bytes, title: str, why: str, day: int) -> ft.SuggestionView:
    return ft.SuggestionView(
        suggestion=suggestion.hex(), source=MODERATION, title=title, why=why, day=day
    )
