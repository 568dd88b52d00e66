"""Runs: consecutive operations of one log as they travel (spec: sync, "Runs and batches").

A run leaves out what it implies or repeats: version, community, device, seq, backlink, payload size
and hash. The receiver builds the cores again and hashes them, so a run that lies has other ids than
its signatures cover. Every run ends in a signed operation; that one signature vouches, through the
backlinks, for all before it. A batch is a list of runs, compressed.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Annotated

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import Reference, op_id_of, payload_hash_of
from p2pvalue_protocol.operation import U53, VERSION, Bytes32, Core, Operation, check_core


class _Parent(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    device: Bytes32
    log_class: Annotated[int, msgspec.Meta(ge=0, le=1)]
    seq: U53
    op_id: Bytes32


class Item(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """One operation of a run, without what the run implies."""

    kind: Annotated[int, msgspec.Meta(ge=0, le=255)]
    subject: Annotated[bytes, msgspec.Meta(max_length=16)]
    parents: Annotated[list[_Parent], msgspec.Meta(max_length=limits.PARENTS_MAX)]
    time: U53
    payload: Annotated[bytes, msgspec.Meta(max_length=limits.PAYLOAD_BYTES_MAX)]
    signature: Annotated[bytes, msgspec.Meta(max_length=64)]
    epoch: Annotated[bytes, msgspec.Meta(max_length=32)] = b""


class Run(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """Consecutive operations of one branch of one log; `backlink` is that of the first."""

    device: Bytes32
    log_class: Annotated[int, msgspec.Meta(ge=0, le=1)]
    first_seq: U53
    backlink: Bytes32
    items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=limits.RUN_OPERATIONS_MAX)]


_SMALL_BYTES = 4_096
_SMALL_WINDOW_BITS = 13  # all of what is small is in sight, and it comes out no longer
_SMALL_MEMORY_LEVEL = 6  # most of the time goes into clearing memory: a tenth of it by default
_SMALL_KEPT = 64  # half a megabyte at most
_WINDOW_BITS = 15
_SEALED_WINDOW_BITS = 13  # what repeats beside sealed payloads is near, and found in 2/3 the time
_MEMORY_LEVEL = 9

_batch_decoder = msgspec.msgpack.Decoder(list[Run])


def encode_batch(runs: list[Run]) -> bytes:
    """Return the compressed bytes of a batch; about 10 ms per MiB, 10 µs for a short message.

    1 µs for a short one that was lately made: what is new is told to many peers one by one.
    """
    plain = encode(runs)
    if len(plain) <= _SMALL_BYTES:
        return _packed_small(plain)
    is_sealed = runs[-1].items[-1].epoch  # a log is mostly one or the other
    return _packed(plain, _SEALED_WINDOW_BITS if is_sealed else _WINDOW_BITS, _MEMORY_LEVEL)


@lru_cache(maxsize=_SMALL_KEPT)
def _packed_small(plain: bytes) -> bytes:
    return _packed(plain, _SMALL_WINDOW_BITS, _SMALL_MEMORY_LEVEL)


def _packed(plain: bytes, window_bits: int, memory_level: int) -> bytes:
    folder = zlib.compressobj(1, zlib.DEFLATED, window_bits, memory_level)
    return folder.compress(plain) + folder.flush()


def decode_batch(data: bytes) -> list[Run]:
    """Return the runs of a batch; raises Refused. Unfolds at most BATCH_BYTES_MAX."""
    unfolder = zlib.decompressobj()
    try:
        plain = unfolder.decompress(data, limits.BATCH_BYTES_MAX)
        if not unfolder.eof or unfolder.unused_data:
            raise Refused(Reason.FRAME_INVALID)
        runs = _batch_decoder.decode(plain)
        if sum(len(run.items) for run in runs) > limits.BATCH_OPERATIONS_MAX:
            raise Refused(Reason.OVER_LIMIT)
        return runs
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - hostile bytes find what we forget
        raise Refused(Reason.FRAME_INVALID) from None


def make_item(core: Core, payload: bytes, signature: bytes) -> Item:
    """Return the item that stands for an operation in a run."""
    parents = [_Parent(p.device, p.log_class, p.seq, p.op_id) for p in core.parents]
    return Item(core.kind, core.subject, parents, core.time, payload, signature, core.epoch)


def operations_of(run: Run, community: bytes) -> list[Operation]:
    """Build a run's operations again; raises Refused for the first that breaks a rule of its bytes.

    About 7 µs per operation. Whether the signatures are valid is for the caller to check.
    """
    if run.first_seq + len(run.items) - 1 > limits.SEQ_MAX:
        raise Refused(Reason.FRAME_INVALID)
    operations: list[Operation] = []
    backlink = run.backlink
    seq = run.first_seq
    for item in run.items:
        payload = item.payload
        core = Core(
            VERSION,
            community,
            run.device,
            seq,
            backlink,
            item.kind,
            item.subject,
            tuple([Reference(p.device, p.log_class, p.seq, p.op_id) for p in item.parents]),
            item.time,
            item.epoch,
            len(payload),
            payload_hash_of(payload),
        )
        check_core(core)
        if core.log_class != run.log_class:
            raise Refused(Reason.FRAME_INVALID)
        core_bytes = encode(core)
        backlink = op_id_of(core_bytes)
        operations.append(Operation(backlink, core, core_bytes, item.signature, payload))
        seq += 1
    return operations
