"""A community of machines: founded, joined, written to, cut apart, restarted, and checked.

A world is busy for a while, in which members write and faults happen. Then all ways are opened, and
all machines must come to hold and see the same within `SETTLE_MS_MAX`. Whatever was acknowledged
must be held by all, no log may be forked, and no honest machine may have been blamed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from random import Random
from typing import assert_never

import msgspec

from p2pvalue.sim.member import Node, draft_of
from p2pvalue.sim.network import Faults, Network, Timeline, peer_name
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import effects as e
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import Reference, subject_of
from p2pvalue_protocol.inputs import (
    Draft,
    Found,
    GossipReceived,
    Input,
    JoinAsked,
    JoinStarted,
    PeerJoined,
    Wakeup,
    Write,
)
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import SigningKey

START_MS = 1_800_000_000_000
BUSY_MS = 30_000
SETTLE_MS_MAX = 60_000
DIAL_EVERY_MS = 1_500
WRITE_EVERY_MS = 2_000
NEIGHBOURS_MAX = 4


class Report(msgspec.Struct, frozen=True):
    """What became of a world; it went well if `failures` is empty."""

    seed: int
    machines: int
    operations: int
    members: int
    settled_ms: int | None  # from the heal until all were equal; None if they never were
    frames: int
    frame_bytes: int
    hints: int
    hints_lost: int
    restarts: int
    partitions: int
    failures: tuple[str, ...]
    trace: str  # equal in every process that runs the same seed


class World:
    """One run; `run` may be called once."""

    def __init__(self, seed: int, machines: int, faults: Faults) -> None:
        self._seed = seed
        self._rng = rng = Random(seed)
        self._faults = faults
        self._timeline = Timeline()
        self._network = Network(self._timeline, rng, faults, self._handle)
        skew = faults.clock_skew_ms_max
        self._nodes = [
            Node(number, rng.getrandbits(64), rng.randint(-skew, skew))
            for number in range(machines)
        ]
        for node in self._nodes:
            others = [number for number in range(machines) if number != node.number]
            chosen = rng.sample(others, min(NEIGHBOURS_MAX - 1, len(others)))
            node.neighbours = sorted({(node.number + 1) % machines, *chosen} - {node.number})
        self._acknowledged: list[Reference] = []
        self._subjects = [bytes(16)]
        self._failures: list[str] = []
        self._trace = sha256()
        self._restarts = self._partitions = 0
        self._secret = rng.randbytes(16)
        self._community = self._found()

    def run(self) -> Report:
        """Let it all happen, and check it."""
        end_ms = BUSY_MS
        for node in self._nodes:
            self._often(DIAL_EVERY_MS, BUSY_MS + SETTLE_MS_MAX, partial(self._dial, node))
            self._often(WRITE_EVERY_MS, BUSY_MS, partial(self._write, node))
        for _ in range(self._faults.partitions):
            start_ms = self._rng.randrange(end_ms)
            self._timeline.after(start_ms, self._part)
            self._timeline.after(start_ms + self._rng.randint(2_000, 20_000), self._network.heal)
        for _ in range(self._faults.restarts):
            self._timeline.after(self._rng.randrange(end_ms), self._strike)
        self._timeline.run_until(end_ms)
        self._network.heal()
        settled_ms = self._settle()
        return self._report(settled_ms)

    def _often(self, every_ms: int, until_ms: int, action: Callable[[], object]) -> None:
        def again() -> None:
            if self._timeline.now_ms < until_ms:
                action()
                self._timeline.after(self._rng.randint(1, 2 * every_ms), again)

        self._timeline.after(self._rng.randrange(every_ms), again)

    # --- the shell around a machine

    def _handle(self, number: int, given: Input) -> list[e.Effect]:
        """Give an input to a machine, perform its effects, and plan when it is to be woken."""
        node = self._nodes[number]
        now_ms = START_MS + self._timeline.now_ms + node.skew_ms
        effects = node.machine.handle(given, now_ms)
        self._trace.update(msgspec.msgpack.encode([self._timeline.now_ms, number, effects]))
        if node.is_dying:
            self._die_performing(node, given, effects)
            return []
        for effect in effects:
            self._perform(node, given, effect)
        due_ms = node.machine.next_wakeup_ms()
        if due_ms is not None and (node.wakes_at_ms is None or due_ms < node.wakes_at_ms):
            node.wakes_at_ms = due_ms
            self._timeline.after(max(due_ms - now_ms, 1), partial(self._wake, node, node.lives))
        return effects

    def _wake(self, node: Node, life: int) -> None:
        if node.lives == life:
            node.wakes_at_ms = None
            self._handle(node.number, Wakeup())

    def _die_performing(self, node: Node, given: Input, effects: list[e.Effect]) -> None:
        """Stop a machine somewhere among the effects of an input, and start it again."""
        for effect in effects[: self._rng.randint(0, len(effects))]:
            self._perform(node, given, effect)
        self._restart(node)

    def _perform(self, node: Node, given: Input, effect: e.Effect) -> None:
        match effect:
            case e.Store(batch):
                node.store.commit([batch])
            case e.SendFrame(session, frame):
                self._network.send(node.number, session, frame)
            case e.CloseSession(session, _):
                self._network.close(node.number, session)
            case e.Publish(topic, message):
                self._spread(node, topic, message)
            case e.Judge(verdict):
                if verdict == "accept":
                    assert isinstance(given, GossipReceived), "only hints are judged"
                    self._spread(node, given.topic, given.message)
            case e.Rejected(peer_id, reason):
                self._failures.append(f"{peer_name(node.number)} blamed {peer_id}: {reason}")
            case e.Joined():
                self._joined(node, effect)
            case e.Wrote(references=references):
                self._acknowledged += references
            case e.Changed() | e.Ready() | e.AddressLearned() | e.DevicesWanted() | e.Linked():
                pass
            case e.Parted() | e.TopicsChanged() | e.JoinRequested():
                pass
            case _:
                assert_never(effect)

    def _spread(self, node: Node, topic: str, message: bytes) -> None:
        for peer_id in node.machine.peers_of(self._community):
            receiver = int(peer_id.rpartition("-")[2])
            self._network.hint(node.number, receiver, topic, message)

    def _joined(self, node: Node, joined: e.Joined) -> None:
        node.is_known = True
        node.is_member = node.is_member or joined.state == "admitted"

    # --- what people do

    def _found(self) -> bytes:
        founder, nonce = self._nodes[0], self._rng.randbytes(32)
        root = SigningKey(auth.root_seed(founder.entropy, nonce))
        entry = auth.founder(root, founder.device.public, founder.prekey, nonce)
        payload = auth.genesis_payload(nonce, [entry])
        effects = self._handle(0, Found(founder.device, payload, founder.prekey_private))
        community = next(f.community for f in effects if isinstance(f, e.Wrote))
        founder.is_known = founder.is_member = True
        invite = auth.invite_payload(invite_key(self._secret).public, auth.MEMBER, 0)
        self._handle(0, Write(community, (Draft(auth.INVITE, b"", invite),)))
        return community

    def _write(self, node: Node) -> None:
        if not node.is_member:
            return
        drafts = tuple(draft_of(self._rng, self._subjects) for _ in range(self._rng.randint(1, 3)))
        try:
            effects = self._handle(node.number, Write(self._community, drafts))
        except LocalProtocolError:
            return  # her node has not heard yet that she was admitted
        for effect in effects:
            if isinstance(effect, e.Wrote):
                self._subjects += [subject_of(made.op_id) for made in effect.references]

    # --- what goes on between machines

    def _dial(self, node: Node) -> None:
        for number in node.neighbours:
            other = self._nodes[number]
            if not self._network.is_open(node.number, number):
                continue
            if node.is_member and not node.machine.has_session(peer_name(number), self._community):
                self._link(node, number, is_join=False)
            elif not node.is_member and other.is_member:
                self._link(node, number, is_join=True)
                return

    def _link(self, node: Node, number: int, *, is_join: bool) -> None:
        link = self._network.connect(node.number, number)
        called, caller = link.session_of(number), link.session_of(node.number)
        us, them = peer_name(node.number), peer_name(number)
        if is_join:
            self._handle(number, JoinAsked(called, us))
            started = JoinStarted(
                caller,
                them,
                self._community,
                self._secret,
                node.device,
                node.prekey,
                node.entropy,
            )
            self._handle(node.number, started)
        else:
            self._handle(number, PeerJoined(called, us, False, None))
            self._handle(node.number, PeerJoined(caller, them, True, self._community))

    def _part(self) -> None:
        """Cut the machines into two halves, or some ways in one direction only."""
        self._partitions += 1
        numbers = list(range(len(self._nodes)))
        some = set(self._rng.sample(numbers, max(1, len(numbers) // 2)))
        ways = {(one, other) for one in some for other in numbers if other not in some}
        if self._rng.random() < 0.5:
            ways |= {(other, one) for one, other in ways}
        self._network.cut(ways)

    def _strike(self) -> None:
        """Restart a machine, now or in the middle of what it does next."""
        node = self._rng.choice(self._nodes)
        node.is_dying = self._rng.random() < 0.5
        if not node.is_dying:
            self._restart(node)

    def _restart(self, node: Node) -> None:
        self._restarts += 1
        self._network.drop_all(node.number)
        node.start([self._community] if node.is_known else [])
        self._handle(node.number, Wakeup())

    # --- checking

    def _settle(self) -> int | None:
        start_ms = self._timeline.now_ms
        while self._timeline.now_ms < start_ms + SETTLE_MS_MAX:
            if self._are_equal():
                return self._timeline.now_ms - start_ms
            self._timeline.run_until(self._timeline.now_ms + 250)
        return None

    def _are_equal(self) -> bool:
        if not all(node.is_member for node in self._nodes):
            return False
        replicas = [node.machine.replica(self._community) for node in self._nodes]
        held = [(r.heads(), r.membership.members(), r.has_work) for r in replicas]
        if any(one != (*held[0][:2], False) for one in held):
            return False
        return len({node.store.state_digest(self._community) for node in self._nodes}) == 1

    def _report(self, settled_ms: int | None) -> Report:
        if settled_ms is None:
            self._failures.append(f"not equal {SETTLE_MS_MAX} ms after the heal")
        node = self._nodes[0]
        replica = node.machine.replica(self._community)
        lost = sum(not replica.held(reference) for reference in self._acknowledged)
        if lost:
            self._failures.append(f"{lost} acknowledged operations are lost")
        heads = replica.heads()
        forks = len(heads) - len({(head.device, head.log_class) for head in heads})
        if forks:
            self._failures.append(f"{forks} logs of honest devices are forked")
        return Report(
            seed=self._seed,
            machines=len(self._nodes),
            operations=node.store.figures().operations,
            members=len(replica.membership.members()),
            settled_ms=settled_ms,
            frames=self._network.frames,
            frame_bytes=self._network.frame_bytes,
            hints=self._network.hints,
            hints_lost=self._network.hints_lost,
            restarts=self._restarts,
            partitions=self._partitions,
            failures=tuple(self._failures),
            trace=self._trace.hexdigest(),
        )


def simulate(seed: int, machines: int = 5, faults: Faults | None = None) -> Report:
    """Return what becomes of the world that a seed decides."""
    return World(seed, machines, faults or Faults()).run()
