"""Strangers at the door: wrong secrets, words out of turn, and joins that stop half-way."""

from __future__ import annotations

from dataclasses import replace

from p2pvalue.sim.hostile.behaviour import Behaviour, bent_frames
from p2pvalue.sim.hostile.mutator import mutated
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.inputs import Input, JoinStarted

_FRAMES_BEFORE_LAST = 2
"""What a newcomer says before its introduction, with which it would be let in."""


class GarbageJoins(Behaviour):
    """Asks to be let in again and again, and is never entitled to it.

    With the wrong secret it goes on to the end; with the right one, stolen, it changes its words or
    stops before its introduction. What must hold: it never becomes a member, learns nothing that
    members wrote, and keeps nobody else from being let in.
    """

    name = "garbage-joins"
    rank_wanted = auth.GUEST
    is_stranger = True
    refusals = frozenset((Reason.FRAME_INVALID, Reason.HELLO_FAILED, Reason.SIGNATURE_INVALID))

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[int, int] = {}  # frames by session, where it stops half-way
        self._garbled: set[int] = set()

    def incoming(self, given: Input) -> list[Input]:
        if not isinstance(given, JoinStarted):
            return [given]
        rng = self.node.rng
        self.acts["joins"] += 1
        if rng.random() < 0.4:
            return [replace(given, invite_secret=rng.randbytes(16))]
        self._said[given.session] = 0
        if rng.random() < 0.5:
            self._garbled.add(given.session)
        return [given]

    def outgoing(self, effects: list[Effect]) -> list[Effect]:
        return bent_frames(effects, self._half)

    def _half(self, session: int, frame: bytes) -> list[bytes]:
        said = self._said.get(session)
        if said is None:
            return [frame]
        self._said[session] = said + 1
        if session in self._garbled:
            self.acts["garbled"] += 1
            return [mutated(self.node.rng, frame)] if said < _FRAMES_BEFORE_LAST else []
        if said >= _FRAMES_BEFORE_LAST:
            self.acts["stopped"] += 1
            return []
        return [frame]
