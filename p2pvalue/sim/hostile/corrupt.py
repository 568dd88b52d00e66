"""Broken operations: bytes changed in runs, payloads, signatures and what is compressed."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from p2pvalue.sim.hostile.behaviour import Behaviour, bent_frames, bent_hints
from p2pvalue_protocol import frames as f
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.log import Run, decode_batch, encode_batch

_SHARE = 0.4


class Corrupt(Behaviour):
    """Changes something in four of ten batches that it sends, and in as many hints.

    What must hold: nothing of a changed run is kept, the link ends with the reason, hints that do
    not open are refused, and what it changed comes from others as it was written.
    """

    name = "corrupt"
    refusals = frozenset((Reason.SIGNATURE_INVALID, Reason.FRAME_INVALID, Reason.ENVELOPE_INVALID))

    def outgoing(self, effects: list[Effect]) -> list[Effect]:
        return bent_hints(bent_frames(effects, self._broken), self._flipped)

    def _flipped(self, message: bytes) -> bytes:
        if not message or self.node.rng.random() > _SHARE:
            return message
        self.acts["hints"] += 1
        return with_a_bit_flipped(self.node.rng, message)

    def _broken(self, session: int, frame: bytes) -> list[bytes]:
        rng = self.node.rng
        if not self.node.is_sync(session) or rng.random() > _SHARE:
            return [frame]
        try:
            ops = f.decode_frame(frame)
            runs = decode_batch(ops.batch) if isinstance(ops, f.Ops) else []
        except Refused:
            return [frame]
        if not isinstance(ops, f.Ops) or not runs:
            return [frame]
        self.acts["batches"] += 1
        if rng.random() < 0.2:
            return [f.encode_frame(f.Ops(ops.finished, with_a_bit_flipped(rng, ops.batch)))]
        at = rng.randrange(len(runs))
        runs[at] = broken_run(rng, runs[at])
        return [f.encode_frame(f.Ops(ops.finished, encode_batch(runs)))]


def with_a_bit_flipped(rng: Random, data: bytes) -> bytes:
    """Return bytes, at least one, in which one bit is another."""
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def broken_run(rng: Random, run: Run) -> Run:
    """Return a run in which one thing is not as its author signed it."""
    at = rng.randrange(len(run.items))
    item = run.items[at]
    match rng.randrange(7):
        case 0 if item.payload:
            item = replace(item, payload=with_a_bit_flipped(rng, item.payload))
        case 1 if item.signature:
            item = replace(item, signature=with_a_bit_flipped(rng, item.signature))
        case 2 if item.signature:
            item = replace(item, signature=b"")
        case 3:
            item = replace(item, time=item.time + 1)
        case 4 if item.parents:
            item = replace(item, parents=item.parents[1:])
        case 5:
            return replace(run, backlink=with_a_bit_flipped(rng, run.backlink))
        case _:
            return replace(run, first_seq=run.first_seq + 1)
    return replace(run, items=[*run.items[:at], item, *run.items[at + 1 :]])
