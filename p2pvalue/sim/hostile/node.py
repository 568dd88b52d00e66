"""A hostile machine as the world sees it: a number, links, and a behaviour behind them."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from p2pvalue.sim.disk import Disk, MemoryDisk
from p2pvalue.sim.hostile.behaviour import Behaviour
from p2pvalue.sim.hostile.face import Face
from p2pvalue.sim.network import peer_name
from p2pvalue.store import Store
from p2pvalue_protocol import effects as e
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol.keys import SigningKey, exchange_key_of
from p2pvalue_protocol.machine import Machine
from p2pvalue_protocol.replica import Replica

_Shown = (
    e.SendFrame
    | e.CloseSession
    | e.Publish
    | e.Joined
    | e.Judge
    | e.Wrote
    | e.JoinRequested
    | e.ChunkAsked
    | e.ChunkBrought
)


class Contact(NamedTuple):
    """An open link: to whom, whether it is for sync, and which face the peer sees."""

    peer_id: str
    is_sync: bool
    face: int


class HostileNode:
    """A machine that is bent by a behaviour; keeps what the world asks of every actor."""

    is_honest = False

    def __init__(self, number: int, seed: int, skew_ms: int, behaviour: Behaviour) -> None:
        """Begin with keys and an empty store, both made from `seed`."""
        self.number = number
        self.rng = Random(seed)
        self.skew_ms = skew_ms
        self.entropy = self.rng.randbytes(32)
        self._draw_device()
        self.is_up = True
        self.is_known = False
        self.is_member = False
        self.has_invite = True
        self.is_recovering = False
        self.links_from: int | None = None
        self.neighbours: list[int] = []
        self.lives = 1
        self.wakes_at_ms: int | None = None
        self.faces = [Face(MemoryDisk(), self.rng.randbytes, peer_name(number))]
        self.contacts: dict[int, Contact] = {}
        self.behaviour = behaviour
        behaviour.settle(self)

    def _draw_device(self) -> None:
        self.device = SigningKey(self.rng.randbytes(32))
        self.prekey_private = self.rng.randbytes(32)
        self.prekey = exchange_key_of(self.prekey_private)

    # --- what the world looks at

    @property
    def machine(self) -> Machine:
        """The machine behind the first face."""
        return self.faces[0].machine

    @property
    def store(self) -> Store:
        """The store behind the first face."""
        return self.faces[0].store

    @property
    def disk(self) -> Disk:
        """The disk behind the first face."""
        return self.faces[0].disk

    @disk.setter
    def disk(self, disk: Disk) -> None:
        self.faces[0].disk = disk

    @property
    def replica(self) -> Replica | None:
        """The first face's copy of its community; None before it was welcomed."""
        communities = self.machine.communities()
        return self.machine.replica(communities[0]) if communities else None

    def is_sync(self, session: int) -> bool:
        """Return whether a link is open and for sync."""
        contact = self.contacts.get(session)
        return contact is not None and contact.is_sync

    def next_wakeup_ms(self) -> int | None:
        """Return when the machine behind any face wants to be woken."""
        dues = [face.next_wakeup_ms() for face in self.faces]
        return min((due for due in dues if due is not None), default=None)

    def has_session(self, peer_id: str, community: bytes) -> bool:
        """Return whether any face is in touch with a peer."""
        return any(face.machine.has_session(peer_id, community) for face in self.faces)

    def peers_of(self, community: bytes) -> list[str]:
        """Return the peers of all faces, ascending."""
        return sorted({p for face in self.faces for p in face.machine.peers_of(community)})

    def restart(self, communities: list[bytes]) -> None:
        """Begin a new life with nothing but disks and keys."""
        self.lives += 1
        self.wakes_at_ms = None
        self.contacts.clear()
        for face in self.faces:
            face.restart(communities, self.device, self.prekey_private)

    def take_new_device(self) -> None:
        """Give the device up; `restart` goes on as a new one, with one face."""
        self._draw_device()
        del self.faces[1:]
        self.is_member = False
        self.is_recovering = True

    # --- what the world does

    def handle(self, given: i.Input, now_ms: int) -> list[e.Effect]:
        """Take an input as the behaviour likes; return what leaves the machine, nothing stored."""
        effects: list[e.Effect] = []
        for bent in self.behaviour.incoming(given):
            effects += self._take(bent, now_ms)
        self._note(given)
        is_hint = isinstance(given, i.GossipReceived)
        return [
            effect
            for effect in self.behaviour.outgoing(effects)
            if isinstance(effect, _Shown) and (is_hint or not isinstance(effect, e.Judge))
        ]

    def act(self, now_ms: int) -> list[e.Effect]:
        """Let the behaviour have its turn; return what leaves the machine."""
        effects: list[e.Effect] = []
        for wish in self.behaviour.act(now_ms):
            if isinstance(wish, i.Input):
                effects += self.behaviour.outgoing(self._take(wish, now_ms))
            else:
                effects.append(wish)
        return [f for f in effects if isinstance(f, _Shown) and not isinstance(f, e.Judge)]

    def split(self) -> list[e.Effect]:
        """Grow a second face that remembers the same; peers that are to see it call again."""
        self.faces.append(self.faces[0].twin(self.device, self.prekey_private))
        return [
            e.CloseSession(session, None)
            for session, contact in sorted(self.contacts.items())
            if self.behaviour.face_for(contact.peer_id) != contact.face
        ]

    def _take(self, given: i.Input, now_ms: int) -> list[e.Effect]:
        effects: list[e.Effect] = []
        for face in self._faces_of(given):
            effects += face.handle(given, now_ms)
        return effects

    def _faces_of(self, given: i.Input) -> list[Face]:
        match given:
            case i.Wakeup():
                return self.faces
            case i.PeerJoined() | i.JoinAsked() | i.JoinStarted():
                contact = self._contact(given)
                self.contacts[given.session] = contact
                return [self.faces[contact.face]]
            case (
                i.FrameReceived(session=session)
                | i.PeerLeft(session=session)
                | i.RequestAnswered(session=session)
                | i.ChunkRead(session=session)
            ):
                known = self.contacts.get(session)
                return [] if known is None else [self.faces[known.face]]
            case i.GossipReceived(peer_id=peer_id):
                return [self.faces[self._face_for(peer_id)]]
            case _:
                return self.faces[:1]

    def _contact(self, given: i.PeerJoined | i.JoinAsked | i.JoinStarted) -> Contact:
        is_sync = isinstance(given, i.PeerJoined)
        return Contact(given.peer_id, is_sync, self._face_for(given.peer_id))

    def _face_for(self, peer_id: str) -> int:
        return min(self.behaviour.face_for(peer_id), len(self.faces) - 1)

    def _note(self, given: i.Input) -> None:
        if isinstance(given, i.PeerLeft):
            self.contacts.pop(given.session, None)
