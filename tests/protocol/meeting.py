"""Nodes that meet in memory: replicas with stores, and links that deliver frames one by one."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha256

from p2pvalue.store.memory import MemoryStore
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.addresses import make_record
from p2pvalue_protocol.effects import CloseSession, Effect, Parted, Ready, SendFrame
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.fetching import Fetching
from p2pvalue_protocol.frames import Ops, decode_frame
from p2pvalue_protocol.hello import LinkEnd
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference, tagged_hash
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kinds.chat import encode_chat_message
from p2pvalue_protocol.log import Run, decode_batch, make_item
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.serving import current_heads
from p2pvalue_protocol.sync import SyncSession
from p2pvalue_protocol.turns import Turns
from p2pvalue_protocol.writing import begin_epochs
from tests.protocol.authoring import Author, prekey_private_named

NOW_MS = 1_800_000_000_000
CHAT = 35
TOPIC_SECRET = sha256(b"topic").digest()


class Community:
    """A GENESIS with several founders, so that their devices are members from the first."""

    def __init__(
        self, *names: str, read: int = auth.READ_MEMBERS, join: int = auth.JOIN_INVITE
    ) -> None:
        self.authors = {name: Author(name) for name in names}
        first, *others = self.authors.values()
        self.genesis = first.found(*others, read=read, join=join)
        self.community = self.genesis.core.community
        self.topic_secret = tagged_hash("topic", self.community)
        self.begun = [run_of(self.genesis)]  # what every member holds from the first
        self.keys: list[tuple[bytes, bytes]] = []
        if read == auth.READ_MEMBERS:
            self._begin_epochs(names[0])

    def _begin_epochs(self, founder: str) -> None:
        node = Node(self.community, founder, self.authors[founder].key)
        node.take(self.begun)
        node.begin_epochs()
        self.begun = node.runs()
        keys = node.replica.epochs.unwrapped()
        self.keys = [(key.record.epoch, key.secret) for key in keys]
        (self.topic_secret,) = node.replica.epochs.topic_secrets()

    def node(
        self,
        name: str,
        *,
        has_device: bool = True,
        has_genesis: bool = True,
        knows_topic: bool = True,
    ) -> Node:
        """A node with the device of a founder or a stranger."""
        author = self.authors.get(name) or Author(name, self.community)
        node = Node(self.community, name, author.key if has_device else None)
        if knows_topic:
            node.learn(self.keys)
        if has_genesis:
            is_founder = has_device and name in self.authors
            node.take(self.begun if is_founder else [run_of(self.genesis)])
        return node


class Node:
    """One replica, its store, and its sessions."""

    def __init__(self, community: bytes, name: str, signer: SigningKey | None) -> None:
        self.name = name
        self.peer_id = f"peer-of-{name}"
        self.store = MemoryStore()
        self.replica = Replica(
            community,
            self.store.past(community),
            signer=signer,
            prekey_private=prekey_private_named(name),
            random_bytes=random.Random(f"{name} seals").randbytes,
        )
        self.sessions: list[SyncSession] = []
        self.turns = Turns()
        self.fetching = Fetching()

    def do(self, step: Callable[[], list[Effect]]) -> list[Effect]:
        """Perform one input as the machine would: collect, commit, then send."""
        self.replica.begin()
        effects = step()
        self.store.commit([self.replica.finish()])
        while self.replica.has_work:
            self.replica.begin()
            self.store.commit([self.replica.finish()])
        return effects

    def take(self, runs: Sequence[Run]) -> None:
        """Receive runs that nobody sent, and lose none."""

        def step() -> list[Effect]:
            receipt = self.replica.receive(runs, NOW_MS)
            assert not receipt.refused, receipt
            return []

        self.do(step)

    def learn(self, keys: Sequence[tuple[bytes, bytes]]) -> None:
        """Take secrets that nobody sent."""

        def step() -> list[Effect]:
            self.replica.learn(keys)
            return []

        self.do(step)

    def begin_epochs(self) -> None:
        """Write the community's first epoch, as whoever founds it does."""

        def step() -> list[Effect]:
            begin_epochs(self.replica, NOW_MS - 999)
            return []

        self.do(step)

    def write(self, *drafts: Draft, now_ms: int = NOW_MS) -> list[Reference]:
        """Write drafts in one input."""
        written: list[Reference] = []

        def step() -> list[Effect]:
            written.extend(self.replica.write(drafts, now_ms))
            return []

        self.do(step)
        return written

    def may_write(self) -> bool:
        """Whether our device is a member's and its logs are whole and not forked."""
        device = self.replica.device or b""
        logs = [self.replica.branches.of(device, log_class) for log_class in (AUTH, CONTENT)]
        return self.replica.membership.was_ever_admitted(device) and not any(
            len(branches) > 1 or any(branch.is_waiting for branch in branches) for branches in logs
        )

    def say(self, text: str, *, times: int = 1, now_ms: int = NOW_MS) -> list[Reference]:
        """Post chat messages."""
        drafts = [Draft(CHAT, b"", encode_chat_message(f"{text} {at}")) for at in range(times)]
        return self.write(*drafts, now_ms=now_ms)

    def write_auth_seen(self) -> None:
        """Begin or go on with the auth log."""
        self.write(Draft(auth.AUTH_SEEN, b"", b""))

    def listen_at(self, *addresses: str, now_ms: int = NOW_MS) -> None:
        """Make and keep our own address record."""
        assert self.replica.signer is not None
        record = make_record(
            self.replica.signer, self.replica.community, self.peer_id, addresses, now_ms
        )

        def step() -> list[Effect]:
            assert self.replica.learn_address(record, now_ms)
            return []

        self.do(step)

    def heads(self) -> list[Reference]:
        """All heads."""
        return list(self.replica.heads())

    def runs(self) -> list[Run]:
        """Everything that is held, signed."""
        self.do(self._seal)
        runs: list[Run] = []
        for head in current_heads(self.replica.branches):
            next_seq: int | None = 0
            while next_seq is not None:
                found, next_seq = self.replica.runs(
                    head.log_class, head.device, next_seq, head.op_id, 1 << 20
                )
                runs.extend(found)
        return runs

    def _seal(self) -> list[Effect]:
        self.replica.seal()
        return []

    def texts(self) -> int:
        """How many messages the community's own channel shows."""
        return self.store.entry_count(self.replica.community, bytes(16), CHAT)


