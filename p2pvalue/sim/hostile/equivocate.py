"""Two histories of one device: some peers are told one, the others the other."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour
from p2pvalue.sim.hostile.crafting import altered_batch
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.inputs import Draft, FrameReceived, GossipReceived, Input, Write
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.log import Run


class Equivocate(Behaviour):
    """Shows every second peer another machine with the same key; they part at its first turn.

    Both go on in the content log and in the auth log. What must hold: whoever comes to hold both
    branches says so with a FORK, all honest machines see the same, and nobody else loses a word.
    """

    name = "equivocate"
    provable = True

    def face_for(self, peer_id: str) -> int:
        number = int(peer_id.rpartition("-")[2])
        called = self.node.neighbours
        return (called.index(number) if number in called else number) % 2

    def incoming(self, given: Input) -> list[Input]:
        """Keep each face from hearing of the other's words, or its machine would stop writing."""
        if isinstance(given, GossipReceived):
            return []
        if isinstance(given, FrameReceived) and self.node.is_sync(given.session):
            return [FrameReceived(given.session, altered_batch(given.frame, self._others))]
        return [given]

    def _others(self, run: Run) -> Run | None:
        return None if run.device == self.node.device.public else run

    def act(self, now_ms: int) -> list[Input | Effect]:
        replica = self.node.replica
        if replica is None or not replica.membership.is_live(self.node.device.public):
            return []
        if len(self.node.faces) == 1:
            return [*self.node.split()]
        effects: list[Input | Effect] = []
        for number, face in enumerate(self.node.faces):
            words = chat.encode_chat_message(f"face {number} at {now_ms}")
            seen = Draft(auth.AUTH_SEEN, b"", b"")
            for draft in (Draft(chat.NUMBER, b"", words), seen):
                effects += face.handle(Write(replica.community, (draft,)), now_ms + number)
        self.acts["parted"] += 1
        return effects
