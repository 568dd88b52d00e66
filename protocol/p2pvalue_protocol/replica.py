"""Our copy of one community: the ladder that every operation climbs, ours and theirs alike.

    decode ▶ limits ▶ id ▶ authentic ▶ chain ▶ stored
           ▶ past complete? ─no▶ waiting ▶ time ▶ visible (membership) ▶ kind ▶ folded

An operation is stored as soon as its backlink is; parents gate only the fold, or two logs that
answer each other could never be fetched one after the other. Any rung may refuse; then nothing of
that run is changed. What is judged when the past is complete (time, auth past) cannot refuse bytes
that are already vouched for: such an operation stays stored, and it and all that follows or names
it is without effect, on every node alike.

The replica holds the heads of the logs and the auth operations, never the content. What one input
changed is collected in one `Batch`; the next input may come only when that batch was committed. The
rungs up to "stored" are here, those from there on in `ladder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from p2pvalue_protocol import limits
from p2pvalue_protocol.addresses import decode_record, is_newer
from p2pvalue_protocol.arrival import Arrival, Receipt
from p2pvalue_protocol.branches import Branch
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, Reference, public_topic_secret
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.ladder import Ladder
from p2pvalue_protocol.log import Run, operations_of
from p2pvalue_protocol.named import is_certified, is_cut_off, still_taken
from p2pvalue_protocol.operation import GENESIS, Operation, community_id_of
from p2pvalue_protocol.past import Batch, Past
from p2pvalue_protocol.sealing import topic_secret_of
from p2pvalue_protocol.serving import current_heads, runs_towards, runs_up_to
from p2pvalue_protocol.showing import Showing
from p2pvalue_protocol.vouching import NO_OFFENCE, vouched
from p2pvalue_protocol.writing import renew, seal, write


class Version(NamedTuple):
    """What others are told of, when it is another than before."""

    device: bytes | None
    auth_count: int
    heads: int


class Replica:
    """One community as this node holds it. Not for use while an uncommitted batch is out."""

    def __init__(
        self,
        community: bytes,
        past: Past,
        *,
        signer: SigningKey | None,
        trusted_after_ms: int = 0,
        prekey_private: bytes | None = None,
        random_bytes: Callable[[int], bytes] | None = None,
    ) -> None:
        """Load what is stored.

        Who seals needs `random_bytes`; who opens, the private key of the prekey that its device
        began with.
        """
        self.community = community
        self.signer = signer
        self.ladder = Ladder(
            community,
            past,
            device=signer.public if signer is not None else None,
            prekey_private=prekey_private,
        )
        self.showing = Showing()
        self.epochs = self.ladder.epochs
        self.graph = self.ladder.graph
        self.membership = self.ladder.membership
        self.branches = self.ladder.branches
        self.tips = self.ladder.tips
        self.auth_references = self.ladder.auth_references
        self._appended = 1
        self._missing: tuple[tuple[int, int], list[Reference]] = ((0, 0), [])
        self._trusted_after_ms = trusted_after_ms
        self._random_bytes = random_bytes
        self._records = dict(past.addresses())
        self._heads: list[Reference] = []
        self._heads_at = 0

    # --- one input, one batch

    def begin(self) -> None:
        """Start an input; what the last one changed is committed by now."""
        self.ladder.begin()

    def finish(self) -> Batch:
        """End an input: fold what is ready and the touched subjects; return what to commit."""
        return self.ladder.finish()

    @property
    def batch(self) -> Batch:
        """What this input changed so far."""
        return self.ladder.batch

    @property
    def changes(self) -> list[Change]:
        """What came into view in this input so far."""
        return self.ladder.changes

    @property
    def is_touched(self) -> bool:
        """True if this input changed something, or can go on folding."""
        return self.has_work or bool(self.changes) or not self.batch.is_empty()

    @property
    def has_work(self) -> bool:
        """True while stored operations can be folded, or judged again, that the last input left."""
        return self.ladder.has_work

    # --- receiving

    def receive(self, runs: Sequence[Run], now_ms: int) -> Receipt:
        """Take runs from a peer; each is taken up to what its last good signature vouches for.

        Costs one signature check per run and per 64 operations, about 25 µs per operation besides.
        """
        self.ladder.fold_ready()  # what waits here names authors that are to be known
        stored = duplicates = 0
        refused: list[tuple[Reason, bool]] = []
        missing: list[tuple[bytes, int, int]] = []
        arrival = Arrival(runs, self._knows_author, self.ladder.take_named)
        for run in arrival:
            try:
                count, new = self._take_run(run, now_ms)
            except Refused as refusal:
                if refusal.reason is Reason.CHAIN_BROKEN:
                    missing.append((run.device, run.log_class, run.first_seq))
                refused.append((refusal.reason, refusal.reason not in NO_OFFENCE))
            else:
                stored += new
                duplicates += count - new
        refused.extend((Reason.UNKNOWN_AUTHOR, False) for _ in arrival.unknown)
        return Receipt(stored, duplicates, tuple(refused), tuple(missing))

    def _knows_author(self, run: Run) -> bool:
        is_genesis = run.log_class == AUTH and run.first_seq == 0 and run.items[0].kind == GENESIS
        is_known = is_genesis or self.takes_log(run.device, run.log_class)
        return is_known or is_certified(self.membership, run)

    def _take_run(self, run: Run, now_ms: int) -> tuple[int, int]:
        """Store what is new of one run and fold what can be; return (operations, new ones)."""
        operations = operations_of(run, self.community)
        first = operations[0].core
        if first.kind == GENESIS and community_id_of(first) != self.community:
            raise Refused(Reason.WRONG_COMMUNITY)
        branch, held = self.branches.attach(operations)
        new = operations[held:]
        is_strangers = first.kind != GENESIS and not self.membership.was_ever_admitted(first.device)
        if new and (is_strangers or self.is_cut_off(first.device, run.log_class)):
            missing = self.ladder.missing_of(first.device, run.log_class)
            if is_strangers and new[0].core.seq == 0:
                missing = [*missing, new[0].reference]  # who is admitted next begins by it
            new = still_taken(self.membership, missing, new)
        if new:
            new = vouched(new, self._latest_ms(now_ms))
        if not new:
            return len(operations), 0
        if branch is None:
            core, op_id = new[0].core, new[0].op_id
            branch = self.open_branch(core.device, run.log_class, core.seq, core.backlink, op_id)
        for op in new:
            self.append(branch, op)
        kept = frozenset(self.membership.keeps_of(first.device))
        if kept and any(op.reference in kept for op in new):
            self.ladder.reconsider([first.device])
        self.ladder.fold_ready()
        if is_strangers and self.membership.was_ever_admitted(first.device):
            return len(operations), len(new) + self._take_rest(run, now_ms)
        return len(operations), len(new)

    def _take_rest(self, run: Run, now_ms: int) -> int:
        """Store what is left of a run whose author was let in by its beginning; return how many."""
        try:
            return self._take_run(run, now_ms)[1]
        except Refused as refusal:
            if refusal.reason is Reason.UNKNOWN_AUTHOR:  # she is put out as well
                return 0
            raise

    def _latest_ms(self, now_ms: int) -> int:
        """Return the latest time of content that is taken now; any, if our clock is behind."""
        is_clock_trusted = (
            now_ms >= self._trusted_after_ms
            and now_ms >= self.newest_time_ms - limits.CLOCK_BEHIND_MS_MAX
        )
        return now_ms + limits.AHEAD_MS_MAX if is_clock_trusted else limits.TIME_MS_MAX

    # --- storing

    def open_branch(
        self, device: bytes, log_class: int, seq: int, backlink: bytes, op_id: bytes
    ) -> Branch:
        """Start a log, or a branch of one; raises Refused(over-limit)."""
        is_full = len(self.branches.of(device, log_class)) >= limits.BRANCHES_PER_LOG_MAX
        if is_full and not self._is_named(device, log_class):  # what others name must come in
            raise Refused(Reason.OVER_LIMIT)
        branch = self.branches.open(self.community, device, log_class, seq, backlink, op_id)
        self.batch.logs.append(branch.row)
        return branch

    def append(self, branch: Branch, op: Operation) -> None:
        """Store one operation behind a branch's head and fold it if its past is complete."""
        self.ladder.append(branch, op)
        self._appended += 1

    # --- what the sessions and the node ask

    @property
    def heads_version(self) -> int:
        """A number that changes whenever `heads` may: something was stored, or judged."""
        return self._appended + len(self.graph)

    @property
    def version(self) -> Version:
        """Who we are here, how much authority is held, and `heads_version`."""
        return Version(self.device, len(self.graph), self.heads_version)

    @property
    def newest_time_ms(self) -> int:
        """The latest time that any folded content bears; 0 if there is none."""
        return self.ladder.newest_time_ms

    @property
    def device(self) -> bytes | None:
        """Our device in this community, or None while we are only a reader."""
        return self.signer.public if self.signer is not None else None

    def expect(self, device: bytes) -> None:
        """Take the auth log of a device that nobody has named yet: we are about to admit it."""
        self.ladder.expect(device, AUTH)

    def takes_log(self, device: bytes, log_class: int) -> bool:
        """Return whether a log is stored here: a member's, or one that something held names.

        Of the auth log of a removed device only what something names, or a root key signed.
        """
        if self.is_cut_off(device, log_class):
            return log_class == AUTH or self._is_named(device, log_class)
        is_named = self.ladder.is_expected(device, log_class)
        is_held = bool(self.branches.of(device, log_class))  # named before a restart
        return is_named or is_held or self.membership.was_ever_admitted(device)

    def is_cut_off(self, device: bytes, log_class: int) -> bool:
        """Return whether a log is neither listed nor taken further, but for what is named."""
        return is_cut_off(self.membership, device, log_class)

    def missing(self) -> list[Reference]:
        """Return what is named and not held, ascending; a read per waiting log after a change."""
        at = (self.heads_version, self.ladder.named.sought.version)
        if self._missing[0] != at:
            self._missing = (at, self.ladder.missing())
        return self._missing[1]

    def _is_named(self, device: bytes, log_class: int) -> bool:
        if self.ladder.is_waited_for(device, log_class):
            return True
        named = self.ladder.named.missing_of(device)
        return any(reference.log_class == log_class for reference in named)

    def held(self, reference: Reference) -> bool:
        """Return whether this very operation is stored here."""
        return self.branches.find(reference) is not None

    def heads(self) -> list[Reference]:
        """Return the heads of all logs that are listed, ascending; call `seal` first.

        Cached until one moves.
        """
        if self._heads_at != self.heads_version:
            self._heads = [
                head
                for head in current_heads(self.branches)
                if self.ladder.named.is_listed(head.device, head.log_class)
            ]
            self._heads_at = self.heads_version
        return self._heads

    def seal(self) -> None:
        """Sign our unsigned heads: what leaves the node is signed."""
        seal(self)

    def runs(
        self, log_class: int, device: bytes, from_seq: int, head_id: bytes, bytes_max: int
    ) -> tuple[list[Run], int | None]:
        """Return runs that lead to `head_id`, and the seq to go on from (None at the end)."""
        return runs_towards(self.branches, log_class, device, from_seq, head_id, bytes_max)

    def runs_wanted(
        self, head: Reference, from_seq: int, bytes_max: int
    ) -> tuple[list[Run], int | None]:
        """Return runs towards what a peer wants; of a log that nobody lists, no further than that.

        So too where the log is forked and the peer means what is no head (a FORK's witness).
        """
        device, log_class = head.device, head.log_class
        is_exact = (
            self.is_cut_off(device, log_class) or len(self.branches.of(device, log_class)) > 1
        )
        if is_exact and self.held(head):
            return runs_up_to(self.branches, head, from_seq, bytes_max)
        if self.is_cut_off(device, log_class):
            return [], None
        return self.runs(log_class, device, from_seq, head.op_id, bytes_max)

    def write(self, drafts: Iterable[Draft], now_ms: int) -> list[Reference]:
        """Append operations of ours; raises LocalProtocolError before anything changed."""
        return write(self, tuple(drafts), now_ms)

    def renew(self, now_ms: int) -> None:
        """Make a new epoch for everybody, if our device may."""
        renew(self, now_ms)

    def random_bytes(self, count: int) -> bytes:
        """Return fresh random bytes, for keys and salts."""
        assert self._random_bytes is not None, "a replica that seals was given no randomness"
        return self._random_bytes(count)

    # --- what is for members only

    def open(self, core: bytes, payload: bytes | None) -> bytes | None:
        """Return what the payload of a stored operation says, None if nothing that we can read."""
        return self.epochs.open_stored(core, payload)

    def learn(self, secrets: Iterable[tuple[bytes, bytes]]) -> int:
        """Take secrets that a member gave us, as (epoch, secret); return how many were new.

        One that is not what its epoch commits to is passed over. What they open is folded next.
        """
        return sum(self.epochs.learn(epoch, secret) for epoch, secret in secrets)

    @property
    def topic_secrets(self) -> list[bytes]:
        """By what members find each other, the newest first; empty while nothing is known.

        In a public community it follows from the id: whoever knows that may read.
        """
        founding = self.membership.genesis
        is_reader = founding is None and self.signer is None  # who must begin somehow
        if is_reader or (founding is not None and not self.epochs.is_sealed):
            return [public_topic_secret(self.community)]
        return self.epochs.topic_secrets()

    @property
    def told_topic_secret(self) -> bytes | None:
        """Under which topic to publish: that of the best epoch to write under, None without one.

        Until there is one after a removal, who was removed would hear.
        """
        if not self.epochs.is_sealed:
            return next(iter(self.topic_secrets), None)
        key = self.epochs.current(limits.TIME_MS_MAX)
        return None if key is None else topic_secret_of(key.secret)

    @property
    def sealed_count(self) -> int:
        """How many operations held wait for a secret that we may have and have not yet."""
        is_reader = self.device is not None and self.membership.is_live(self.device)
        return self.ladder.sealed.count if is_reader else 0

    # --- where members' devices are

    def address_records(self) -> list[tuple[bytes, bytes]]:
        """Return each device with its newest address record, ascending; none of who is out."""
        is_live, was_in = self.membership.is_live, self.membership.was_ever_admitted
        held = sorted(self._records.items())
        return [
            (device, record) for device, record in held if is_live(device) or not was_in(device)
        ]

    def addresses(self) -> list[bytes]:
        """Return the newest address record of each device, ascending by device."""
        return [record for _, record in self.address_records()]

    def learn_address(self, record: bytes, now_ms: int, *, is_vouched: bool = False) -> bool:
        """Keep a signed address record if it is valid and newer than what is held.

        `is_vouched` says that it comes from who brings us in, before we know the members.
        """
        known = decode_record(record, self.community)
        if known is None:
            return False
        if not is_vouched and not self.membership.is_live(known.device):
            return False
        if not is_newer(record, self._records.get(known.device), now_ms):
            return False
        self._records[known.device] = record
        self.batch.addresses.append((known.device, record))
        return True
