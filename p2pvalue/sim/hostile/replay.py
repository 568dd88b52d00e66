"""Old words again: frames of other links, handshakes of others, and yesterday's hints."""

from __future__ import annotations

from collections import deque

from p2pvalue.sim.hostile.behaviour import Behaviour, bent_frames
from p2pvalue_protocol.effects import Effect, Publish, SendFrame
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.inputs import FrameReceived, GossipReceived, Input

_KEPT_MAX = 64
_HANDSHAKE_TYPES = range(6)


class Replay(Behaviour):
    """Keeps what it hears and says, and says it again: on the same link, and on others.

    Handshakes are opened with the words of earlier ones, its own and those of others. What must
    hold: nobody becomes somebody else by repeating her, and nothing old changes anything.
    """

    name = "replay"
    refusals = frozenset((Reason.HELLO_FAILED, Reason.FRAME_INVALID, Reason.UNASKED))

    def __init__(self) -> None:
        super().__init__()
        self._frames: deque[bytes] = deque(maxlen=_KEPT_MAX)
        self._handshakes: dict[int, deque[bytes]] = {
            kind: deque(maxlen=_KEPT_MAX) for kind in _HANDSHAKE_TYPES
        }
        self._hints: deque[tuple[str, bytes]] = deque(maxlen=_KEPT_MAX)

    def incoming(self, given: Input) -> list[Input]:
        if isinstance(given, FrameReceived) and self.node.is_sync(given.session):
            self._keep(given.frame)
        elif isinstance(given, GossipReceived):
            self._hints.append((given.topic, given.message))
        return [given]

    def outgoing(self, effects: list[Effect]) -> list[Effect]:
        return bent_frames(effects, self._again)

    def _again(self, session: int, frame: bytes) -> list[bytes]:
        if not self.node.is_sync(session):
            return [frame]
        rng = self.node.rng
        kind = frame[1]  # an array of up to 15 fields begins with one byte, then its type
        known = self._handshakes.get(kind)
        self._keep(frame)
        if known is not None:
            if known and rng.random() < 0.3:
                self.acts["handshakes"] += 1
                return [rng.choice(known)]
            return [frame]
        if self._frames and rng.random() < 0.1:
            self.acts["frames"] += 1
            return [frame, rng.choice(self._frames)]
        return [frame]

    def act(self, now_ms: int) -> list[Input | Effect]:
        rng = self.node.rng
        said: list[Input | Effect] = []
        if self._hints:
            said.append(Publish(*rng.choice(self._hints)))
            self.acts["hints"] += 1
        sessions = sorted(s for s in self.node.contacts if self.node.is_sync(s))
        if sessions and self._frames:
            said.append(SendFrame(rng.choice(sessions), rng.choice(self._frames)))
            self.acts["frames"] += 1
        return said

    def _keep(self, frame: bytes) -> None:
        if len(frame) > 1:
            self._handshakes.get(frame[1], self._frames).append(frame)
