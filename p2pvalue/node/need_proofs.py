"""One file with which strangers recompute what became of a need (spec: proof)."""

from __future__ import annotations

from p2pvalue.node.need_boards import need_entries, need_state
from p2pvalue.store import Store
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.kinds import profile
from p2pvalue_protocol.past import StateRow
from p2pvalue_protocol.proof.making import make_proof
from p2pvalue_protocol.replica import Replica


def proof_of(copy: Replica, store: Store, row: StateRow) -> bytes:
    """Return the file about a need as it stands here; call `seal` before.

    It shows the words of the need, of its pledges and CLOSEs, and the profiles of the people
    concerned. Raises LocalProtocolError if there is too much that they rest on.
    """
    past = store.past(copy.community)
    changes = [found for found, _, _ in past.subject_operations(row.subject)]
    entries = list(need_entries(store, copy.community, row.subject))
    members = {change.member for change in changes} | {entry.member for entry in entries}
    for terms in need_state(row).terms:
        members.update((*terms.stewards, *terms.confirmers))
    places = [entry.order[1:] for entry in entries]
    places += [(change.device, change.seq, change.op_id) for change in changes]
    for member in sorted(members):
        profiles = [p for p, _, _ in past.subject_operations(profile.profile_subject(member))]
        places += [(p.device, p.seq, p.op_id) for p in profiles[-1:]]
    shown = [Reference(device, CONTENT, seq, op_id) for device, seq, op_id in places]
    return make_proof(copy, row.subject, shown)
