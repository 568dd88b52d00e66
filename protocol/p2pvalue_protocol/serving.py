"""What we tell peers of our logs: their heads, and runs that lead to them (spec: sync)."""

from __future__ import annotations

from itertools import takewhile

from p2pvalue_protocol import limits
from p2pvalue_protocol.branches import Branch, Branches
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.log import Run, make_item
from p2pvalue_protocol.operation import read_core
from p2pvalue_protocol.past import OperationRow

_ITEM_BYTES = 140
"""What an item adds to its core's variable parts, roughly; for sizing batches only."""

_ROWS_AT_ONCE = 32
"""Rows read at a time: 2 MiB if all are as large as can be."""


def current_heads(branches: Branches) -> list[Reference]:
    """Return the head of every branch, ascending by (device, class, op id)."""
    heads = [
        Reference(b.row.device, b.row.log_class, b.head_seq, b.head_id)
        for b in branches.all()
        if b.head_seq >= b.row.first_seq
    ]
    heads.sort(key=lambda r: (r.device, r.log_class, r.op_id))
    return heads


def runs_towards(
    branches: Branches,
    log_class: int,
    device: bytes,
    from_seq: int,
    head_id: bytes,
    bytes_max: int,
) -> tuple[list[Run], int | None]:
    """Return runs from `from_seq` towards the branch head `head_id`, about `bytes_max` unpacked.

    Each ends in a signed operation. The second value is the seq to go on from, None at the end. A
    head that has moved on is served up to where it is now, if the log has one branch; an unknown
    one not at all.
    """
    candidates = branches.of(device, log_class)
    meant = [b for b in candidates if b.head_id == head_id] or candidates
    if len(meant) != 1 or from_seq > meant[0].head_seq:
        return [], None
    return _runs_along(branches, branches.path(meant[0], from_seq), bytes_max)


def runs_up_to(
    branches: Branches, reference: Reference, from_seq: int, bytes_max: int
) -> tuple[list[Run], int | None]:
    """Return runs from `from_seq` up to one held operation, as `runs_towards` does.

    The last run goes on to the next signature behind it, without which nothing would be vouched
    for; writers sign every auth operation, so that is the operation itself.
    """
    place = branches.find(reference)
    if place is None or from_seq > reference.seq:
        return [], None
    *pieces, (branch, first, _) = branches.path(place.branch, from_seq)
    return _runs_along(branches, [*pieces, (branch, first, reference.seq)], bytes_max)


def _runs_along(
    branches: Branches, pieces: list[tuple[Branch, int, int]], bytes_max: int
) -> tuple[list[Run], int | None]:
    runs: list[Run] = []
    size = 0
    for branch, seq, last in pieces:
        while seq <= last:
            if size >= bytes_max:
                return runs, seq
            rows = _signed_rows(branches, branch, seq, last, bytes_max - size)
            if not rows:
                return runs, None
            core = read_core(rows[0].core)
            items = [make_item(read_core(r.core), r.payload or b"", r.signature) for r in rows]
            runs.append(Run(core.device, core.log_class, seq, core.backlink, items))
            size += sum(_size(row) for row in rows)
            seq += len(rows)
            if seq <= last and size + _last_stretch_size(rows) > bytes_max:
                return runs, seq  # the next stretch, likely as large, would not fit
    return runs, None


def _size(row: OperationRow) -> int:
    return len(row.payload or b"") + _ITEM_BYTES


def _last_stretch_size(rows: list[OperationRow]) -> int:
    """Return the size of what the last signature vouches for, back to the one before."""
    before_last = takewhile(lambda row: not row.signature, reversed(rows[:-1]))
    return _size(rows[-1]) + sum(_size(row) for row in before_last)


def _signed_rows(
    branches: Branches, branch: Branch, first_seq: int, last_seq: int, bytes_max: int
) -> list[OperationRow]:
    """Return consecutive rows of one branch, cut behind the last signature that fits.

    At least up to the first signature, whatever its size: no shorter stretch could be checked. What
    another branch starts from goes past `last_seq` up to a signature of its own: a stretch made of
    two branches could be longer than anybody accepts.
    """
    rows: list[OperationRow] = []
    size = signed_count = signed_size = 0
    while len(rows) < limits.RUN_OPERATIONS_MAX:
        found = branches.rows(branch, first_seq + len(rows), _ROWS_AT_ONCE)
        for row in found:
            size += _size(row)
            if signed_count and size > bytes_max:
                return rows[:signed_count]
            rows.append(row)
            if row.signature:
                signed_count = len(rows)
                stretch_size, signed_size = size - signed_size, size
                # The next stretch is likely as large as this one: what will not fit is not read.
                if row.seq >= last_seq or size + stretch_size > bytes_max:
                    return rows
        if len(found) < _ROWS_AT_ONCE:
            break
    return rows[:signed_count]
