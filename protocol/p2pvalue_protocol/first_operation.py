"""The operation that begins a device's log, and how a member takes it (spec: joining, devices).

Nobody stores the log of a device that nothing held names. So whoever lets one in stores its first
operation together with an operation of its own that names it, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import LocalProtocolError, Reason, Refused
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.log import Run, decode_batch, operations_of
from p2pvalue_protocol.operation import GENESIS, community_id_of
from p2pvalue_protocol.replica import Replica


def first_run(batch: bytes, device: bytes) -> Run:
    """Return the run that holds a device's DEV_ADD alone; raises Refused(frame-invalid)."""
    runs = decode_batch(batch)
    is_first = (
        len(runs) == 1
        and runs[0].device == device
        and runs[0].log_class == AUTH
        and runs[0].first_seq == 0
        and len(runs[0].items) == 1
        and runs[0].items[0].kind == auth.DEV_ADD
    )
    if not is_first:
        raise Refused(Reason.FRAME_INVALID)
    return runs[0]


def is_past_held(replica: Replica, first: Run) -> bool:
    """Return whether nothing that a first operation names is missing here."""
    return all(parent.op_id in replica.graph for parent in first.items[0].parents)


def begin_log(replica: Replica, signer: SigningKey, payload: bytes, now_ms: int) -> Run:
    """Return the run that begins our log, writing its DEV_ADD if an earlier attempt did not."""
    if not replica.branches.of(signer.public, AUTH):
        replica.write([Draft(auth.DEV_ADD, b"", payload)], now_ms)
        replica.seal()
    branch = replica.branches.of(signer.public, AUTH)[0]
    head = branch.head_id
    runs, _ = replica.runs(AUTH, signer.public, 0, head, 1)
    assert runs, "what stands at the beginning of a log was signed when it was first shown"
    return runs[0]


def take_runs(replica: Replica, runs: Sequence[Run], now_ms: int) -> None:
    """Store what of runs can be; raises Refused for an offence."""
    for reason, is_offence in replica.receive(runs, now_ms).refused:
        if is_offence:
            raise Refused(reason)


def take_first(replica: Replica, first: Run, naming: Draft, now_ms: int) -> bool:
    """Store a device's first operation and write `naming`, which names it; return whether it did.

    Raises Refused if the run itself is an offence.
    """
    if not is_past_held(replica, first):
        return False
    replica.expect(first.device)
    take_runs(replica, [first], now_ms)
    try:
        replica.write([naming], now_ms)
    except LocalProtocolError:
        return False
    replica.seal()
    return True


def founding_of(batch: bytes, community: bytes) -> tuple[Run, auth.GenesisPayload]:
    """Return GENESIS' run and payload; raises Refused unless it founds this very community."""
    runs = decode_batch(batch)
    if len(runs) != 1 or len(runs[0].items) != 1:
        raise Refused(Reason.FRAME_INVALID)
    op = operations_of(runs[0], community)[0]
    if op.core.kind != GENESIS or community_id_of(op.core) != community:
        raise Refused(Reason.WRONG_COMMUNITY)
    payload = auth.read_payload(auth.GenesisPayload, op.payload)
    if payload is None:
        raise Refused(Reason.FRAME_INVALID)
    return runs[0], payload


class Proofs:
    """What is to show others that our device is a member's, gathered frame by frame."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._frames = 0

    def gather(self, batch: bytes) -> None:
        """Take one frame's batch; raises Refused if it is none, or one too many."""
        self._frames += 1
        if self._frames > limits.PROOF_FRAMES_MAX:
            raise Refused(Reason.OVER_LIMIT)
        self._runs += decode_batch(batch)

    def store(self, replica: Replica, now_ms: int) -> None:
        """Store what was gathered, and begin anew; raises Refused for an offence."""
        runs, self._runs, self._frames = self._runs, [], 0
        take_runs(replica, runs, now_ms)
