"""Whether what is stored is what was signed: every rule that stored bytes can be held to alone."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from p2pvalue.store.interface import Fault, Progress, Store, StoreFailed, VerifyReport
from p2pvalue.store.refold import are_views_sound
from p2pvalue_protocol.errors import Refused
from p2pvalue_protocol.ids import op_id_of, payload_hash_of
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.operation import SIGNED, decode_core
from p2pvalue_protocol.past import LogRow, OperationRow

FAULTS_MAX = 1_000
"""A disk that lost half a file is not listed to the end."""

ROWS_AT_ONCE = 256


def verify_views(
    store: Store, scratch: Store, report: VerifyReport, progress: Progress | None
) -> VerifyReport:
    """Return a report of sound logs with what was found of the views, made anew in `scratch`."""
    faults = [
        Fault(community, "views", "they are not what the operations fold to: rebuild them")
        for community in store.communities()
        if not are_views_sound(store, scratch, community, progress)
    ]
    return replace(report, faults=tuple(faults))


def unreadable(findings: Sequence[str], failure: StoreFailed) -> VerifyReport:
    """Return the report of a store whose operations could not be read to the end."""
    faults = [Fault(b"", "database", finding) for finding in (*findings, str(failure))]
    return VerifyReport(operations=0, unsigned=0, faults=tuple(faults))


def verify_logs(
    store: Store,
    findings: Sequence[str] = (),
    *,
    deep: bool,
    progress: Progress | None = None,
) -> VerifyReport:
    """Return what the database found wrong, and with `deep` what the operations show."""
    faults = [Fault(b"", "database", finding) for finding in findings]
    heads = [
        (community, head)
        for community in store.communities()
        for head in store.past(community).heads()
    ]
    total = sum(head.head.seq + 1 - head.log.first_seq for _, head in heads)
    done = 0
    for community, head in heads:
        past = store.past(community)
        next_seq, backlink = head.log.first_seq, head.log.base_id
        while deep and len(faults) < FAULTS_MAX:
            run = past.operations(head.log.log, next_seq, ROWS_AT_ONCE)
            if not run:
                break
            for row in run:
                place = f"log {head.log.log} of {head.log.device.hex()[:8]}, operation {row.seq}"
                if row.seq != next_seq:
                    faults.append(Fault(community, place, f"{row.seq - next_seq} missing before"))
                else:
                    found = find_faults(head.log, row, backlink)
                    faults.extend(Fault(community, place, finding) for finding in found)
                next_seq, backlink = row.seq + 1, row.op_id
            done += len(run)
            if progress is not None:
                progress(done, total)
    return VerifyReport(
        operations=total,
        unsigned=sum(head.head.seq - head.signed_seq for _, head in heads),
        faults=tuple(faults[:FAULTS_MAX]),
    )


def find_faults(log: LogRow, row: OperationRow, backlink: bytes) -> list[str]:
    """Return what is wrong with one stored operation, given the id of the one before it."""
    if op_id_of(row.core) != row.op_id:
        return ["the core does not have the hash that it was stored under"]
    try:
        core = decode_core(row.core)
    except Refused as refused:
        return [f"the core breaks a rule: {refused.reason}"]
    faults = []
    if (core.community, core.device, core.log_class, core.seq) != (
        log.community,
        log.device,
        log.log_class,
        row.seq,
    ):
        faults.append("the core belongs in another place")
    if core.backlink != backlink:
        faults.append("the chain is broken: the backlink names another operation")
    if row.payload is not None and payload_hash_of(row.payload) != core.payload_hash:
        faults.append("the payload does not have the hash that its core names")
    if row.signature and not verify(core.device, SIGNED + row.core, row.signature):
        faults.append("the signature is not valid")
    return faults
