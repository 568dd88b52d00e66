"""What a sync session does once both sides know each other (spec: sync).

Heads, wants, keys and addresses of both sides share one link and one set of timers. The parts know
nothing of each other: `comparison` knows what the peer claims, `wants` what of it is missing here,
`supply` what the peer asked for, `access` what it may see and bring. Here they meet.
"""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import hello, limits
from p2pvalue_protocol.access import EVERYTHING, Access, Bond, Scope, bond_of, is_public
from p2pvalue_protocol.chunk_requests import ChunkExchange, ChunkRequests, ChunkSupply
from p2pvalue_protocol.compare_pace import ComparePace
from p2pvalue_protocol.comparison import Comparison
from p2pvalue_protocol.digests import DigestTalk
from p2pvalue_protocol.effects import CloseSession, Effect, Parted, Ready, SendFrame
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.fetching import Fetching
from p2pvalue_protocol.heads import heads_key
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.key_requests import KeyRequests
from p2pvalue_protocol.log import decode_batch
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.session_times import SessionTimes
from p2pvalue_protocol.supply import Supply
from p2pvalue_protocol.turns import Turns
from p2pvalue_protocol.update_requests import UpdateRequests
from p2pvalue_protocol.wants import Wanting


class Exchange:
    """A session after its handshake."""

    def __init__(
        self,
        replica: Replica,
        established: hello.Established,
        times: SessionTimes,
        link: hello.LinkEnd,
        turns: Turns,
        fetching: Fetching,
    ) -> None:
        self._replica = replica
        self._established = established
        self._session, self._peer_id = link.session, link.peer_id
        self._offset = int.from_bytes(link.nonce[:4], "big")
        self._times = times
        self.has_lasted = times.has_lasted
        self._access = Access(replica)
        self._wanting = Wanting(replica, self._takes, self._may_hear_names, turns)
        self._supply = Supply(replica, self._gives)
        self._keys = KeyRequests(replica)
        self._updates = UpdateRequests(replica)
        self._chunks = ChunkExchange(
            ChunkRequests(replica.community, fetching, lambda: self._is_ready),
            ChunkSupply(lambda: self._gives() is EVERYTHING),
            *(link.session, replica.community, link.peer_id),
        )
        self._digests = DigestTalk(replica.community, replica.showing)
        self.comparison = Comparison(
            replica,
            heads_key(established.transcript.nonces),
            is_initiator=established.is_initiator,
            gives=self._gives,
            claim=self._wanting.claim,
        )
        self._is_ready = False
        self._is_former = False
        self._pace = ComparePace()
        self._records_known: set[bytes] = set()
        self._records_left = limits.RECORDS_TAKEN_MAX
        self._effects: list[Effect] = []

    @property
    def community(self) -> bytes:
        return self._replica.community

    @property
    def device(self) -> bytes | None:
        return self._established.device

    def knows(self, first: Reference) -> bool:
        """Return whether the peer knows the device whose log began so: ours.

        It names its own device to who is or was a member's, and lists the logs of who is.
        """
        is_named_to_us = self._established.is_initiator and self.device is not None
        return is_named_to_us or self.comparison.peer_holds(first)

    # --- calls from the session

    def open(self, now_ms: int) -> list[Effect]:
        self._send(self.comparison.open())
        return self._finish(now_ms)

    def receive(self, data: bytes, now_ms: int) -> list[Effect]:
        try:
            self._take(f.decode_frame(data), now_ms)
        except Refused as refusal:
            self._effects.append(CloseSession(self._session, refusal.reason))
            return self._drain()
        return self._finish(now_ms)

    def poke(self, now_ms: int) -> list[Effect]:
        self._tell_soon(now_ms)
        return self._finish(now_ms)

    def review(self, now_ms: int) -> list[Effect]:
        """Judge the peer anew, since somebody's standing may have changed; tell it what it may see.

        Who is put out is told the removal at once, and nothing that comes after it.
        """
        was_ready, was_former = self._is_ready, self._is_former
        self._ask(now_ms)
        effects = self._finish(now_ms)
        if (self._is_ready, self._is_former) != (was_ready, was_former):
            self._tell(now_ms)
            effects += self._finish(now_ms)
        return effects

    def wakeup(self, now_ms: int) -> list[Effect]:
        if self._times.is_overdue(now_ms):
            self._effects.append(CloseSession(self._session, None))
            return self._drain()
        self._answer_buckets(now_ms)
        if self._times.must_compare(now_ms):
            self._compare_anew(now_ms)
        elif self._times.must_tell(now_ms):
            self._tell(now_ms)
        look_due_ms = self._wanting.look_due_ms
        if look_due_ms is not None and now_ms >= look_due_ms:
            self._ask(now_ms)
        chunk_due_ms = self._chunks.due_ms
        if chunk_due_ms is not None and now_ms >= chunk_due_ms:
            self._effects.append(CloseSession(self._session, None))
            return self._drain()
        return self._finish(now_ms)

    def fetch(self, now_ms: int) -> list[Effect]:
        """Ask for chunks that nobody is being asked for, if there is room."""
        return self._finish(now_ms)

    def chunk_read(self, sealed: bytes, now_ms: int) -> list[Effect]:
        """Answer the oldest chunk wanted with what was read of it."""
        self._effects += self._chunks.was_read(sealed)
        return self._finish(now_ms)

    def end(self) -> None:
        self._wanting.end()
        self._chunks.end()

    def set_back(self, by_ms: int) -> None:
        """Put nothing off, now that our clock was set back by so much."""
        self._times.set_back(by_ms)
        self._wanting.set_back(by_ms)
        self._chunks.set_back(by_ms)
        self._pace.set_back(by_ms)

    def next_wakeup_ms(self) -> int:
        if self._supply.has_work:
            return 0  # one frame per call, so that others have their turn in between
        due_ms = self._times.next_ms()  # asked after every input, for every session: no generator
        for other_ms in (self._wanting.look_due_ms, self._chunks.due_ms, self._pace.due_ms):
            if other_ms is not None and other_ms < due_ms:
                due_ms = other_ms
        return due_ms

    # --- frames

    def _take(self, frame: f.Frame, now_ms: int) -> None:
        match frame:
            case f.Heads():
                self._send(self.comparison.on_heads(frame))
                if frame.fingerprint:
                    self._answer_news(now_ms)
                self._ask(now_ms)
            case f.Buckets():
                self._pace.ask(frame)
                self._answer_buckets(now_ms)
            case f.Sums():
                self._send(self.comparison.on_sums(frame))
                self._times.await_reply(now_ms)
                self._ask(now_ms)
            case f.Ask():
                self._send(self.comparison.on_ask(frame))
                self._answer_news(now_ms)
            case f.Wants(wants):
                self._supply.want(wants)
            case f.Ops():
                self._take_operations(frame, now_ms)
            case f.Ack():
                self._supply.acked(now_ms)
            case f.KeysWanted():
                self._send([self._keys.answer(frame, self.device)])
            case f.Keys():
                self._keys.take(frame)
            case f.UpdatesSought():
                is_member = self._is_peer_member()
                self._send([self._updates.answer(frame) if is_member else f.UpdatesFound([])])
            case f.UpdatesFound():
                self._updates.take(frame)
                self._ask(now_ms)
            case f.ChunksWanted() | f.Chunk():
                self._effects += self._chunks.receive(frame, now_ms)
            case f.Digests():
                if self.device is not None and self._is_peer_member():  # who is out may not know
                    self._effects.append(self._digests.hear(frame, self.device))
            case f.Addresses(records):
                self._take_addresses(records, now_ms)
            case f.ResponderIdentity() if self._established.is_initiator:
                self._take_identity(frame)
                self._tell(now_ms)
            case _:
                raise Refused(Reason.FRAME_INVALID)

    def _answer_buckets(self, now_ms: int) -> None:
        buckets = self._pace.take_due(now_ms)
        if buckets is not None:
            self._send(self.comparison.on_buckets(buckets))

    def _take_operations(self, frame: f.Ops, now_ms: int) -> None:
        if not self._wanting.is_open:
            raise Refused(Reason.UNASKED)
        runs = decode_batch(frame.batch)
        self._wanting.check(runs, frame.finished)
        receipt = self._replica.receive(runs, now_ms)
        for reason, is_offence in receipt.refused:
            if is_offence:
                raise Refused(reason)
        self._wanting.delivered(frame.finished, receipt.stored, receipt.missing_backlinks)
        self._send([f.Ack()])
        if receipt.stored:
            self._chunks.is_alive(now_ms)
        if frame.finished or receipt.stored:
            self._times.await_reply(now_ms)
        self._ask(now_ms)

    def _take_identity(self, frame: f.ResponderIdentity) -> None:
        if self._established.device is not None:
            raise Refused(Reason.FRAME_INVALID)
        self._established.device = hello.responder_device(
            self._established.transcript, self._replica, frame
        )

    def _take_addresses(self, records: Iterable[bytes], now_ms: int) -> None:
        if not self._is_peer_member():
            return
        for record in records:
            if record in self._records_known or not self._records_left:
                continue
            self._records_left -= 1
            if self._replica.learn_address(record, now_ms):
                self._records_known.add(record)

    # --- who may see what

    def _is_peer_member(self) -> bool:
        return bond_of(self._replica, self.device) is Bond.MEMBER

    def _may_hear_names(self) -> bool:
        """Return whether to ask the peer for what it did not claim: that tells whose logs we hold.

        A newcomer asks whom it called, or it might never learn who is a member.
        """
        if is_public(self._replica) or self._is_peer_member():
            return True
        own = self._replica.device
        is_newcomer = own is not None and not self._replica.membership.was_ever_admitted(own)
        return is_newcomer and self._established.is_initiator

    def _gives(self) -> Scope:
        return self._access.gives(self.device, we_called=self._established.is_initiator)

    def _takes(self) -> tuple[int, ...]:
        return self._access.takes(self.device, we_called=self._established.is_initiator)

    # --- telling and asking

    def _tell(self, now_ms: int) -> None:
        self._times.told(now_ms)
        self._send(self.comparison.tell())
        self._tell_addresses()

    def _tell_soon(self, now_ms: int) -> None:
        if self._times.may_tell(now_ms):
            self._tell(now_ms)

    def _answer_news(self, now_ms: int) -> None:
        if self.comparison.has_news():
            self._tell_soon(now_ms)

    def _compare_anew(self, now_ms: int) -> None:
        self._times.compare_later(now_ms)
        self._records_left = limits.RECORDS_TAKEN_MAX
        self._records_known.intersection_update(self._replica.addresses())
        self._wanting.believe_again()
        self._keys.ask_again()
        self._updates.ask_again()
        self._chunks.ask_again()
        self._digests.hear_again()
        self._tell(now_ms)
        # Who was put out stays different for ever: what it has to say it tells by itself.
        if not self.comparison.is_equal and not self._is_former:
            self._send(self.comparison.compare())
        self._ask(now_ms)

    def _ask(self, now_ms: int) -> None:
        wants = self._wanting.next_wants(now_ms)
        if wants:
            self._send([f.Wants(wants)])
            self._times.await_reply(now_ms)
        elif not self._wanting.is_open and self._wanting.take_progress():
            self._tell(now_ms)

    def _tell_addresses(self) -> None:
        """Tell the records that are new since the last call, among devices of members only."""
        fresh = [r for r in self._replica.addresses() if r not in self._records_known]
        if not fresh or not self._is_peer_member():
            return
        own = self._replica.signer.public if self._replica.signer is not None else b""
        start = self._offset % len(fresh)  # another part of a long list in each session
        fresh = [*fresh[start:], *fresh[:start]]
        fresh.sort(key=lambda record: own not in record)
        self._records_known.update(fresh)
        for at in range(0, min(len(fresh), limits.RECORDS_TOLD_MAX), limits.RECORDS_PER_FRAME_MAX):
            self._send([f.Addresses(fresh[at : at + limits.RECORDS_PER_FRAME_MAX])])

    # --- the end of every call

    def _finish(self, now_ms: int) -> list[Effect]:
        self._name_ourselves()
        bond = bond_of(self._replica, self.device)
        self._announce(bond)
        if bond is Bond.MEMBER:
            self._send(self._keys.next_frames())
            self._send(self._updates.next_frames())
            self._send(self._digests.next_frames())
        if self._supply.has_work:
            self._send([self._supply.next_frame(now_ms)])
        self._effects += self._chunks.go_on(now_ms, may_read=self._supply.is_idle)
        if self.comparison.awaits_sums or self._keys.is_open or self._updates.is_open:
            self._times.await_reply(now_ms, is_fresh=False)
        elif not self._wanting.is_open:
            self._times.await_nothing()
        return self._drain()

    def _name_ourselves(self) -> None:
        """Name our device to a peer that was a stranger at the handshake and is known by now."""
        established = self._established
        if established.has_told_device or established.is_initiator or self.device is None:
            return
        if self._access.names_us_to(self.device):
            established.has_told_device = True
            self._send([hello.responder_identity(established.transcript, self._replica)])

    def _announce(self, bond: Bond) -> None:
        """Say when the peer is who it should be, a member's device, and when it no longer is.

        In a public community everybody is.
        """
        self._is_former = bond is Bond.FORMER
        is_welcome = bond is Bond.MEMBER or is_public(self._replica)
        if is_welcome == self._is_ready:
            return
        self._is_ready = is_welcome
        if is_welcome:
            self._tell_addresses()
            self._effects.append(Ready(self._session, self._peer_id, self.community, self.device))
        else:
            self._effects.append(Parted(self._session, self._peer_id, self.community))

    def _send(self, frames: Iterable[f.Frame]) -> None:
        for frame in frames:
            self._effects.append(SendFrame(self._session, f.encode_frame(frame)))

    def _drain(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects
