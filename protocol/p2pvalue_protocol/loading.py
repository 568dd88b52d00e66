"""Reading the auth operations back at start, each after its past (spec: operation, "Pasts")."""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol.operation import Core, Operation, decode_core
from p2pvalue_protocol.past import OperationRow


def in_causal_order(rows: Iterable[OperationRow]) -> list[Operation]:
    """Return the stored auth operations so that each comes after what it names; linear."""
    by_id: dict[bytes, tuple[OperationRow, Core]] = {
        row.op_id: (row, decode_core(row.core)) for row in rows
    }
    done: dict[bytes, Operation] = {}
    for start in by_id:
        stack = [start]
        while stack:
            op_id = stack[-1]
            if op_id in done:
                stack.pop()
                continue
            row, core = by_id[op_id]
            named = [parent.op_id for parent in core.parents]
            if core.seq:
                named.append(core.backlink)
            missing = [name for name in named if name not in done]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            done[op_id] = Operation(op_id, core, row.core, row.signature, row.payload)
    return list(done.values())
