"""Too much of everything: operations, hints, wants, keys wanted, links, and FORKs of nothing."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol.effects import CloseSession, Effect, Publish, SendFrame
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft, Input, Write
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.replica import Replica

_WRITTEN_MAX = 150
_FORKS_MAX = 12


class Flood(Behaviour):
    """Says in each turn ten times what others say, and asks for what does not exist.

    What it writes is bounded so that worlds stay quick. What must hold: everybody else's words
    arrive all the same, what is asked for in vain is not waited for, and a FORK about operations
    that nobody holds takes nothing from whoever it names.
    """

    name = "flood"
    refusals = frozenset((Reason.OVER_LIMIT, Reason.ENVELOPE_INVALID, Reason.FRAME_INVALID))

    def act(self, now_ms: int) -> list[Input | Effect]:
        replica = self.node.replica
        if replica is None or not replica.membership.is_live(self.node.device.public):
            return []
        said: list[Input | Effect] = [*self._operations(replica), *self._hints()]
        sessions = sorted(s for s in self.node.contacts if self.node.is_sync(s))
        for session in sessions:
            said += self._questions(session)
        if sessions and self.node.rng.random() < 0.3:
            said.append(CloseSession(self.node.rng.choice(sessions), None))
            self.acts["links"] += 1
        return said

    def _operations(self, replica: Replica) -> list[Input]:
        said: list[Input] = []
        if self.acts["operations"] < _WRITTEN_MAX:
            words = [chat.encode_chat_message(f"buy now {at}") for at in range(15)]
            drafts = tuple(Draft(chat.NUMBER, b"", payload) for payload in words)
            said.append(Write(replica.community, drafts))
            self.acts["operations"] += len(drafts)
        if self.acts["forks"] < _FORKS_MAX:
            payload = self._fork_of_nothing(replica)
            said.append(Write(replica.community, (Draft(auth.FORK, b"", payload),)))
            self.acts["forks"] += 1
        return said

    def _fork_of_nothing(self, replica: Replica) -> bytes:
        """Return a FORK that shows two operations of somebody honest which were never written."""
        rng = self.node.rng
        device = rng.choice(replica.membership.devices())
        seq = rng.randrange(40)
        one, other = (Reference(device, CONTENT, seq, rng.randbytes(32)) for _ in range(2))
        return auth.fork_payload(one, other)

    def _hints(self) -> list[Effect]:
        rng = self.node.rng
        topics = self.node.machine.topics()
        self.acts["hints"] += len(topics)
        return [Publish(topic, rng.randbytes(rng.randrange(1, 400))) for topic in topics]

    def _questions(self, session: int) -> list[Effect]:
        rng = self.node.rng
        self.acts["questions"] += 1
        if rng.random() < 0.5:
            wants = [
                f.Want(rng.randbytes(32), rng.randrange(2), 0, 9, rng.randbytes(32))
                for _ in range(100)
            ]
            asked: f.Frame = f.Wants(wants)
        elif rng.random() < 0.8:
            asked = f.KeysWanted([rng.randbytes(32) for _ in range(64)])
        else:
            asked = f.Buckets(rng.randbytes(f.SUM_BYTES * f.BUCKETS))
        return [SendFrame(session, f.encode_frame(asked))] * (2 if rng.random() < 0.2 else 1)
