"""Who may read: the epochs of one community, and which of their secrets we hold (spec: epochs).

An epoch is named by the operation that completes it, the last of its parts: what precedes that in
its log is settled by backlinks, so the same name never stands for two epochs, also in a forked log.
Only valid epochs are kept here. Everything is a function of the operations held but for one thing:
which secrets came our way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.epoch_records import EpochRecord, EpochRecords, parts_of
from p2pvalue_protocol.kinds.epoch import SEALS_PER_PART, Epoch, Wrap
from p2pvalue_protocol.members import DeviceAt
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import CLEAR_KINDS, Core, read_core
from p2pvalue_protocol.past import Batch, Past
from p2pvalue_protocol.prekeys import Prekeys
from p2pvalue_protocol.sealing import (
    SEAL_BYTES,
    SECRET_BYTES,
    commitment_of,
    open_payload,
    payload_key,
    topic_secret_of,
    unwrap_secret,
)

EVERYBODY: tuple[bytes, ...] = ()
"""The audience of an epoch for all members."""


class EpochKey(NamedTuple):
    """What to seal a payload under."""

    record: EpochRecord
    secret: bytes


class Epochs:
    """The valid epochs of one community, their depths, and the secrets that we hold."""

    def __init__(
        self,
        community: bytes,
        membership: Membership,
        graph: AuthGraph,
        past: Past,
        *,
        device: bytes | None,
        prekey_private: bytes | None,
    ) -> None:
        """Read what is stored; `prekey_private` belongs to the prekey our device began with."""
        self._community = community
        self._membership = membership
        self._graph = graph
        self.prekeys = Prekeys(past, device=device, private=prekey_private)
        self.version = 1  # counts what changed of epochs and secrets
        self.records = EpochRecords(past.epochs())
        self._secrets: dict[bytes, bytes] = {}
        self._early: dict[bytes, bytes] = {}  # of epochs still to come, so nobody could check them
        self._topics: dict[bytes, bytes] = {}
        self._usable: dict[tuple[bytes, ...], list[EpochRecord]] = {}
        self._usable_at = 0
        self._opened: tuple[bytes, bytes] = (b"", b"")
        self._new_records: list[EpochRecord] = []
        self._new_secrets: dict[bytes, bytes] = {}
        self._made: dict[bytes, bytes] = {}
        self._learnt: list[bytes] = []
        self._load(past)

    def _load(self, past: Past) -> None:
        for epoch, secret in past.epoch_secrets():
            held = self.records.get(epoch)
            if held is None:
                self._early[epoch] = secret
            elif commitment_of(self._community, secret) == held.commitment:
                self._secrets[epoch] = secret

    # --- what an input changed

    def write_to(self, batch: Batch) -> None:
        """Add what this input changed to a batch."""
        batch.epochs += [(record.epoch, encode(record)) for record in self._new_records]
        batch.epoch_secrets += sorted(self._new_secrets.items())
        self.prekeys.write_to(batch)
        self._new_records.clear()
        self._new_secrets.clear()

    def take_learnt(self) -> list[bytes]:
        """Return the epochs whose secrets became known since the last call."""
        learnt, self._learnt = self._learnt, []
        return learnt

    @property
    def is_changed(self) -> bool:
        """Whether this input changed something that is not written yet."""
        return bool(self._new_records or self._new_secrets or self.prekeys.is_changed)

    # --- epochs

    @property
    def is_sealed(self) -> bool:
        """Whether content is for members only, so that its payloads are sealed."""
        genesis = self._membership.genesis
        return genesis is not None and genesis.read == auth.READ_MEMBERS

    def is_rightly_sealed(self, core: Core) -> bool:
        """Return whether a content operation names an epoch where it must, and nowhere else."""
        return bool(core.epoch) == (self.is_sealed and core.kind not in CLEAR_KINDS)

    def fold(
        self,
        op_id: bytes,
        core: Core,
        frontier: int,
        payload: bytes,
        earlier: Callable[[int], list[bytes]],
    ) -> bool:
        """Take the epoch that an EPOCH operation completes, if it is valid; return whether.

        `earlier` returns the payloads of so many operations before it in its log. Costs what
        `devices_at` costs.
        """
        parts = parts_of(payload, earlier)
        if not parts or not self.is_sealed:
            return False
        recipients = self._membership.devices_at(frontier)
        authors = [found for found in recipients if found.device == core.device]
        if not any(author.rank <= auth.MEMBER for author in authors):
            return False
        audience = parts[0].audience
        recipients = members_among(recipients, audience)
        if sum(len(part.seals) for part in parts) != len(recipients) * SEAL_BYTES:
            return False
        record = EpochRecord(
            op_id, core.device, core.time, frontier, parts[0].commitment, audience, parts[0].wraps
        )
        self.records.insert(record)
        self._usable.clear()
        self.version += 1
        self._new_records.append(record)
        secret = self._secret_of(record, parts, recipients)
        if secret is not None:
            self._know([(record, secret)])
        return True

    def usable(self, audience: tuple[bytes, ...] = EVERYBODY) -> list[EpochRecord]:
        """Return the epochs to write under, best first: every removal held is in their past."""
        if self._usable_at != len(self._graph):
            self._usable.clear()
            self._usable_at = len(self._graph)
        found = self._usable.get(audience)
        if found is None:
            if len(self._usable) >= limits.AUDIENCES_KEPT_MAX:
                self._usable.clear()
            found = self._usable[audience] = [
                record
                for record in self.records.deepest_first()
                if record.audience == audience and not self._membership.uncovered(record.frontier)
            ]
        return found

    @property
    def has_any(self) -> bool:
        """Whether an epoch is held: every community for members only begins with one."""
        return bool(self.records.deepest_first())

    def newest_by(self, device: bytes | None) -> int:
        """Return the time of the newest epoch that a device made, 0 if there is none."""
        times = (record.time for record in self.records.deepest_first() if record.device == device)
        return max(times, default=0)

    def forget_usable(self) -> None:
        """Ask anew which epochs are usable: a proof has come that no auth operation brought."""
        self._usable.clear()
        self.version += 1

    def current(self, latest_ms: int, audience: tuple[bytes, ...] = EVERYBODY) -> EpochKey | None:
        """Return the deepest usable epoch whose secret we hold, none from later than `latest_ms`.

        About 1 µs while neither the auth operations nor the epochs have changed.
        """
        for record in self.usable(audience):
            secret = self._secrets.get(record.epoch)
            if secret is not None and record.time <= latest_ms:
                return EpochKey(record, secret)
        return None

    def for_everybody(self) -> list[EpochKey]:
        """Return the epochs whose secrets we hold, deepest first; none that an audience has."""
        return [
            EpochKey(record, self._secrets[record.epoch])
            for record in self.records.deepest_first()
            if record.audience == EVERYBODY and record.epoch in self._secrets
        ]

    def unwrapped(self) -> list[EpochKey]:
        """Return those for everybody that no newer one whose secret we hold opens, deepest first.

        A wrap of garbage opens nothing, so each is tried: ~15 µs.
        """
        return [key for key in self.for_everybody() if self._from_newer(key.record) is None]

    # --- secrets

    def holds(self, epoch: bytes) -> bool:
        """Return whether we hold the secret of an epoch that is held."""
        return epoch in self._secrets

    def recipients(self, audience: tuple[bytes, ...] = EVERYBODY) -> list[DeviceAt]:
        """Return who an epoch made now is sealed to, ascending, each with its newest prekey."""
        now = self._membership.devices_at(self._graph.head_frontier())
        found = members_among(now, audience)
        newest = self.prekeys.newest(sorted({device.root for device in found}))
        return [to._replace(prekey=newest.get(to.device, to.prekey)) for to in found]

    def made(self, commitment: bytes, secret: bytes) -> None:
        """Remember the secret of an epoch that we are about to write."""
        self._made = {commitment: secret}

    def is_wanted(self, epoch: bytes) -> bool:
        """Return whether an epoch is held whose secret we may have and have not."""
        record = self.records.get(epoch)
        if record is None or epoch in self._secrets:
            return False
        return not record.audience or self._member() in record.audience

    def _member(self) -> bytes | None:
        device = self.prekeys.device
        return None if device is None else self._membership.member_of(device)

    def learn(self, epoch: bytes, secret: bytes) -> bool:
        """Take a secret that a member says is an epoch's; return whether it was new and taken.

        That of an epoch held is checked at once, that of another when it comes; few of those are
        kept.
        """
        record = self.records.get(epoch)
        if epoch in self._secrets or len(secret) != SECRET_BYTES:
            return False
        if record is not None:
            is_it = commitment_of(self._community, secret) == record.commitment
            if is_it:
                self._know([(record, secret)])
            return is_it
        if epoch in self._early or len(self._early) >= limits.EPOCHS_EARLY_MAX:
            return False
        self._early[epoch] = self._new_secrets[epoch] = secret
        self.version += 1
        return True

    def early(self) -> list[tuple[bytes, bytes]]:
        """Return the secrets given to us of epochs still to come, as (epoch, secret), ascending."""
        return sorted(self._early.items())

    def _know(self, found: list[tuple[EpochRecord, bytes]]) -> None:
        """Keep secrets that were checked, and those that they open."""
        while found:
            record, secret = found.pop()
            self._secrets[record.epoch] = self._new_secrets[record.epoch] = secret
            self.version += 1
            self._learnt.append(record.epoch)
            for wrap in record.wraps:
                older = self.records.get(wrap.epoch)
                if older is not None and older.epoch not in self._secrets:
                    opened = self._unwrapped(older, wrap, secret)
                    if opened is not None:
                        found.append((older, opened))

    def _secret_of(
        self, record: EpochRecord, parts: Sequence[Epoch], recipients: Sequence[DeviceAt]
    ) -> bytes | None:
        """Return the secret of an epoch that has just come, by whichever way it reached us."""
        made = self._made.pop(record.commitment, None)
        if made is not None:
            return made
        early = self._early.pop(record.epoch, None)
        if early is not None and commitment_of(self._community, early) == record.commitment:
            return early
        opened = self._from_newer(record)
        if opened is not None:
            return opened
        for place, recipient in enumerate(recipients):
            if recipient.device == self.prekeys.device:
                part, at = divmod(place, SEALS_PER_PART)
                sealed = parts[part].seals[at * SEAL_BYTES : (at + 1) * SEAL_BYTES]
                return self.prekeys.unseal(self._community, record.commitment, sealed)
        return None

    def _from_newer(self, record: EpochRecord) -> bytes | None:
        """Return the secret of an epoch as a newer one's opens it, None if none does."""
        for newer, wrap in self.records.wrapping(record.epoch):
            if newer.epoch in self._secrets:
                opened = self._unwrapped(record, wrap, self._secrets[newer.epoch])
                if opened is not None:
                    return opened
        return None

    def _unwrapped(self, older: EpochRecord, wrap: Wrap, secret: bytes) -> bytes | None:
        opened = unwrap_secret(self._community, secret, wrap.epoch, wrap.wrapped, wrap.salt)
        if opened is None or commitment_of(self._community, opened) != older.commitment:
            return None
        return opened

    def missing(self) -> list[bytes]:
        """Return the epochs whose secrets we may have and have not, the deepest first."""
        return [
            record.epoch
            for record in self.records.deepest_first()
            if record.epoch not in self._secrets and self._may_have(self.prekeys.device, record)
        ]

    def secrets_for(self, device: bytes, wanted: Iterable[bytes] | None = None) -> list[EpochKey]:
        """Return what we hold that a device may have, of `wanted` or of all, the deepest first.

        Nothing for a device that is not live by everything held.
        """
        names = None if wanted is None else set(wanted)
        return [
            EpochKey(record, self._secrets[record.epoch])
            for record in self.records.deepest_first()
            if record.epoch in self._secrets
            and (names is None or record.epoch in names)
            and self._may_have(device, record)
        ]

    def _may_have(self, device: bytes | None, record: EpochRecord) -> bool:
        if device is None or not self._membership.is_live(device):
            return False
        return not record.audience or self._membership.member_of(device) in record.audience

    def topic_secrets(self, *, by_turns: bool = False) -> list[bytes]:
        """Return by what members find each other: of the deepest epochs first, or by turns.

        Secrets whose epochs are still to come stand before them: they were given to find those.
        """
        held = [
            self._secrets[record.epoch]
            for record in (self.records.by_turns() if by_turns else self.records.deepest_first())
            if record.audience == EVERYBODY and record.epoch in self._secrets
        ]
        early = [self._early[epoch] for epoch in sorted(self._early)]
        return [self._topic(secret) for secret in early + held]

    def _topic(self, secret: bytes) -> bytes:
        known = self._topics.get(secret)
        if known is None:
            known = self._topics[secret] = topic_secret_of(secret)
        return known

    # --- payloads

    def open(self, core: Core, payload: bytes) -> bytes | None:
        """Return what a payload says: itself if it is clear, else what its epoch's secret opens.

        None if the secret is not held or nothing opens. About 10 µs for a chat message.
        """
        if not core.epoch:
            return payload
        opened_payload, opened = self._opened
        if payload is opened_payload:  # the rungs of the ladder ask one after the other
            return opened
        secret = self._secrets.get(core.epoch)
        plaintext = None if secret is None else open_payload(secret, core, payload)
        if plaintext is not None:
            self._opened = (payload, plaintext)
        return plaintext

    def key_of(self, core: Core, payload: bytes) -> bytes | None:
        """Return the key of one sealed payload alone; None if its epoch's secret is not held."""
        secret = self._secrets.get(core.epoch)
        return None if secret is None else payload_key(secret, core, payload)

    def open_stored(self, core: bytes, payload: bytes | None) -> bytes | None:
        """Return what the payload of a stored operation says; None if nothing does."""
        if payload is None or not self.is_sealed:
            return payload
        return self.open(read_core(core), payload)

    def sealed_here(self, payload: bytes, plaintext: bytes) -> None:
        """Note what we have just sealed, so that it need not be opened to be folded."""
        self._opened = (payload, plaintext)


def members_among(devices: Sequence[DeviceAt], audience: tuple[bytes, ...]) -> list[DeviceAt]:
    """Return the devices of an audience's members, in their order; of everybody if it is empty."""
    if not audience:
        return list(devices)
    roots = frozenset(audience)
    return [found for found in devices if found.root in roots]
