"""Surrounding one machine: all its neighbours but one show it another community."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour, bent_frames
from p2pvalue.sim.hostile.corrupt import broken_run
from p2pvalue.sim.hostile.crafting import altered_batch
from p2pvalue.sim.network import peer_name
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.inputs import Draft, FrameReceived, Input, Write
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.log import Run

_TURNS_BEFORE = 2


class Eclipse(Behaviour):
    """Is an ordinary member to all but its victim, to whom it shows a face of its own.

    That face stopped hearing others at its second turn (an older community) and goes on alone (an
    invented one). Every second one also leaves most authors out (a smaller one), every third breaks
    what it hands over (a poisoned one). For a while nobody else reaches the victim. What must hold:
    one honest neighbour is enough for the victim to see what all see.
    """

    name = "eclipse"
    encircles = True

    def face_for(self, peer_id: str) -> int:
        return 1 if self.victim is not None and peer_id == peer_name(self.victim) else 0

    def incoming(self, given: Input) -> list[Input]:
        """Let the victim's face hear nothing but the victim's questions."""
        if isinstance(given, FrameReceived) and self._is_victims(given.session):
            return [FrameReceived(given.session, altered_batch(given.frame, lambda run: None))]
        return [given]

    def outgoing(self, effects: list[Effect]) -> list[Effect]:
        return bent_frames(effects, self._shown)

    def act(self, now_ms: int) -> list[Input | Effect]:
        replica = self.node.replica
        if self.victim is None or replica is None:
            return []
        self.acts["turns"] += 1
        if self.acts["turns"] < _TURNS_BEFORE:
            return []
        if len(self.node.faces) == 1:
            return [*self.node.split()]
        self.acts["invented"] += 1
        words = chat.encode_chat_message(f"for your eyes only, {now_ms}")
        draft = Draft(chat.NUMBER, b"", words)
        return [*self.node.faces[1].handle(Write(replica.community, (draft,)), now_ms)]

    def _is_victims(self, session: int) -> bool:
        contact = self.node.contacts.get(session)
        return contact is not None and contact.is_sync and contact.face == 1

    def _shown(self, session: int, frame: bytes) -> list[bytes]:
        if not self._is_victims(session):
            return [frame]
        self.acts["shown"] += 1

        def altered(run: Run) -> Run | None:
            if self.node.number % 2 == 0 and run.device[0] % 4:
                self.acts["left out"] += 1
                return None
            if self.node.number % 3 == 0 and self.node.rng.random() < 0.5:
                self.acts["poisoned"] += 1
                return broken_run(self.node.rng, run)
            return run

        return [altered_batch(frame, altered)]
