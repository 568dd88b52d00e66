"""Going on after the end: a removed member writes as before, and friends carry it on."""

from __future__ import annotations

from p2pvalue.sim.hostile.unaware import Unaware
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft, Input, Write
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.kinds import chat

_TURNS_MAX = 25


class ActAfterRemoval(Unaware):
    """Writes words, invites and grants from the state before its removal.

    Those of its kind that stay members know of no removal either: they name what it writes, and
    bring both. What must hold: none of it is visible to whoever holds the removal, nobody whom it
    lets in then is a member, and what its friends write counts all the same.
    """

    name = "act-after-removal"

    def __init__(self) -> None:
        super().__init__()
        self.guests: list[bytes] = []  # roots that it let in, or says it did

    @property
    def written(self) -> list[Reference]:
        """The heads of its own logs, as its own machine has them."""
        replica = self.node.replica
        if replica is None:
            return []
        device = self.node.device.public
        return [
            Reference(device, log_class, branch.head_seq, branch.head_id)
            for log_class in (AUTH, CONTENT)
            for branch in replica.branches.of(device, log_class)
        ]

    def act(self, now_ms: int) -> list[Input | Effect]:
        node, replica = self.node, self.node.replica
        if replica is None or not replica.membership.is_live(node.device.public):
            return []
        if self.acts["turns"] >= _TURNS_MAX:
            return []
        self.acts["turns"] += 1
        words = chat.encode_chat_message(f"still here {now_ms}")
        said: list[Input | Effect] = [Write(replica.community, (Draft(chat.NUMBER, b"", words),))]
        if self.acts["turns"] % 5 == 0:
            guest = node.rng.randbytes(32)
            self.guests.append(guest)
            key = invite_key(node.rng.randbytes(16)).public
            drafts = (
                Draft(auth.GRANT, b"", auth.grant_payload(guest, auth.GUEST)),
                Draft(auth.INVITE, b"", auth.invite_payload(key, auth.GUEST, 0)),
            )
            said.append(Write(replica.community, drafts))
        return said
