"""Care that a person did and nobody wrote down, found on her own machine and told to nobody else.

What is suggested becomes a contribution only if she accepts it. What she waves away is remembered
among the node's own values, so it comes again on no day, and goes with the community.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from p2pvalue import fact_types as ft
from p2pvalue.amounts import counted
from p2pvalue.node.context import Context
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.needs import Needs
from p2pvalue.node.references import every_state
from p2pvalue.node.value.minutes import MINUTES, minutes_kept
from p2pvalue.node.value.moderation import moderated
from p2pvalue.node.value.welcomes import welcomed
from p2pvalue_protocol.kinds import contribution, decode_state
from p2pvalue_protocol.needs.keeping import Word

REVIEW: Final = "review"
_TITLE: Final = "Looked through what others did"  # and the contribution names the need
DAYS_MS: Final = 60 * 24 * 3_600_000
"""What is older is not suggested: nobody remembers how long it took."""
LISTED_MAX: Final = 5  # of one source at once
_DISMISSED_MAX: Final = 1_000
_DISMISSED = msgspec.msgpack.Decoder(tuple[bytes, ...])


def suggested(context: Context, community: bytes, needs: Needs) -> list[ft.SuggestionView]:
    """Return what we looked after and did not write down; looks at all needs, titles, members."""
    me = context.root(community)
    since_ms = context.clock_ms() - DAYS_MS
    found = [
        *reviews(needs, me, since_ms),
        *minutes_kept(context.store, community, me, since_ms),
        *welcomed(context, community, me, since_ms),
        *moderated(context, community, me, since_ms),
    ]
    dismissed = _dismissed(context, community)
    said = list(_written_down(context, community, me))
    left = [
        view
        for view in found
        if bytes.fromhex(view.suggestion) not in dismissed
        and not any(_is_said_by(state, view) for state in said)
    ]
    return list(_few(left))


def _few(found: list[ft.SuggestionView]) -> Iterator[ft.SuggestionView]:
    """Yield the newest of each source, oldest first: nobody wants to answer a hundred questions."""
    for source in dict.fromkeys(view.source for view in found):
        by_day = sorted((v for v in found if v.source == source), key=lambda view: view.day)
        yield from by_day[-LISTED_MAX:]


def reviews(needs: Needs, me: bytes, since_ms: int) -> Iterator[ft.SuggestionView]:
    """Yield the needs of which we confirmed or settled what others pledged; looks at all needs."""
    for row in needs.rows():
        words = [p.word for p in needs.standing(row).pledges if p.word is not None]
        judged = [word for word in words if _is_judged_by(word, me)]
        day = max((word.delivered_ms for word in judged), default=0)
        if judged and day >= since_ms:
            title = need_state(row).title
            what = counted(len(judged), "pledge")
            yield ft.SuggestionView(
                suggestion=row.subject.hex(),
                source=REVIEW,
                title=_TITLE,
                why=f'you confirmed or settled {what} of others to "{title}"',
                day=day,
                need=row.subject.hex(),
            )


def dismiss(context: Context, community: bytes, suggestion: bytes) -> None:
    """Remember, on this device, not to suggest something again; durable on return."""
    known = _dismissed(context, community)
    if suggestion not in known:
        kept = (*known, suggestion)[-_DISMISSED_MAX:]
        context.store.put_meta(_key(community), msgspec.msgpack.encode(kept))


def _is_judged_by(word: Word, member: bytes) -> bool:
    return member in word.confirmed or word.settled_by == member


def _written_down(
    context: Context, community: bytes, me: bytes
) -> Iterator[contribution.ContributionState]:
    """Yield what we wrote down and did not take back."""
    for row in every_state(context.store, community, contribution.NUMBER):
        state = decode_state(row.kind, row.state)
        assert isinstance(state, contribution.ContributionState)
        if state.author == me and not state.withdrawn:
            yield state


def _is_said_by(state: contribution.ContributionState, view: ft.SuggestionView) -> bool:
    """Return whether a contribution of ours, from whichever device, is what is suggested."""
    if view.source == MINUTES:
        return state.title == view.title  # its day moves on while they are written
    if view.need:
        return state.source == view.source and state.need.hex() == view.need
    return state.source == view.source and state.day == view.day


def _dismissed(context: Context, community: bytes) -> tuple[bytes, ...]:
    data = context.store.meta(_key(community))
    return () if data is None else _DISMISSED.decode(data)


def _key(community: bytes) -> str:
    return f"dismissed:{community.hex()}"
