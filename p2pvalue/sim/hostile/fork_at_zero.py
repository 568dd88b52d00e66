"""Two beginnings: the first place of each log is written twice."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour
from p2pvalue.sim.hostile.crafting import History, hint_of, key_for, run_of
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.inputs import GossipReceived, Input
from p2pvalue_protocol.keys import SigningKey, exchange_key_of
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.replica import Replica

_BEGINNINGS_MAX = 4


class ForkAtZero(Behaviour):
    """Begins its auth log anew, for another root or with another prekey, and its content log too.

    There is no operation before a fork at seq 0 that all could share, and the device's very
    admission rests on the first. What must hold: it is told as a fork like any other, its first
    admission and what others built on it stay the same on all honest machines.
    """

    name = "fork-at-zero"
    provable = True

    def act(self, now_ms: int) -> list[Input | Effect]:
        node, replica = self.node, self.node.replica
        if replica is None or not replica.membership.was_ever_admitted(node.device.public):
            return []
        if self.acts["begun anew"] >= _BEGINNINGS_MAX:
            return []
        crafted: list[Input | Effect] = []
        for beginning in (self._auth_beginning(replica, now_ms), self._content(replica, now_ms)):
            if beginning is None:
                continue
            hint = hint_of(replica, [run_of(beginning)], node.rng.randbytes)
            if hint is not None:
                self.acts["begun anew"] += 1
                crafted.append(GossipReceived(*hint, "itself"))
        return crafted

    def _auth_beginning(self, replica: Replica, now_ms: int) -> list[Operation] | None:
        node = self.node
        genesis = replica.membership.genesis
        assert genesis is not None, "whoever is admitted has GENESIS"
        root = SigningKey(auth.root_seed(node.entropy, genesis.nonce))
        prekey = node.prekey
        if node.rng.random() < 0.5:
            root = SigningKey(node.rng.randbytes(32))
        else:
            prekey = exchange_key_of(node.rng.randbytes(32))
        message = auth.certificate_message(genesis.nonce, root.public, node.device.public, prekey)
        payload = auth.dev_add_payload(root.public, prekey, root.sign(message))
        log = History(replica.community, node.device, AUTH)
        return [log.write(auth.DEV_ADD, payload, time_ms=now_ms), log.write(auth.AUTH_SEEN)]

    def _content(self, replica: Replica, now_ms: int) -> list[Operation] | None:
        key = key_for(replica, chat.NUMBER)
        if key is None and replica.epochs.is_sealed:
            return None
        log = History(replica.community, self.node.device, CONTENT)
        known = [replica.auth_references[head] for head in replica.graph.heads()]
        words = chat.encode_chat_message(f"another beginning at {now_ms}")
        first = log.write(
            chat.NUMBER,
            words,
            parents=known[:10],
            under=key,
            time_ms=now_ms,
            salt=self.node.rng.randbytes(24),
        )
        return [first]
