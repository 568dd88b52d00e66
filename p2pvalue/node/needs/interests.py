"""Who says that she needs something, too, and who takes part in a project or follows it."""

from __future__ import annotations

from collections.abc import Iterator

from p2pvalue.node.context import Context
from p2pvalue.node.pace import Pace
from p2pvalue.node.references import every_state
from p2pvalue_protocol.kinds import decode_state, interest


def interests(
    context: Context, community: bytes, about: bytes | None = None
) -> Iterator[interest.InterestState]:
    """Yield what members want with one thing, or with all."""
    for row in every_state(context.store, community, interest.NUMBER, group=about):
        state = decode_state(row.kind, row.state)
        assert isinstance(state, interest.InterestState)
        yield state


def wants(
    context: Context, community: bytes, about: bytes | None = None
) -> Iterator[interest.InterestState]:
    """Yield who wants a need, or all needs."""
    return (state for state in interests(context, community, about) if state.role == "want")


async def voices(context: Context, community: bytes, pace: Pace) -> dict[bytes, set[bytes]]:
    """Return who wants each need, of all needs, while others have their turns."""
    found: dict[bytes, set[bytes]] = {}
    for state in wants(context, community):
        found.setdefault(state.about, set()).add(state.author)
        await pace.rest()
    return found


def wanting(
    context: Context, community: bytes, about: bytes | None = None
) -> dict[bytes, set[bytes]]:
    """Return who wants each need, by need."""
    found: dict[bytes, set[bytes]] = {}
    for state in wants(context, community, about):
        found.setdefault(state.about, set()).add(state.author)
    return found
