"""Authentic: signed, or followed in its log by something signed (spec: operation, "Authentic").

A signature vouches, through the backlinks, for everything before it in its log. So a run is hashed
first and then checked with the few signatures it carries, before anything of it is stored or
parsed. Signatures must stand at every seq = 63 mod 64 and at least once in every 65 KiB: then any
stretch of a log can be sent on as a run that ends in one.
"""

from __future__ import annotations

from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import AUTH_KINDS
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.operation import KIND_AUTH_MAX, SIGNED, Operation

NO_OFFENCE = frozenset(
    (Reason.CHAIN_BROKEN, Reason.UNKNOWN_AUTHOR, Reason.OVER_LIMIT, Reason.TOO_FAR_AHEAD)
)
"""Reasons that an honest peer can meet too; all others cost the sender."""


def vouched(operations: list[Operation], latest_ms: int) -> list[Operation]:
    """Return the operations, cut behind the last signature before something that must wait outside.

    So must content from later than `latest_ms`.

    Raises Refused(signature-invalid) if a signature is wrong or missing where one must stand. Costs
    one check per signature carried, about 100 µs each.
    """
    unsigned_bytes = 0
    signed_count = 0
    must_wait = False
    for index, op in enumerate(operations):
        core = op.core
        if core.kind <= KIND_AUTH_MAX:
            # Parked: a newer version can judge it, and ignoring it would split opinions on members.
            must_wait = core.kind not in AUTH_KINDS
        else:
            must_wait = core.time > latest_ms
        if must_wait:
            break
        unsigned_bytes += len(op.core_bytes) + core.payload_size
        if not op.signature:
            if core.seq % limits.SIGNATURE_EVERY == limits.SIGNATURE_EVERY - 1:
                raise Refused(Reason.SIGNATURE_INVALID)
            continue
        if unsigned_bytes > limits.UNSIGNED_BYTES_MAX or not verify(
            core.device, SIGNED + op.core_bytes, op.signature
        ):
            raise Refused(Reason.SIGNATURE_INVALID)
        unsigned_bytes = 0
        signed_count = index + 1
    if not must_wait and signed_count != len(operations):
        raise Refused(Reason.SIGNATURE_INVALID)
    return operations[:signed_count]
