"""Keeping back: it answers, and what it answers with has holes."""

from __future__ import annotations

from hashlib import sha256

from p2pvalue.sim.hostile.behaviour import Behaviour, bent_frames
from p2pvalue.sim.hostile.crafting import altered_batch
from p2pvalue_protocol.effects import Effect, Publish
from p2pvalue_protocol.log import Run

_SILENT = 0.05
"""Share of the frames with operations that are never sent, so that the peer waits in vain."""


class Withhold(Behaviour):
    """Lists all heads, and leaves out the operations of some devices: others for each peer.

    It passes on no hint of anybody. What must hold: whatever it keeps back comes by another way,
    and nobody waits for it for ever.
    """

    name = "withhold"

    def outgoing(self, effects: list[Effect]) -> list[Effect]:
        return [
            effect
            for effect in bent_frames(effects, self._without)
            if not isinstance(effect, Publish) or self._is_silent()
        ]

    def _is_silent(self) -> bool:
        return self.node.rng.random() < 0.5

    def _without(self, session: int, frame: bytes) -> list[bytes]:
        contact = self.node.contacts.get(session)
        if contact is None or not contact.is_sync:
            return [frame]
        peer = contact.peer_id.encode()

        def kept(run: Run) -> Run | None:
            is_kept = sha256(peer + run.device + bytes((run.log_class,))).digest()[0] % 2 == 0
            if not is_kept:
                self.acts["withheld"] += 1
            return run if is_kept else None

        altered = altered_batch(frame, kept)
        if altered != frame and self.node.rng.random() < _SILENT:
            self.acts["silent"] += 1
            return []
        return [altered]
