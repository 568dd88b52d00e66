"""What operations of one subject fold to, written as who said what."""

from __future__ import annotations

from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.kind import Order, Placed, StateKind
from p2pvalue_protocol.kinds import decode_state


def fold(kind: StateKind, *writes: tuple[bytes, bytes] | tuple[bytes, bytes, int]) -> object:
    """The state after (member, payload[, rank]) in this order; the first creates the subject."""
    placed = []
    for index, (member, payload, *rank) in enumerate(writes):
        order = Order(1_000 + index, member, index, bytes([index]) * 32)
        member_rank = rank[0] if rank else 2
        placed.append(Placed(order, member, member_rank, kind.decode(payload), index == 0))
    state = kind.fold(placed)
    if state is not None:
        assert decode_state(kind.number, encode(state)) == state
    return state
