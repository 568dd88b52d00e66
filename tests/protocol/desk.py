"""Machines on one desk: whole nodes without disk and network, and links between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from hashlib import sha256

from p2pvalue.store.memory import MemoryStore
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import effects as e
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kinds.chat import encode_chat_message
from p2pvalue_protocol.machine import Machine
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.past import Batch
from tests.protocol.authoring import SECRET, key_named, prekey_private_named

NOW_MS = 1_800_000_000_000
CHAT = 35


class Computer:
    """One machine with its store; `person` names the words that its roots follow from."""

    def __init__(self, name: str, person: str, *, is_gossiping: bool = False) -> None:
        self.name = name
        self.peer_id = f"peer-of-{name}"
        self.entropy = sha256(f"{person} words".encode()).digest()
        self.store = MemoryStore()
        self.committed: list[Batch] = []
        self.told: list[e.Joined | e.Linked | e.DevicesWanted | e.AddressLearned] = []
        self.refusal = 0
        self.outbox: deque[e.SendFrame | e.CloseSession] = deque()
        self._drawn = 0
        self._generation = 0
        self.machine = Machine(
            open_past=self.store.past,
            random_bytes=self._random_bytes,
            peer_id=self.peer_id,
            is_gossiping=is_gossiping,
        )

    def _random_bytes(self, count: int) -> bytes:
        self._drawn += 1
        block = sha256(f"{self.name} {self._drawn}".encode()).digest()
        return (block * (count // 32 + 1))[:count]

    # --- keys, as the shell makes them

    def keys(self, community: bytes) -> i.DeviceKeys:
        """The keys of this computer for a community; `start_anew` changes them."""
        label = f"{self.name} {community.hex()} {self._generation}"
        return i.DeviceKeys(community, key_named(f"{label} device"), prekey_private_named(label))

    def start_anew(self) -> None:
        """Make other keys from now on, as a device that was given up does."""
        self._generation += 1

    def handle(self, given: i.Input, now_ms: int = NOW_MS) -> list[e.Effect]:
        """Handle an input and perform its effects."""
        effects = self.machine.handle(given, now_ms)
        batches = [f.batch for f in effects if isinstance(f, e.Store)]
        self.committed += batches
        self.store.commit(batches)
        for effect in effects:
            match effect:
                case e.SendFrame() | e.CloseSession():
                    self.outbox.append(effect)
                case e.DevicesWanted(session, _, wanted):
                    self.told.append(effect)
                    made = tuple(self.keys(community) for community, _, _ in wanted)
                    made = () if self.refusal else made
                    self.handle(i.DevicesMade(session, self.name, made, self.refusal), now_ms)
                case e.Joined() | e.Linked() | e.AddressLearned():
                    self.told.append(effect)
                case _:
                    pass
        return effects

    # --- what a person does

    def found(
        self,
        name: str,
        *drafts: i.Draft,
        read: int = auth.READ_MEMBERS,
        join: int = auth.JOIN_INVITE,
    ) -> bytes:
        """Found a community with these first words and return its id."""
        nonce = sha256(name.encode()).digest()
        root = self.root(nonce)
        keys = self.keys(bytes(32))
        founder = auth.founder(root, keys.signer.public, keys.prekey, nonce)
        payload = auth.genesis_payload(nonce, [founder], read=read, join=join)
        effects = self.handle(i.Found(keys.signer, payload, keys.prekey_private, drafts))
        return next(f.community for f in effects if isinstance(f, e.Wrote))

    def root(self, nonce: bytes) -> SigningKey:
        """The person's root key in a community."""
        return SigningKey(auth.root_seed(self.entropy, nonce))

    def write(self, community: bytes, kind: int, payload: bytes = b"") -> None:
        """Write one operation."""
        self.handle(i.Write(community, (i.Draft(kind, b"", payload),)))

    def say(self, community: bytes, text: str) -> None:
        """Post a chat message."""
        self.write(community, CHAT, encode_chat_message(text))

    def invite(self, community: bytes) -> None:
        """Let the holder of the tests' secret in."""
        self.write(community, auth.INVITE, auth.invite_payload(invite_key(SECRET).public, 2, 9))

    def membership(self, community: bytes) -> Membership:
        return self.machine.replica(community).membership

    def device(self, community: bytes) -> bytes:
        return self.machine.replica(community).device or b""

    def digest(self, community: bytes) -> bytes:
        return self.store.state_digest(community)

    def linked(self) -> e.Linked:
        """How the last link between devices ended."""
        return next(told for told in reversed(self.told) if isinstance(told, e.Linked))

    def joined(self) -> e.Joined:
        """The newest report of a join or a recovery."""
        return next(told for told in reversed(self.told) if isinstance(told, e.Joined))


class Cable:
    """A link between two computers; `alter` changes what the first sends."""

    def __init__(
        self,
        caller: Computer,
        called: Computer,
        session: int,
        *,
        alter: Callable[[bytes], bytes | None] = bytes,
    ) -> None:
        self._ends = (caller, called)
        self._session = session
        self._alter = alter
        self.sent: tuple[list[bytes], list[bytes]] = ([], [])

    def carry(self, calling: i.Input, answering: i.Input, now_ms: int = NOW_MS) -> Cable:
        """Open the link and deliver frames until both are silent or one ends it."""
        self._ends[1].handle(answering, now_ms)
        self._ends[0].handle(calling, now_ms)
        while any(end.outbox for end in self._ends):
            side = 0 if self._ends[0].outbox else 1
            effect = self._ends[side].outbox.popleft()
            if effect.session != self._session:
                continue
            if isinstance(effect, e.CloseSession):
                self._ends[1 - side].handle(i.PeerLeft(self._session), now_ms)
                continue
            self.sent[side].append(effect.frame)
            frame = effect.frame if side else self._alter(effect.frame)
            if frame is not None:
                self._ends[1 - side].handle(i.FrameReceived(self._session, frame), now_ms)
        return self


def sync(one: Computer, other: Computer, community: bytes, session: int) -> None:
    """Bring two computers to the same operations."""
    Cable(one, other, session).carry(
        i.PeerJoined(session, other.peer_id, True, community),
        i.PeerJoined(session, one.peer_id, False, None),
    )
    for computer in (one, other):
        computer.handle(i.PeerLeft(session))


def join(newcomer: Computer, member: Computer, community: bytes, session: int) -> None:
    """Let a newcomer in by an invite that stands."""
    keys = newcomer.keys(community)
    Cable(newcomer, member, session).carry(
        i.JoinStarted(
            session,
            member.peer_id,
            community,
            SECRET,
            keys.signer,
            keys.prekey,
            newcomer.entropy,
        ),
        i.JoinAsked(session, newcomer.peer_id),
    )
