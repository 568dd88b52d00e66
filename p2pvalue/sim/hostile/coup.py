"""A coup: an admin puts everybody weaker out, and lets its own creatures in."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour
from p2pvalue.sim.hostile.crafting import History, hint_of, key_for, run_of
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.inputs import Draft, GossipReceived, Input, Write
from p2pvalue_protocol.keys import SigningKey, exchange_key_of
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.replica import Replica

_TURNS_BEFORE = 4
_SYBILS = 3


class Coup(Behaviour):
    """Waits until it is an admin, then removes all weaker members and keeps nothing of them.

    It grants ranks to keys of its own, lets them speak, and sets a policy, which is not an admin's
    to set. What must hold: the founders' word undoes all of it, everybody comes back with what she
    wrote before, and its creatures are out.
    """

    name = "coup"
    rank_wanted = auth.ADMIN
    is_put_out = True

    def __init__(self) -> None:
        super().__init__()
        self.sybils: list[bytes] = []  # their roots

    def act(self, now_ms: int) -> list[Input | Effect]:
        replica = self.node.replica
        standing = None if replica is None else replica.membership.standing(self.node.device.public)
        if replica is None or standing is None or standing.rank != auth.ADMIN:
            return []
        self.acts["turns"] += 1
        if self.acts["turns"] < _TURNS_BEFORE:
            return []
        said: list[Input | Effect] = []
        if self.acts["turns"] == _TURNS_BEFORE:
            policy = auth.policy_payload(auth.JOIN_OPEN, auth.GUEST, ((chat.NUMBER, auth.ADMIN),))
            said.append(Write(replica.community, (Draft(auth.POLICY, b"", policy),)))
            for number in range(_SYBILS):
                said += self._sybil(replica, number, now_ms)
        said += self._removals(replica, standing.member)
        return said

    def _removals(self, replica: Replica, own: bytes) -> list[Input]:
        weaker = [
            member.root
            for member in replica.membership.members()
            if member.rank > auth.ADMIN and member.root != own and member.root not in self.sybils
        ]
        drafts = tuple(Draft(auth.REVOKE, b"", auth.revoke_payload(root)) for root in weaker)
        self.acts["removed"] += len(drafts)
        return [Write(replica.community, drafts)] if drafts else []

    def _sybil(self, replica: Replica, number: int, now_ms: int) -> list[Input]:
        """Return what lets a creature in, and its first words."""
        rng = self.node.rng
        genesis = replica.membership.genesis
        assert genesis is not None, "an admin has GENESIS"
        root, device = SigningKey(rng.randbytes(32)), SigningKey(rng.randbytes(32))
        prekey = exchange_key_of(rng.randbytes(32))
        message = auth.certificate_message(genesis.nonce, root.public, device.public, prekey)
        begun = History(replica.community, device, AUTH, time_ms=now_ms)
        payload = auth.dev_add_payload(root.public, prekey, root.sign(message))
        added = begun.write(auth.DEV_ADD, payload)
        key = key_for(replica, chat.NUMBER)
        known = [replica.auth_references[head] for head in replica.graph.heads()][:9]
        log = History(replica.community, device, CONTENT, time_ms=now_ms)
        words = chat.encode_chat_message(f"sybil {number} agrees")
        spoken = log.write(
            chat.NUMBER, words, parents=[*known, added.reference], under=key, salt=rng.randbytes(24)
        )
        replica.expect(device.public)
        self.sybils.append(root.public)
        grant = Draft(auth.GRANT, b"", auth.grant_payload(root.public, auth.MEMBER))
        said: list[Input] = [Write(replica.community, (grant,))]
        for operations in ([added], [spoken]):
            hint = hint_of(replica, [run_of(operations)], rng.randbytes)
            if hint is not None:
                said.append(GossipReceived(*hint, "itself"))
        return said
