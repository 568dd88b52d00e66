"""What communities are called."""

from __future__ import annotations

from p2pvalue.node.context import Context
from p2pvalue_protocol.kinds import card, decode_state


def card_of(context: Context, community: bytes) -> card.CardState | None:
    """Return a community's card, if it has arrived."""
    row = context.store.state(community, card.CARD_SUBJECT)
    if row is None or row.kind != card.NUMBER:
        return None
    state = decode_state(row.kind, row.state)
    assert isinstance(state, card.CardState)
    return state


def community_name(context: Context, community: bytes) -> str:
    """Return what its card calls it, or a name made from its id while the card is not here."""
    state = card_of(context, community)
    return state.name if state is not None else f"community {community.hex()[:6]}"