class Link:
    """A sync link between two nodes; frames wait on it until they are delivered."""

    def __init__(self, first: Node, second: Node, *, seed: int = 0, session: int = 1) -> None:
        self.nodes = (first, second)
        self.now_ms = NOW_MS
        self.wires: tuple[deque[bytes], deque[bytes]] = (deque(), deque())
        self.sent: tuple[list[bytes], list[bytes]] = ([], [])
        self.told: tuple[list[Effect], list[Effect]] = ([], [])  # what a shell would do
        self.ready: list[Ready] = []
        self.parted: list[Parted] = []
        self.closed: list[tuple[str, Reason | None]] = []
        rng = random.Random(seed)
        self.sessions = tuple(
            SyncSession(
                [node.replica],
                LinkEnd(session, self.nodes[1 - side].peer_id, node.peer_id, rng.randbytes(32)),
                jitter=rng.random,
                community=node.replica.community if side == 0 else None,
                turns=node.turns,
                fetching=node.fetching,
            )
            for side, node in enumerate(self.nodes)
        )
        for side in (0, 1):
            self.act(side, self.sessions[side].open)

    def act(self, side: int, call: Callable[[int], list[Effect]]) -> None:
        """Let one session do something; what it sends is put on the wire."""
        for effect in self.nodes[side].do(lambda: call(self.now_ms)):
            if isinstance(effect, SendFrame):
                self.wires[side].append(effect.frame)
                self.sent[side].append(effect.frame)
            elif isinstance(effect, Ready):
                self.ready.append(effect)
            elif isinstance(effect, Parted):
                self.parted.append(effect)
            elif isinstance(effect, CloseSession):
                self.closed.append((self.nodes[side].name, effect.reason))
            else:
                self.told[side].append(effect)

    def deliver(self, side: int) -> None:
        """Bring the oldest frame that one side sent to the other."""
        frame = self.wires[side].popleft()
        session = self.sessions[1 - side]
        self.act(1 - side, lambda now_ms: session.receive(frame, now_ms))

    def set_back(self, by_ms: int) -> None:
        """Set both clocks back, as a machine tells its sessions."""
        self.now_ms -= by_ms
        for session in self.sessions:
            session.set_back(by_ms)

    def settle(self, rng: random.Random | None = None) -> None:
        """Deliver frames, in an order decided by `rng`, until there are none."""
        for _ in range(100_000):
            ready = [side for side in (0, 1) if self.wires[side]]
            due = [side for side in (0, 1) if self._is_due(side)]
            if not ready and not due:
                return
            if due and (not ready or rng is None or rng.random() < 0.5):
                side = due[0]
                self.act(side, self.sessions[side].wakeup)
            else:
                self.deliver(rng.choice(ready) if rng else ready[0])
            if self.closed:
                return
        raise AssertionError("two nodes never stop talking")

    def wait(self, ms: int, rng: random.Random | None = None) -> None:
        """Let time pass, with a wakeup whenever a session asked for one."""
        end_ms = self.now_ms + ms
        while not self.closed:
            self.settle(rng)
            due_ms = min(self._due_ms(0), self._due_ms(1))
            if due_ms > end_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
        self.now_ms = end_ms

    def cut(self) -> None:
        """Let the link be gone, and with it what is under way."""
        for session in self.sessions:
            session.end()

    def poke(self, side: int) -> None:
        """Tell a session that its node's heads changed."""
        self.act(side, self.sessions[side].poke)

    def operations_sent(self) -> list[Run]:
        """All runs that either side sent."""
        frames = [decode_frame(frame) for frames in self.sent for frame in frames]
        batches = [frame.batch for frame in frames if isinstance(frame, Ops)]
        return [run for batch in batches for run in decode_batch(batch)]

    def bytes_sent(self) -> int:
        """What both sides sent so far."""
        return sum(len(frame) for frames in self.sent for frame in frames)

    def _due_ms(self, side: int) -> int:
        due_ms = self.sessions[side].next_wakeup_ms()
        return due_ms if due_ms is not None else 2**60

    def _is_due(self, side: int) -> bool:
        return self._due_ms(side) <= self.now_ms


def run_of(*operations: Operation) -> Run:
    """The run that consecutive operations make."""
    core = operations[0].core
    items = [make_item(op.core, op.payload or b"", op.signature) for op in operations]
    return Run(core.device, core.log_class, core.seq, core.backlink, items)


def assert_equal_nodes(*nodes: Node) -> None:
    """Check that nodes hold the same operations and show the same state."""
    first, *others = nodes
    for other in others:
        assert other.heads() == first.heads()
        assert other.store.state_digest(other.replica.community) == first.store.state_digest(
            first.replica.community
        )
