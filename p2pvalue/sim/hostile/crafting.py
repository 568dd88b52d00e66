"""Operations as a hostile author wants them: valid signatures, and everything else at will.

An honest machine chooses place, past and time of what it writes by itself. Here each of them is an
argument. What is crafted reaches others through the hostile machine's own copy, which takes it as
it would take it from a peer, or directly as frames and hints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from p2pvalue_protocol import frames as f
from p2pvalue_protocol.envelope import SALT_BYTES, seal_envelope
from p2pvalue_protocol.epochs import EpochKey
from p2pvalue_protocol.errors import Refused
from p2pvalue_protocol.gossip import topic_name
from p2pvalue_protocol.ids import ZERO32, Reference, op_id_of, payload_hash_of
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.log import Run, decode_batch, encode_batch, make_item
from p2pvalue_protocol.operation import (
    CLEAR_KINDS,
    SIGNED,
    VERSION,
    Core,
    Operation,
    encode_core,
)
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.sealing import seal_payload


class History:
    """One class of a device's log, gone on with from any place of it."""

    def __init__(
        self,
        community: bytes,
        signer: SigningKey,
        log_class: int,
        *,
        next_seq: int = 0,
        backlink: bytes = ZERO32,
        time_ms: int = 0,
    ) -> None:
        """Write at `next_seq` behind `backlink`, the next operation after `time_ms`."""
        self._community = community
        self._signer = signer
        self.log_class = log_class
        self.next_seq = next_seq
        self.backlink = backlink
        self.time_ms = time_ms

    def write(
        self,
        kind: int,
        payload: bytes = b"",
        *,
        parents: Iterable[Reference] = (),
        subject: bytes = b"",
        under: EpochKey | None = None,
        time_ms: int | None = None,
        salt: bytes = bytes(SALT_BYTES),
    ) -> Operation:
        """Return the next operation, signed, a millisecond after the last unless told otherwise.

        `under` seals the payload with the secret of an epoch.
        """
        self.time_ms = self.time_ms + 1 if time_ms is None else time_ms
        core = Core(
            VERSION,
            self._community,
            self._signer.public,
            self.next_seq,
            self.backlink,
            kind,
            subject,
            tuple(sorted(set(parents), key=lambda r: (r.device, r.log_class, r.op_id))),
            self.time_ms,
            b"" if under is None else under.record.epoch,
            0,
            ZERO32,
        )
        if under is not None:
            payload = seal_payload(under.secret, core, payload, salt)
        if payload:
            core = replace(core, payload_size=len(payload), payload_hash=payload_hash_of(payload))
        core_bytes = encode_core(core)
        op_id = op_id_of(core_bytes)
        signature = self._signer.sign(SIGNED + core_bytes)
        self.next_seq, self.backlink = self.next_seq + 1, op_id
        return Operation(op_id, core, core_bytes, signature, payload)


def own_history(
    replica: Replica, signer: SigningKey, log_class: int, *, next_seq: int | None = None
) -> History:
    """Return a device's log as held, to go on with; from `next_seq` on it is a second history."""
    branches = replica.branches.of(signer.public, log_class)
    if not branches or next_seq == 0:
        return History(replica.community, signer, log_class)
    trunk = branches[0]
    last_seq = trunk.head_seq if next_seq is None else min(next_seq - 1, trunk.head_seq)
    row = replica.branches.row(trunk, last_seq)
    backlink = ZERO32 if row is None else row.op_id
    return History(
        replica.community,
        signer,
        log_class,
        next_seq=last_seq + 1,
        backlink=backlink,
        time_ms=trunk.folded_time,
    )


def run_of(operations: Sequence[Operation]) -> Run:
    """Return consecutive operations of one log as a run."""
    first = operations[0].core
    items = [make_item(op.core, op.payload or b"", op.signature) for op in operations]
    return Run(first.device, first.log_class, first.seq, first.backlink, items)


def key_for(replica: Replica, kind: int) -> EpochKey | None:
    """Return what a payload of a kind is sealed with now; None where nothing is sealed."""
    if not replica.epochs.is_sealed or kind in CLEAR_KINDS:
        return None
    return replica.epochs.current(2**53 - 1)


def hint_of(
    replica: Replica, runs: Sequence[Run], random_bytes: Callable[[int], bytes]
) -> tuple[str, bytes] | None:
    """Return (topic, message) that tell runs to a community; None without a key to tell them by."""
    secret = replica.told_topic_secret
    if secret is None:
        return None
    topic, message = topic_name(secret), encode_batch(list(runs))
    if replica.epochs.is_sealed:
        message = seal_envelope(secret, topic, message, random_bytes(SALT_BYTES))
    return topic, message


def altered_batch(frame: bytes, alter: Callable[[Run], Run | None]) -> bytes:
    """Return a frame with each run of its batch altered, or left out; others are as they were."""
    try:
        ops = f.decode_frame(frame)
        if not isinstance(ops, f.Ops):
            return frame
        runs = [alter(run) for run in decode_batch(ops.batch)]
    except Refused:
        return frame
    kept = [run for run in runs if run is not None]
    return f.encode_frame(f.Ops(ops.finished, encode_batch(kept)))
