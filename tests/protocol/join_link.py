"""A newcomer and a member on a join link, in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import CloseSession, Effect, Joined, JoinRequested, SendFrame
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.hello import LinkEnd
from p2pvalue_protocol.inputs import Answer, Draft, JoinStarted
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.joining import JoinServer
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.newcomer import JoinClient
from p2pvalue_protocol.replica import Replica
from tests.protocol.authoring import SECRET, prekey_named
from tests.protocol.meeting import NOW_MS, Community, Node


class JoinLink:
    """A join link between a newcomer and a member; `alter` changes what the newcomer sends."""

    def __init__(
        self,
        newcomer: Node,
        member: Node,
        secret: bytes = SECRET,
        *,
        alter: Callable[[bytes], bytes] = bytes,
        answer: Answer = "pending",
    ) -> None:
        self._alter = alter
        self._answer: Answer = answer
        self.nodes = (newcomer, member)
        assert newcomer.replica.signer is not None
        started = JoinStarted(
            1,
            member.peer_id,
            member.replica.community,
            secret,
            newcomer.replica.signer,
            prekey_named(newcomer.name),
            newcomer.name.encode().ljust(32),
            newcomer.name,
            "let me in",
        )
        calling = LinkEnd(1, member.peer_id, newcomer.peer_id, bytes([1]) * 32)
        called = LinkEnd(2, newcomer.peer_id, member.peer_id, bytes([2]) * 32)
        self.client = JoinClient(calling, started, self._replica_for)
        self.server = JoinServer([member.replica], called)
        self.wires: tuple[deque[bytes], deque[bytes]] = (deque(), deque())
        self.sent: tuple[list[bytes], list[bytes]] = ([], [])
        self.joined: list[Joined] = []
        self.requested: list[JoinRequested] = []
        self.closed: list[tuple[int, Reason | None]] = []

    def _replica_for(self, community: bytes, signer: SigningKey) -> Replica:
        replica = self.nodes[0].replica
        assert community == replica.community
        assert signer is replica.signer
        return replica

    def act(self, side: int, step: Callable[[], list[Effect]]) -> None:
        for effect in self.nodes[side].do(step):
            if isinstance(effect, SendFrame):
                self.wires[side].append(effect.frame if side else self._alter(effect.frame))
                self.sent[side].append(effect.frame)
            elif isinstance(effect, Joined):
                self.joined.append(effect)
            elif isinstance(effect, JoinRequested):
                self.requested.append(effect)
                self.act(1, lambda: self.server.request_answered(self._answer))
            elif isinstance(effect, CloseSession):
                self.closed.append((side, effect.reason))

    def run(self) -> JoinLink:
        """Deliver frames until there are none; a close by the member reaches the newcomer."""
        self.act(1, lambda: self.server.open(NOW_MS))
        self.act(0, lambda: self.client.open(NOW_MS))
        while self.wires[0] or self.wires[1]:
            side = 0 if self.wires[0] else 1
            frame = self.wires[side].popleft()
            receive = self.client.receive if side else self.server.receive
            self.act(1 - side, lambda f=frame, r=receive: r(f, NOW_MS))  # type: ignore[misc]  # bound now
        if self.closed and self.closed[0][0] == 1:
            self.act(0, self.client.lost)
        return self


def invite(node: Node, *, uses: int = 1, secret: bytes = SECRET, rank: int = auth.MEMBER) -> None:
    payload = auth.invite_payload(invite_key(secret).public, rank, uses)
    node.write(Draft(auth.INVITE, b"", payload))


def newcomer(community: Community, name: str = "nia") -> Node:
    return community.node(name, has_genesis=False, knows_topic=False)
