"""Lies about what is held: heads that do not exist, heads denied, and never the same twice."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour, bent_frames
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.errors import Refused

_INVENTED_MAX = 6


class LieAboutHeads(Behaviour):
    """Claims what it has not, denies what it has, and changes its mind with every frame.

    What must hold: claims cost a question and no more, nothing true is forgotten for a lie, and
    whoever compares with it becomes equal with others all the same.
    """

    name = "lie-about-heads"

    def outgoing(self, effects: list[Effect]) -> list[Effect]:
        return bent_frames(effects, self._lied)

    def _lied(self, session: int, frame: bytes) -> list[bytes]:
        if not self.node.is_sync(session) or self.node.rng.random() < 0.3:
            return [frame]
        try:
            told = f.decode_frame(frame)
        except Refused:
            return [frame]
        rng = self.node.rng
        match told:
            case f.Heads(fingerprint, is_complete, heads):
                listed = [head for head in heads if rng.random() < 0.7]
                listed += self._invented(heads)
                if fingerprint and rng.random() < 0.7:
                    fingerprint = rng.randbytes(f.FINGERPRINT_BYTES)
                if rng.random() < 0.1:
                    is_complete = 1 - is_complete
                lie: f.Frame = f.Heads(
                    fingerprint, is_complete, listed[: limits.HEADS_PER_FRAME_MAX]
                )
            case f.Buckets(sums):
                lie = f.Buckets(rng.randbytes(len(sums)))
            case f.Sums(is_last, buckets):
                lie = f.Sums(is_last, buckets[: len(buckets) // 2])
            case f.Ask(is_last, sums):
                lie = f.Ask(is_last, rng.randbytes(len(sums)))
            case _:
                return [frame]
        self.acts["lied"] += 1
        return [f.encode_frame(lie)]

    def _invented(self, heads: list[f.HeadEntry]) -> list[f.HeadEntry]:
        """Return heads far ahead in known logs, of other ids in known places, and of nobody."""
        rng = self.node.rng
        invented = [
            f.HeadEntry(rng.randbytes(32), rng.randrange(2), rng.randrange(1 << 20), bytes(32))
        ]
        for head in rng.sample(heads, min(len(heads), _INVENTED_MAX // 2)):
            seq = head.seq + rng.choice((0, 1, 1 << 30))
            invented.append(f.HeadEntry(head.device, head.log_class, seq, rng.randbytes(32)))
        return invented
