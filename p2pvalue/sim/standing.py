"""What counts of somebody who was put out, followed by hand.

Content of a person who is out counts only as far as others kept it (spec: membership, R7, R9). This
reads the keeps from the operations held and follows the logs backwards from each; it asks nothing
of the code that judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from p2pvalue.store import Store
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.kind import EntryKind
from p2pvalue_protocol.kinds import KINDS
from p2pvalue_protocol.operation import KIND_AUTH_MAX, read_core

_Keeping = (
    auth.GrantPayload
    | auth.RevokePayload
    | auth.VotePayload
    | auth.DevRevokePayload
    | auth.ForkPayload
)
_PAYLOADS: Final[dict[int, type[_Keeping]]] = {
    auth.GRANT: auth.GrantPayload,
    auth.REVOKE: auth.RevokePayload,
    auth.VOTE: auth.VotePayload,
    auth.DEV_REVOKE: auth.DevRevokePayload,
    auth.FORK: auth.ForkPayload,
}


def wrongly_shown(store: Store, community: bytes, out: set[bytes]) -> list[str]:
    """Return what a store shows of the roots in `out` though nobody kept it, as short words.

    Reads all operations; costs nothing if nobody is out.
    """
    if not out:
        return []
    backlinks: dict[bytes, bytes] = {}
    kept: list[bytes] = []
    for row in store.operations_in_order(community):
        core = read_core(row.core)
        backlinks[row.op_id] = core.backlink if core.seq else b""
        payload_type = _PAYLOADS.get(core.kind) if core.kind <= KIND_AUTH_MAX else None
        if payload_type is not None:
            payload = auth.read_payload(payload_type, row.payload)
            kept += [keep[3] for keep in payload.keeps] if payload is not None else []
    counting: set[bytes] = set()
    for op_id in kept:
        while op_id and op_id in backlinks and op_id not in counting:
            counting.add(op_id)
            op_id = backlinks[op_id]
    return [
        f"{op_id.hex()[:8]} of {member.hex()[:8]}"
        for member, op_id in _shown(store, community)
        if member in out and op_id not in counting
    ]


def _shown(store: Store, community: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (member, operation) of what is seen: all entries, and what states are folded from."""
    past = store.past(community)
    for kind in KINDS:
        if isinstance(kind, EntryKind):
            for container in store.containers(community, kind.number):
                for entry in store.entries(community, container, kind.number, limit=100_000):
                    yield entry.member, entry.order.op_id
        else:
            for state in store.states(community, kind.number, limit=100_000):
                for row, _, _ in past.subject_operations(state.subject):
                    yield row.member, row.op_id
