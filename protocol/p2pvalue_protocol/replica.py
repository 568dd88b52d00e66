"""Our copy of one community: the ladder that every operation climbs, ours and theirs alike.

    decode ▶ limits ▶ id ▶ authentic ▶ chain ▶ stored
           ▶ past complete? ─no▶ waiting ▶ time ▶ visible (membership) ▶ kind ▶ folded

An operation is stored as soon as its backlink is; parents gate only the fold, or two logs that
answer each other could never be fetched one after the other. Any rung may refuse; then nothing of
that run is changed. What is judged when the past is complete (time, auth past) cannot refuse bytes
that are already vouched for: such an operation stays stored, and it and all that follows or names
it is without effect, on every node alike.

The replica holds the heads of the logs and the auth operations, never the content. What one input
changed is collected in one `Batch`; the next input may come only when that batch was committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from p2pvalue_protocol import limits
from p2pvalue_protocol.addresses import decode_record, is_newer
from p2pvalue_protocol.branches import Branch, Branches, Tip
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.folding import Folding
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.loading import in_causal_order
from p2pvalue_protocol.log import Run, operations_of
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import GENESIS, Operation, community_id_of, decode_core
from p2pvalue_protocol.past import Batch, OperationRow, Past
from p2pvalue_protocol.serving import current_heads, runs_towards
from p2pvalue_protocol.vouching import NO_OFFENCE, vouched
from p2pvalue_protocol.writing import seal, write

_FOLD_CHUNK = 64
_FOLDS_PER_INPUT_MAX = 2_048


class Receipt(NamedTuple):
    """What became of received runs."""

    stored: int
    duplicates: int
    refused: tuple[tuple[Reason, bool], ...]  # (reason, whether it is the sender's offence)
    missing_backlinks: tuple[tuple[bytes, int, int], ...]  # (device, log class, seq of the run)


class Replica:
    """One community as this node holds it. Not for use while an uncommitted batch is out."""

    def __init__(
        self,
        community: bytes,
        past: Past,
        *,
        signer: SigningKey | None,
        topic_secrets: Sequence[bytes] = (),
        trusted_after_ms: int = 0,
    ) -> None:
        self.community = community
        self.signer = signer
        self.topic_secrets = list(topic_secrets)
        self.graph = AuthGraph()
        self.membership = Membership(community, self.graph)
        self.branches = Branches(past)
        self.batch = Batch(community)
        self.changes: list[Change] = []
        self.heads_version = 1
        self.tips: dict[bytes, Tip] = {}
        self.auth_references: dict[bytes, Reference] = {}
        self._past = past
        self._folding = Folding(past)
        self._blocked: dict[tuple[bytes, int], dict[bytes, list[Branch]]] = {}
        self._named_logs: set[tuple[bytes, int]] = set()
        self._trusted_after_ms = trusted_after_ms
        self._newest_time = 0
        self._records = dict(past.addresses())
        self._ready: list[Branch] = []
        self._heads: list[Reference] = []
        self._heads_at = 0
        self._kept_tips = past.tips()
        self._load()

    # --- opening

    def _load(self) -> None:
        for op in in_causal_order(self._past.auth_operations()):
            self.membership.integrate(op)
            self.auth_references[op.op_id] = op.reference
        for number, op_ids in self._past.frontiers():
            self.graph.define(number, op_ids)
        self.graph.take_new()
        for log in self._kept_tips:
            tip = self.branches.numbered(log).tip
            self.tips[tip.reference.op_id] = tip
        for branch in self.branches.all():
            if branch.row.log_class == CONTENT:
                self._newest_time = max(self._newest_time, branch.folded_time)
            if branch.is_waiting:
                self._ready.append(branch)

    # --- one input, one batch

    def begin(self) -> None:
        """Start an input; what the last one changed is committed by now."""
        self.branches.begin()
        self._folding.begin()
        self.batch = Batch(self.community)
        self.changes = []

    def finish(self) -> Batch:
        """End an input: fold what is ready and the touched subjects; return what to commit."""
        self.fold_ready()
        self._folding.finish(self.batch)
        self.batch.frontiers.extend(self.graph.take_new())
        tips = sorted(tip.log for tip in self.tips.values())
        if tips != self._kept_tips:  # a log that goes on alone keeps its place among them
            self.batch.tips = self._kept_tips = tips
        return self.batch

    @property
    def is_touched(self) -> bool:
        """True if this input changed something, or can go on folding."""
        return bool(self._ready) or bool(self.changes) or not self.batch.is_empty()

    @property
    def has_work(self) -> bool:
        """True while stored operations can be folded that the last input left for the next."""
        return bool(self._ready)

    # --- receiving

    def receive(self, runs: Sequence[Run], now_ms: int) -> Receipt:
        """Take runs from a peer; each is taken up to what its last good signature vouches for.

        Costs one signature check per run and per 64 operations, about 25 µs per operation besides.
        """
        self.fold_ready()  # what waits here names authors that are to be known
        stored = duplicates = 0
        refused: list[tuple[Reason, bool]] = []
        missing: list[tuple[bytes, int, int]] = []
        waiting = list(runs)
        while waiting:
            known: list[Run] = []
            unknown: list[Run] = []
            for run in waiting:
                (known if self._knows_author(run) else unknown).append(run)
            if not known:
                refused.extend((Reason.UNKNOWN_AUTHOR, False) for _ in unknown)
                break
            for run in known:
                try:
                    count, new = self._take_run(run, now_ms)
                except Refused as refusal:
                    if refusal.reason is Reason.CHAIN_BROKEN:
                        missing.append((run.device, run.log_class, run.first_seq))
                    refused.append((refusal.reason, refusal.reason not in NO_OFFENCE))
                else:
                    stored += new
                    duplicates += count - new
            waiting = unknown  # another run of this batch may have made their authors known
        return Receipt(stored, duplicates, tuple(refused), tuple(missing))

    def _knows_author(self, run: Run) -> bool:
        is_genesis = run.log_class == AUTH and run.first_seq == 0 and run.items[0].kind == GENESIS
        return is_genesis or self.takes_log(run.device, run.log_class)

    def _take_run(self, run: Run, now_ms: int) -> tuple[int, int]:
        """Store what is new of one run and fold what can be; return (operations, new ones)."""
        operations = operations_of(run, self.community)
        first = operations[0].core
        if first.kind == GENESIS and community_id_of(first) != self.community:
            raise Refused(Reason.WRONG_COMMUNITY)
        branch, held = self.branches.attach(operations)
        new = operations[held:]
        if new:
            new = vouched(new, lambda time: self._is_too_far_ahead(time, now_ms))
        if not new:
            return len(operations), 0
        if branch is None:
            core, op_id = new[0].core, new[0].op_id
            branch = self.open_branch(core.device, run.log_class, core.seq, core.backlink, op_id)
        for op in new:
            self.append(branch, op)
        self.fold_ready()
        return len(operations), len(new)

    def _is_too_far_ahead(self, time: int, now_ms: int) -> bool:
        is_clock_trusted = (
            now_ms >= self._trusted_after_ms
            and now_ms >= self._newest_time - limits.CLOCK_BEHIND_MS_MAX
        )
        return is_clock_trusted and time > now_ms + limits.AHEAD_MS_MAX

    # --- storing and folding

    def open_branch(
        self, device: bytes, log_class: int, seq: int, backlink: bytes, op_id: bytes
    ) -> Branch:
        """Start a log, or a branch of one; raises Refused(over-limit)."""
        is_full = len(self.branches.of(device, log_class)) >= limits.BRANCHES_PER_LOG_MAX
        if is_full and not self._blocked.get((device, log_class)):  # what others name must come in
            raise Refused(Reason.OVER_LIMIT)
        branch = self.branches.open(self.community, device, log_class, seq, backlink, op_id)
        self.batch.logs.append(branch.row)
        return branch

    def append(self, branch: Branch, op: Operation) -> None:
        """Store one operation behind a branch's head and fold it if its past is complete."""
        core = op.core
        frontier = 0
        if branch.folded_seq == branch.head_seq and branch.closed is None:
            frontier = self._fold(branch, op)
        row = OperationRow(
            branch.row.log, core.seq, op.op_id, op.core_bytes, op.signature, op.payload, frontier
        )
        self.branches.put(row)
        self.batch.operations.append(row)
        branch.head_seq = core.seq
        branch.head_id = op.op_id
        self.heads_version += 1
        if op.signature:
            branch.signed_seq = core.seq
            branch.unsigned_bytes = 0
        else:
            branch.unsigned_bytes += len(op.core_bytes) + core.payload_size

    def fold_ready(self) -> None:
        """Fold stored operations whose past has become complete, a bounded number per input."""
        while self._ready and len(self.batch.folded) < _FOLDS_PER_INPUT_MAX:
            self._fold_stored(self._ready.pop())

    def _fold_stored(self, branch: Branch) -> None:
        branch.waits_for = b""
        count = 1  # two logs that answer each other unblock one operation at a time
        while branch.is_waiting and branch.closed is None:
            for row in self.branches.rows(branch, branch.folded_seq + 1, count):
                core = decode_core(row.core)
                op = Operation(row.op_id, core, row.core, row.signature, row.payload)
                frontier = self._fold(branch, op)
                if not frontier:
                    return
                self.branches.put(row._replace(frontier=frontier))
                self.batch.folded.append((frontier, row.log, row.seq))
            if len(self.batch.folded) >= _FOLDS_PER_INPUT_MAX:
                self._ready.append(branch)
                return
            count = min(count * 2, _FOLD_CHUNK)

    def _fold(self, branch: Branch, op: Operation) -> int:
        """Judge and fold the next operation of a branch; return its frontier, 0 if it waits."""
        core = op.core
        past = self._past_of(branch, op)
        if past is None:
            return 0
        time_past, frontier = past
        if core.time <= time_past:
            return self._close(branch, Reason.TIME_NOT_AFTER_PAST)
        if branch.row.log_class == AUTH:
            self.membership.integrate(op)
            self.auth_references[op.op_id] = op.reference
            frontier = self.graph.frontier((op.op_id,))
            order = Order(core.time, core.device, core.seq, op.op_id)
            self.changes.append(Change(core.kind, b"", order, b"", op.payload or b""))
        elif not frontier:
            return self._close(branch, Reason.AUTH_PAST_EMPTY)
        else:
            standing = self.membership.judge(core.device, core.kind, frontier)
            if standing is not None:
                change = self._folding.apply(op, standing, branch.row.log, self.batch)
                if change is not None:
                    self.changes.append(change)
        branch.folded_seq = core.seq
        branch.folded_id = op.op_id
        branch.folded_time = core.time
        branch.frontier = frontier
        self.tips.pop(core.backlink, None)
        for parent in core.parents:
            self.tips.pop(parent.op_id, None)
        self.tips[op.op_id] = branch.tip
        if branch.row.log_class == CONTENT and core.time > self._newest_time:
            self._newest_time = core.time
        if waiting := self._blocked.get((core.device, branch.row.log_class)):
            self._ready.extend(waiting.pop(op.op_id, ()))
        return frontier

    def _past_of(self, branch: Branch, op: Operation) -> tuple[int, int] | None:
        """Return (newest time, auth frontier) of a past, or None after noting the gap."""
        core = op.core
        if branch.folded_seq < branch.row.first_seq:
            start = self.branches.past_of_first(branch)
            if start is None:
                self._wait(branch, branch.row.device, branch.row.log_class, branch.row.base_id)
                return None
            time, frontier = start
        else:
            time, frontier = branch.folded_time, branch.frontier
        for parent in core.parents:
            place = self.branches.find(parent)
            if place is None or not place.is_folded:
                if place is not None and place.branch.closed is not None:
                    self._close(branch, Reason.PARENT_REFUSED)
                    return None
                self._wait(branch, parent.device, parent.log_class, parent.op_id)
                return None
            if parent.log_class == AUTH:
                parent_frontier = self.graph.frontier((parent.op_id,))
            else:
                parent_time, parent_frontier = self.branches.time_and_frontier(
                    place.branch, parent.seq
                )
                time = max(time, parent_time)
            frontier = self.graph.union((frontier, parent_frontier))
        return time, frontier

    def _wait(self, branch: Branch, device: bytes, log_class: int, op_id: bytes) -> None:
        branch.waits_for = op_id
        self._blocked.setdefault((device, log_class), {}).setdefault(op_id, []).append(branch)
        self._named_logs.add((device, log_class))

    def _close(self, branch: Branch, reason: Reason) -> int:
        """End a branch's effect here; who waits for an operation beyond is judged anew."""
        branch.closed = reason
        waiting = self._blocked.pop((branch.row.device, branch.row.log_class), {})
        for op_id in sorted(waiting):
            self._ready.extend(waiting[op_id])
        return 0

    # --- what the sessions and the node ask

    @property
    def newest_time_ms(self) -> int:
        """The latest time that any folded content bears; 0 if there is none."""
        return self._newest_time

    @property
    def device(self) -> bytes | None:
        """Our device in this community, or None while we are only a reader."""
        return self.signer.public if self.signer is not None else None

    def expect(self, device: bytes) -> None:
        """Take the auth log of a device that nobody has named yet: we are about to admit it."""
        self._named_logs.add((device, AUTH))

    def takes_log(self, device: bytes, log_class: int) -> bool:
        """Return whether a log is stored here: a member's, or one that something held names."""
        is_named = (device, log_class) in self._named_logs
        is_held = bool(self.branches.of(device, log_class))  # named before a restart
        return is_named or is_held or self.membership.was_ever_admitted(device)

    def held(self, reference: Reference) -> bool:
        """Return whether this very operation is stored here."""
        return self.branches.find(reference) is not None

    def heads(self) -> list[Reference]:
        """Return the head of every branch, ascending; call `seal` first. Cached until one moves."""
        if self._heads_at != self.heads_version:
            self._heads = current_heads(self.branches)
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

    def write(self, drafts: Iterable[Draft], now_ms: int) -> list[Reference]:
        """Append operations of ours; raises LocalProtocolError before anything changed."""
        return write(self, tuple(drafts), now_ms)

    def address_records(self) -> list[tuple[bytes, bytes]]:
        """Return each device with its newest address record, ascending."""
        return sorted(self._records.items())

    def addresses(self) -> list[bytes]:
        """Return the newest address record of each device, ascending by device."""
        return [self._records[device] for device in sorted(self._records)]

    def learn_address(self, record: bytes, now_ms: int) -> bool:
        """Keep a signed address record if it is valid and newer than what is held."""
        known = decode_record(record, self.community)
        if known is None or not self.membership.was_ever_admitted(known.device):
            return False
        if not is_newer(record, self._records.get(known.device), now_ms):
            return False
        self._records[known.device] = record
        self.batch.addresses.append((known.device, record))
        return True
