"""The core as one machine: `handle(input, now_ms) -> effects`; nothing else changes it.

It holds a replica per community and a session per link, and knows no clock, disk or network: time
comes with every call. The effects of one input must be performed before the next input comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from p2pvalue_protocol import inputs as i
from p2pvalue_protocol.addresses import decode_record, make_record
from p2pvalue_protocol.dialogues import Dialogues
from p2pvalue_protocol.dues import set_back
from p2pvalue_protocol.effects import (
    AddressLearned,
    Changed,
    Effect,
    Judge,
    Publish,
    Rejected,
    Store,
    Wrote,
)
from p2pvalue_protocol.errors import LocalProtocolError, NotFound, Reason
from p2pvalue_protocol.fork_watch import ForkWatch
from p2pvalue_protocol.founding import genesis_operation
from p2pvalue_protocol.gossip import Gossip
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import Past
from p2pvalue_protocol.replica import Replica, Version
from p2pvalue_protocol.rotation import Keeper
from p2pvalue_protocol.sessions import Sessions
from p2pvalue_protocol.tuning import Tunings
from p2pvalue_protocol.writing import begin_epochs, orders_of

SEAL_AFTER_MS = 1_000  # an unsigned head older than this is signed though nobody asked
CONFIRM_AFTER_MS = 500  # after a hint, tell heads: what gossip lost comes, and peers confirm


class Machine:
    """Everything p2pvalue decides, for one node."""

    def __init__(
        self,
        *,
        open_past: Callable[[bytes], Past],
        random_bytes: Callable[[int], bytes],
        peer_id: str,
        is_gossiping: bool = True,
        trusted_after_ms: int = 0,
    ) -> None:
        """Start empty; `trusted_after_ms` is the build date, for clocks that lost theirs."""
        self._open_past = open_past
        self._random_bytes = random_bytes
        self._peer_id = peer_id
        self._is_gossiping = is_gossiping
        self._trusted_after_ms = trusted_after_ms
        self._replicas: dict[bytes, Replica] = {}
        self._prekeys: dict[bytes, bytes] = {}  # device of ours -> private key that it began with
        self._keeper = Keeper(self._jitter)
        self._fork_watch = ForkWatch(self._jitter)
        self._uncommitted: list[Replica] = []
        self._versions: dict[bytes, Version] = {}  # after the last input
        self._sessions = Sessions(peer_id)
        self._dialogues = Dialogues(
            own_peer_id=peer_id,
            random_bytes=random_bytes,
            replicas=lambda: list(self._replicas.values()),
            replica_for=self._welcomed,
        )
        self._confirm_due_ms: dict[bytes, int] = {}
        self._seal_due_ms: dict[bytes, int] = {}
        self._gossip = Gossip(random_bytes)
        self._tunings = Tunings(self._gossip)
        self._addresses: tuple[str, ...] = ()
        self._now_ms = 0  # at the last input

    # --- what the shell may look at

    def replica(self, community: bytes) -> Replica:
        """Return our copy of a community; raises NotFound."""
        try:
            return self._replicas[community]
        except KeyError:
            raise NotFound(f"community {community.hex()[:8]} is not on this node") from None

    def communities(self) -> list[bytes]:
        """Return the communities of this node, ascending."""
        return sorted(self._replicas)

    def topics(self) -> list[str]:
        """Return the gossip topics that this node wants to hear, ascending."""
        return self._gossip.topics()

    def topics_of(self, community: bytes) -> list[str]:
        """Return the gossip topics of one community, ascending."""
        return [t for t in self._gossip.topics() if self._gossip.community_of(t) == community]

    def peers_of(self, community: bytes) -> list[str]:
        """Return the peers in touch with us about a community, ascending."""
        return self._sessions.peers_of(community)

    def has_session(self, peer_id: str, community: bytes) -> bool:
        """Return whether a session with this peer for this community is open or being opened."""
        return self._sessions.has_sync(peer_id, community)

    def is_unknown(self, community: bytes, now_ms: int) -> bool:
        """Return whether peers have answered for 10 s and none knows our device, which is in."""
        return self._sessions.is_unknown(self.replica(community), now_ms)

    def peers_holding(self, community: bytes, reference: Reference) -> int:
        """Return how many connected peers said that they hold an operation."""
        return self._sessions.holders(community, reference)

    def next_wakeup_ms(self) -> int | None:
        """Return when `Wakeup` is due; None if only an input can change anything."""
        if any(replica.has_work for replica in self._replicas.values()):
            return 0
        dues = [*self._confirm_due_ms.values(), *self._seal_due_ms.values()]
        for part in (self._sessions, self._keeper, self._fork_watch, self._gossip):
            if (due_ms := part.next_wakeup_ms()) is not None:
                dues.append(due_ms)
        return min(dues, default=None)

    def known_addresses(self) -> list[AddressLearned]:
        """Return where members' devices other than ours said that they are."""
        return [
            self._learned(replica, device, record)
            for _, replica in sorted(self._replicas.items())
            for device, record in replica.address_records()
            if device != replica.device
        ]

    def _learned(self, replica: Replica, device: bytes, record: bytes) -> AddressLearned:
        known = decode_record(record, replica.community)
        assert known is not None, "only valid records are kept"
        return AddressLearned(replica.community, device, known.peer_id, tuple(known.addresses))

    def add_replica(
        self,
        community: bytes,
        signer: SigningKey | None,
        prekey_private: bytes | None = None,
    ) -> Replica:
        """Load our copy of a community; costs a seek per log and reads all auth operations.

        `prekey_private` belongs to the prekey that our device began with; given once, it is known.
        """
        if signer is not None and prekey_private is not None:
            self._prekeys[signer.public] = prekey_private
        replica = Replica(
            community,
            self._open_past(community),
            signer=signer,
            trusted_after_ms=self._trusted_after_ms,
            prekey_private=self._prekeys.get(signer.public) if signer is not None else None,
            random_bytes=self._random_bytes,
        )
        self._replicas[community] = replica
        self._versions[community] = replica.version
        self._seal_due_ms[community] = 0  # a crash may have left our head unsigned
        return replica

    def reload(self, community: bytes) -> list[Effect]:
        """Read a community anew, since the disk took nothing of it; end its sessions."""
        old = self._replicas.pop(community)
        self._uncommitted = [r for r in self._uncommitted if r is not old]
        self._tunings.forget(community)
        self._gossip.drop(community)
        self.add_replica(community, old.signer)
        return self._sessions.end_all(community)

    def forget(self, community: bytes) -> list[Effect]:
        """Drop our copy of a community and end its sessions; then the store may remove it."""
        old = self._replicas.pop(community)
        self._uncommitted = [r for r in self._uncommitted if r is not old]
        for kept in (self._versions, self._confirm_due_ms, self._seal_due_ms):
            kept.pop(community, None)
        self._tunings.forget(community)
        self._gossip.listen(community, (), None, is_sealed=False)
        return self._sessions.end_all(community)

    # --- the one door

    def handle(self, given: i.Input, now_ms: int) -> list[Effect]:
        """Take one input; return what is to be done, in this order.

        Raises LocalProtocolError for a caller's mistake, before anything has changed.
        """
        for replica in self._uncommitted:
            replica.begin()
        self._uncommitted = []
        self._note_time(now_ms)
        effects = self._take(given, now_ms)
        source = given.session if isinstance(given, i.FrameReceived) else None
        is_hinted = isinstance(given, i.Write | i.GossipReceived) and self._is_gossiping
        for community, replica in self._replicas.items():
            before, now = self._versions[community], replica.version
            self._versions[community] = now
            if before.device != now.device:
                effects += self._sessions.end_syncs(community)  # we introduced ourselves as another
            if before.auth_count != now.auth_count:
                effects += self._sessions.review(community, now_ms)
            if before.heads != now.heads:
                effects += self._spread(community, source, is_hinted, now_ms)
            effects += self._tunings.review(replica)
            self._keeper.review(replica, now_ms)
            self._fork_watch.review(replica, now_ms)
        return self._committed(effects + self._sessions.fetch(now_ms))

    def _take(self, given: i.Input, now_ms: int) -> list[Effect]:
        match given:
            case i.Write(community, drafts):
                return self._write(self.replica(community), drafts, now_ms)
            case i.FrameReceived(session, frame):
                return self._sessions.receive(session, frame, now_ms)
            case i.GossipReceived():
                return self._hear(given, now_ms)
            case i.Wakeup():
                return self._wake(now_ms)
            case i.Sign():
                for replica in self._replicas.values():
                    replica.seal()
                return []
            case i.Found():
                return self._found(given, now_ms)
            case i.PeerJoined():
                return self._open_session(given, now_ms)
            case (
                i.JoinAsked()
                | i.JoinStarted()
                | i.LinkAsked()
                | i.LinkStarted()
                | i.RecoveryAsked()
                | i.RecoveryStarted()
            ):
                if isinstance(given, i.RecoveryStarted):
                    self._prekeys[given.keys.signer.public] = given.keys.prekey_private
                side = self._dialogues.side_for(given)
                return self._sessions.open_dialogue(given.session, given.peer_id, side, now_ms)
            case i.DevicesMade():
                for made in given.devices:
                    self._prekeys[made.signer.public] = made.prekey_private
                return self._sessions.devices_made(given)
            case i.RequestAnswered():
                return self._sessions.request_answered(given)
            case i.PeerLeft(session):
                return self._sessions.lost(session)
            case i.UpdatesAwaited(community, document, op_ids):
                is_new = self.replica(community).ladder.named.sought.seek(document, op_ids)
                return self._sessions.poke(community, None, now_ms) if is_new else []
            case i.Fetch(community, chunks):
                self._sessions.fetching.want(community, chunks)
                return []
            case i.ChunkRead(session, sealed):
                return self._sessions.chunk_read(session, sealed, now_ms)
            case i.DocumentsShown(community, shown):
                self.replica(community).showing.show(shown)
                return self._sessions.poke(community, None, now_ms)
            case i.AddressesChanged(addresses):
                self._addresses = addresses
                return self._tell_addresses(now_ms)
            case _:
                assert_never(given)

    def _note_time(self, now_ms: int) -> None:
        """Keep what is due as far ahead as it was if the clock was set back."""
        by_ms, self._now_ms = self._now_ms - now_ms, now_ms
        if by_ms > 0:
            set_back(self._confirm_due_ms, by_ms)
            set_back(self._seal_due_ms, by_ms)
            for part in (self._sessions, self._keeper, self._fork_watch, self._gossip):
                part.set_back(by_ms)

    def _committed(self, effects: list[Effect]) -> list[Effect]:
        """Put what must be durable and visible before what leaves the node."""
        first: list[Effect] = []
        changed: list[Effect] = []
        for replica in self._replicas.values():
            if replica.is_touched:
                batch = replica.finish()
                self._uncommitted.append(replica)
                if not batch.is_empty():
                    first.append(Store(batch))
                if replica.changes:
                    changed.append(Changed(replica.community, tuple(replica.changes)))
                changed += [
                    self._learned(replica, device, record)
                    for device, record in batch.addresses
                    if device != replica.device
                ]
        return first + changed + effects

    # --- our own operations

    def _found(self, given: i.Found, now_ms: int) -> list[Effect]:
        op = genesis_operation(given.signer, given.genesis_payload, now_ms)
        replica = self.add_replica(op.core.community, given.signer, given.prekey_private)
        branch = replica.open_branch(given.signer.public, 0, 0, op.core.backlink, op.op_id)
        replica.append(branch, op)
        begin_epochs(replica, now_ms)
        try:
            if given.drafts:
                replica.write(given.drafts, now_ms)
        except LocalProtocolError:
            self.forget(op.core.community)
            raise
        order = Order(op.core.time, op.core.device, op.core.seq, op.op_id)
        return [Wrote(op.core.community, (op.reference,), (order,))]

    def _write(self, replica: Replica, drafts: tuple[i.Draft, ...], now_ms: int) -> list[Effect]:
        references = replica.write(drafts, now_ms)
        self._seal_due_ms.setdefault(replica.community, now_ms + SEAL_AFTER_MS)
        orders = orders_of(replica, references)
        effects: list[Effect] = [Wrote(replica.community, tuple(references), tuple(orders))]
        if self._is_gossiping and self._sessions.is_ready(replica.community):
            told = self._gossip.tell(replica, references, now_ms)
            effects += [Publish(topic, message) for topic, message in told]
        return effects

    # --- what comes from peers

    def _open_session(self, given: i.PeerJoined, now_ms: int) -> list[Effect]:
        nonce, replicas = self._random_bytes(32), list(self._replicas.values())
        session = self._sessions.new_sync(given, replicas, nonce, self._jitter)
        return self._sessions.open_sync(
            given.session, given.peer_id, session, initiated=given.initiated, now_ms=now_ms
        )

    def _welcomed(self, community: bytes, signer: SigningKey) -> Replica:
        """Return our copy of a community that lets us in, perhaps a new one."""
        replica = self._replicas.get(community)
        if replica is None:
            return self.add_replica(community, signer)
        if replica.device != signer.public:  # our device was given up, this one takes its place
            replica.seal()
            replica.signer = signer
            replica.epochs.prekeys.become(signer.public, self._prekeys[signer.public])
        return replica

    def _jitter(self) -> float:
        return int.from_bytes(self._random_bytes(4), "big") / 2**32

    def _hear(self, given: i.GossipReceived, now_ms: int) -> list[Effect]:
        community = self._gossip.community_of(given.topic)
        if community is None:
            return [Judge("ignore")]
        replica = self._replicas[community]
        heard = self._gossip.hear(replica, given.topic, given.message, now_ms)
        effects: list[Effect] = [Judge(heard.verdict)]
        if heard.verdict == "reject":
            effects.append(Rejected(given.peer_id, heard.reason or Reason.FRAME_INVALID))
        if heard.is_behind:
            effects += self._sessions.poke(community, None, now_ms)
        return effects

    # --- telling others

    def _spread(
        self, community: bytes, source: int | None, is_hinted: bool, now_ms: int
    ) -> list[Effect]:
        """Let the peers know that our heads moved: at once, or soon if a hint is on its way."""
        if is_hinted:
            self._confirm_due_ms.setdefault(community, now_ms + CONFIRM_AFTER_MS)
            return []
        return self._sessions.poke(community, source, now_ms)

    def _tell_addresses(self, now_ms: int) -> list[Effect]:
        effects: list[Effect] = []
        for community, replica in self._replicas.items():
            if replica.signer is not None and self._addresses:
                record = make_record(
                    replica.signer, community, self._peer_id, self._addresses, now_ms
                )
                replica.learn_address(record, now_ms)
            effects += self._sessions.poke(community, None, now_ms)
        return effects

    def _wake(self, now_ms: int) -> list[Effect]:
        effects = self._sessions.wakeup(now_ms)
        for replica in self._replicas.values():
            self._keeper.keep(replica, now_ms)
            self._fork_watch.tell(replica, now_ms)
            told = self._gossip.tell_late(replica, now_ms)
            effects += [Publish(topic, message) for topic, message in told]
        for community in sorted(self._seal_due_ms):
            if self._seal_due_ms[community] <= now_ms:
                del self._seal_due_ms[community]
                self._replicas[community].seal()
        for community in sorted(self._confirm_due_ms):
            if self._confirm_due_ms[community] <= now_ms:
                del self._confirm_due_ms[community]
                effects += self._sessions.poke(community, None, now_ms)
        return effects
