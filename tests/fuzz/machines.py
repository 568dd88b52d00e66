"""Targets for whole machines: frames, hints, links and the passing of time, in any order.

One machine is the victim. A member sits at the other end of each link: her machine is honest, and a
program changes what it sends, adds to it, and signs operations with the keys of everybody there is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from hashlib import shake_256
from random import Random

from msgspec import structs

from p2pvalue.store import MemoryStore
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import effects as e
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol.envelope import SALT_BYTES, seal_envelope
from p2pvalue_protocol.errors import LocalProtocolError, Refused
from p2pvalue_protocol.gossip import topic_name
from p2pvalue_protocol.ids import ZERO32, Reference
from p2pvalue_protocol.kinds.chat import NUMBER as CHAT
from p2pvalue_protocol.kinds.chat import encode_chat_message
from p2pvalue_protocol.log import Run, encode_batch
from p2pvalue_protocol.machine import Machine
from tests.fuzz.choices import Choices
from tests.fuzz.mutation import mutate
from tests.fuzz.seeds import LINK_SECRET, in_vectors, talk
from tests.fuzz.target import Budget, Target
from tests.fuzz.village import PEOPLE, Pen, Scene, scene, store_of
from tests.protocol.authoring import SECRET, key_named, prekey_named, prekey_private_named
from tests.protocol.replicas import NOW_MS, run_of

P = "p2pvalue_protocol"
_STEPS_MAX = 16
_FRAMES_MAX = 400
_WAKEUPS_MAX = 100
_PERSON = i.PersonHere("Cat", "laptop", b"c" * 32, b"b" * 32)


class Player:
    """A machine with its store, and what it has sent and not been delivered."""

    def __init__(self, held: Scene | None, name: str) -> None:
        self.name = name
        self.peer_id = f"peer-of-{name}"
        self.outbox: deque[tuple[int, bytes]] = deque()
        self.blamed: list[e.Rejected] = []
        self.now_ms = NOW_MS
        self._drawn = 0
        self.store = store_of(held, name) if held is not None else MemoryStore()
        self.begin(held.community if held is not None else None)

    def begin(self, community: bytes | None) -> None:
        """Begin a life with nothing but the store and the keys."""
        self.machine = Machine(
            open_past=self.store.past, random_bytes=self._random_bytes, peer_id=self.peer_id
        )
        if community is not None:
            key, private = key_named(f"{self.name} device"), prekey_private_named(self.name)
            self.machine.add_replica(community, key, private)

    def _random_bytes(self, count: int) -> bytes:
        self._drawn += 1
        return shake_256(f"{self.name} {self._drawn}".encode()).digest(count)

    def handle(self, given: i.Input) -> list[e.Effect]:
        """Handle an input and perform its effects, then all work that is due at once."""
        effects = self._handle(given)
        for _ in range(_WAKEUPS_MAX):
            due_ms = self.machine.next_wakeup_ms()
            if due_ms is None or due_ms > self.now_ms:
                break
            effects += self._handle(i.Wakeup())
        return effects

    def _handle(self, given: i.Input) -> list[e.Effect]:
        effects = self.machine.handle(given, self.now_ms)
        self.store.commit([effect.batch for effect in effects if isinstance(effect, e.Store)])
        for effect in effects:
            match effect:
                case e.SendFrame(session, frame):
                    assert len(frame) <= limits.FRAME_BYTES_MAX
                    self.outbox.append((session, frame))
                case e.Rejected():
                    self.blamed.append(effect)
                case e.Publish(_, message):
                    assert len(message) <= limits.GOSSIP_BYTES_MAX
                case e.DevicesWanted(session, _, wanted):
                    made = tuple(self._keys(community) for community, _, _ in wanted)
                    self._handle(i.DevicesMade(session, self.name, made, 0))
                case e.ChunkAsked(session, _, chunk):
                    self._handle(i.ChunkRead(session, chunk))
                case e.JoinRequested(session):
                    self._handle(i.RequestAnswered(session, "pending"))
                case _:
                    pass
        return effects

    def _keys(self, community: bytes) -> i.DeviceKeys:
        label = f"{self.name} another"
        return i.DeviceKeys(community, key_named(label), prekey_private_named(label))

    def shown(self, community: bytes) -> tuple[object, ...]:
        """What people see, and what is held."""
        replica = self.machine.replica(community)
        members = [(m.root, m.rank, m.devices) for m in replica.membership.members()]
        return self.store.state_digest(community), members, tuple(replica.heads())


class Attack:
    """What a program does to one victim."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self.held = scene(choices.pick((auth.READ_PUBLIC, auth.READ_MEMBERS)))
        self.victim = Player(self.held, "ana")
        self.peer = Player(self.held, choices.pick(("ben", "cat", "dan", "fay")))
        self.pen = Pen(self.held, choices)
        self._sessions = 0
        self._alter_at = 0
        self._recorded = (*talk().sync, *talk().join, *talk().link, *in_vectors("sync", "frame"))
        for end in (self.victim, self.peer):  # so that they speak of documents too
            end.handle(i.UpdatesAwaited(self.held.community, bytes(16), (bytes(32),)))
            shown = i.ShownDocument(bytes(16), bytes(16), end.name.encode().ljust(32))
            end.handle(i.DocumentsShown(self.held.community, (shown,)))

    def step(self) -> None:
        """Do one thing."""
        steps: tuple[Callable[[], None], ...] = (
            *(self._sync, self._sync, self._join, self._link, self._recover),
            *(self._inject, self._inject, self._inject, self._bring, self._bring),
            *(self._hint, self._wait, self._say, self._leave),
        )
        self._choices.pick(steps)()

    # --- links

    def _opened(self) -> int:
        self._sessions += 1
        self._alter_at = self._choices.number(24)  # beyond what is said, often enough
        return self._sessions

    def _sync(self) -> None:
        session, ours = self._opened(), bool(self._choices.number(2))
        community = self.held.community
        ends = ((self.victim, self.peer), (self.peer, self.victim))
        for (end, other), calls in zip(ends, (ours, not ours), strict=True):
            wanted = community if calls else None
            end.handle(i.PeerJoined(session, other.peer_id, calls, wanted))
        self._carry()

    def _join(self) -> None:
        session, name = self._opened(), self._choices.pick(("fay", "gus"))
        key, entropy = key_named(f"{name} device"), name.encode().ljust(32)
        prekey, secret = prekey_named(name), self._choices.pick((SECRET, b"", bytes(16)))
        asked = i.JoinStarted(
            *(session, self.victim.peer_id, self.held.community, secret, key, prekey, entropy)
        )
        self._dial(session, asked, i.JoinAsked(session, f"peer-of-{name}"))

    def _link(self) -> None:
        session = self._opened()
        calls = i.LinkStarted(session, self.victim.peer_id, LINK_SECRET, _PERSON)
        called = i.LinkAsked(session, self.peer.peer_id, LINK_SECRET)
        if self._choices.number(2):
            calls = i.LinkStarted(session, self.peer.peer_id, LINK_SECRET, _PERSON)
            self.peer.handle(i.LinkAsked(session, self.victim.peer_id, LINK_SECRET))
            self.victim.handle(calls)
            self._carry()
        else:
            self.victim.handle(called)
            self.peer.handle(calls)
            self._carry()

    def _recover(self) -> None:
        session = self._opened()
        keys = i.DeviceKeys(
            self.held.community, key_named("tablet device"), prekey_private_named("tablet")
        )
        entropy = self._choices.pick((bytes(32), b"ben".ljust(32)))
        asked = i.RecoveryStarted(session, self.victim.peer_id, keys, entropy)
        self._dial(session, asked, i.RecoveryAsked(session, "peer-of-tablet"))

    def _dial(self, session: int, calls: i.Input, called: i.Input) -> None:
        """Let a machine that holds nothing call the victim."""
        former, self.peer = self.peer, Player(None, "gus")
        self.victim.handle(called)
        self.peer.handle(calls)
        self._carry()
        self.peer = former

    def _carry(self) -> None:
        """Deliver frames both ways; one of the peer's is another than it sent."""
        said = 0
        for _ in range(_FRAMES_MAX):
            if self.peer.outbox:
                session, frame = self.peer.outbox.popleft()
                said += 1
                self._hand(session, self._altered(frame) if said == self._alter_at else frame)
            elif self.victim.outbox:
                self.peer.handle(i.FrameReceived(*self.victim.outbox.popleft()))
            else:
                return

    def _altered(self, frame: bytes) -> bytes:
        rng = Random(self._choices.number(1 << 16))
        other = rng.choice(self._recorded)
        return mutate(frame, other, rng, limits.FRAME_BYTES_MAX + 8, "msgpack")

    # --- what no honest machine sends

    def _hand(self, session: int, frame: bytes) -> None:
        """Give the victim a frame; a refused one that brings no operations changes nothing."""
        community, blamed = self.held.community, len(self.victim.blamed)
        before = self.victim.shown(community)
        self.victim.handle(i.FrameReceived(session, frame))
        if len(self.victim.blamed) > blamed and not _brings(frame):
            assert self.victim.shown(community) == before, "a refused frame changed something"

    def _inject(self) -> None:
        self._hand(self._some_session(), self._frame())
        self._carry()

    def _some_session(self) -> int:
        return 1 + self._choices.number(max(1, self._sessions))

    def _frame(self) -> bytes:
        choices = self._choices
        flag, entries = choices.number(2), self._entries()
        devices = [key_named(f"{name} device").public for name in PEOPLE]
        match choices.number(12):
            case 0:
                return self._altered(choices.pick(self._recorded))
            case 1 | 2:
                return f.encode_frame(f.Heads(choices.pick((b"", bytes(16))), flag, entries))
            case 3:
                return f.encode_frame(f.Buckets(choices.take(8).ljust(2_048, b"\x01")))
            case 4:
                sums = choices.take(8 * choices.number(4)).ljust(16, b"\x00")[:16]
                return f.encode_frame(f.Sums(flag, [f.BucketSums(choices.number(256), sums)]))
            case 5:
                return f.encode_frame(f.Ask(flag, choices.take(16)))
            case 6:
                wants = [f.Want(h.device, h.log_class, choices.number(3), h.seq, h.op_id)
                         for h in entries] or [f.Want(devices[0], 1, 0, 0, ZERO32)]  # fmt: skip
                return f.encode_frame(f.Wants(wants))
            case 7:
                return f.encode_frame(f.Ack())
            case 8:
                return f.encode_frame(f.KeysWanted([self.held.epoch or ZERO32, ZERO32]))
            case 9:
                return f.encode_frame(f.Keys([f.EpochSecret(self.held.epoch or ZERO32, ZERO32)]))
            case 10:
                identity = f.ResponderIdentity if flag else f.InitiatorIdentity
                return f.encode_frame(identity(choices.pick(devices), choices.take(64)))
        return choices.piece()

    def _entries(self) -> list[f.HeadEntry]:
        held = self.victim.machine.replica(self.held.community).heads()
        known = [*held, *(op.reference for op in self.pen.written), Reference(ZERO32, 1, 9, ZERO32)]
        return [f.head_entry(reference) for reference in self._choices.some(known, 4)]

    def _written(self) -> list[Run]:
        """Return runs of newly written operations, perhaps with an item changed after signing."""
        operations = [self.pen.write() for _ in range(1 + self._choices.number(4))]
        runs = [run_of([op]) for op in operations]
        if not self._choices.number(6):
            run = self._choices.pick(runs)
            run.items[0] = structs.replace(run.items[0], payload=b"x")
        return runs

    def _bring(self) -> None:
        """Claim operations, wait to be asked, and bring them, or bring them unasked."""
        runs = self._written()
        session = self._some_session()
        heads = [op.reference for op in self.pen.written[-len(runs) :]]
        if self._choices.number(8):
            claim = f.Heads(b"", 0, [f.head_entry(head) for head in heads])
            self._hand(session, f.encode_frame(claim))
        finished = self._choices.number(3)
        self._hand(session, f.encode_frame(f.Ops(finished, encode_batch(runs))))
        self._carry()

    def _hint(self) -> None:
        """Gossip newly written operations, or what is none, under the topic's secret."""
        community = self.held.community
        topics = self.victim.machine.topics_of(community)
        if not topics:
            return
        batch = encode_batch(self._written()) if self._choices.number(3) else self._choices.piece()
        secrets = self.victim.machine.replica(community).topic_secrets
        named = {topic_name(secret): secret for secret in secrets}
        topic = self._choices.pick(topics)
        if self.held.secret and self._choices.number(4):
            batch = seal_envelope(named[topic], topic, batch, bytes(SALT_BYTES))
        effects = self.victim.handle(i.GossipReceived(topic, batch, self.peer.peer_id))
        assert sum(isinstance(effect, e.Judge) for effect in effects) == 1

    # --- what just happens

    def _wait(self) -> None:
        step_ms = self._choices.pick((60, 1_000, 11_000, 70_000, 10**7, -5_000))
        for player in (self.victim, self.peer):
            player.now_ms += step_ms
            player.handle(i.Wakeup())
        self._carry()

    def _say(self) -> None:
        draft = i.Draft(CHAT, b"", encode_chat_message("hello"))
        for player in (self.victim, self.peer):
            with suppress(LocalProtocolError):  # put out by now, or its log is forked
                player.handle(i.Write(self.held.community, (draft,)))
        self._carry()

    def _leave(self) -> None:
        session = self._some_session()
        for player in (self.victim, self.peer):
            player.handle(i.PeerLeft(session))


def _brings(frame: bytes) -> bool:
    """Whether a frame holds operations; those before a bad one may stay."""
    try:
        return isinstance(f.decode_frame(frame), f.Ops)
    except Refused:
        return False


def _attacked(data: bytes) -> bool:
    choices = Choices(data)
    attack = Attack(choices)
    steps = 0
    while not choices.is_spent and steps < _STEPS_MAX:
        attack.step()
        steps += 1
    victim, community = attack.victim, attack.held.community
    shown = victim.shown(community)
    victim.begin(community)
    assert victim.shown(community)[:2] == shown[:2], "a restart changes what is seen"
    victim.handle(i.Wakeup())
    return bool(attack.pen.written) or not victim.blamed


MACHINES = (
    Target(
        name="machine",
        run=_attacked,
        seeds=lambda: [Random(seed).randbytes(20 + 20 * seed) for seed in range(16)],
        covers=(f"{P}.sync", f"{P}.joining", f"{P}.linking", f"{P}.recovery", f"{P}.gossip"),
        shape="program",
        bytes_max=1_024,
        budget=Budget(units=3_000, memory_bytes=96 << 20),
        mutations_in_tests=40,
    ),
)
