"""The upper rungs of the ladder: from stored to folded (spec: operation, "Pasts and frontiers").

    past complete? ─no▶ waiting ▶ time ▶ visible (membership) ▶ kind ▶ folded

A branch whose next operation names something that is not folded waits for it. What one input
changes is collected here in one `Batch`; how much is folded per input, or judged again, is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from p2pvalue_protocol.branches import Branch, Branches, Tip
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.epochs import Epochs
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.folding import Folding
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.epoch import NUMBER as EPOCH
from p2pvalue_protocol.loading import in_causal_order
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.named import Named
from p2pvalue_protocol.operation import GENESIS, Core, Operation, decode_core, read_core
from p2pvalue_protocol.past import Batch, OperationRow, Past
from p2pvalue_protocol.reconsideration import Reconsideration
from p2pvalue_protocol.sealed_content import SealedContent

_FOLD_CHUNK = 64
_FOLDS_PER_INPUT_MAX = 2_048
_EPOCHS = (b"", CONTENT)  # under which branches wait for an epoch, named without its log


class Ladder:
    """Folds the stored operations of one community, each after its past."""

    def __init__(
        self,
        community: bytes,
        past: Past,
        *,
        device: bytes | None = None,
        prekey_private: bytes | None = None,
    ) -> None:
        """Read what was folded before: all auth operations, and one head per log.

        `device` is ours, to which secrets are sealed; it began with the prekey given.
        """
        self.graph = AuthGraph()
        self.branches = Branches(past)
        self.membership = Membership(community, self.graph, self.branches)
        self.batch = Batch(community)
        self.changes: list[Change] = []
        self._tips: dict[bytes, Branch] = {}  # by the id of the tip
        self.auth_references: dict[bytes, Reference] = {}
        self.newest_time_ms = 0
        self._community = community
        self.epochs = Epochs(
            community,
            self.membership,
            self.graph,
            past,
            device=device,
            prekey_private=prekey_private,
        )
        self.sealed = SealedContent(past.sealed())
        self._folding = Folding(past, self.epochs)
        self.named = Named(self.membership, self.branches)
        self._blocked: dict[tuple[bytes, int], dict[bytes, list[Branch]]] = {}
        self._named_logs: set[tuple[bytes, int]] = set()
        self._newly_named: list[tuple[bytes, int]] = []
        self._ready: list[Branch] = []
        self._kept_tips = past.tips()
        self._genesis_bit = 0
        self._has_new_authority = False  # membership has not said yet whose content it touches
        self._load(past)
        self._reconsideration = Reconsideration(
            self.membership, self.branches, self._folding, past.reconsidered()
        )

    def _load(self, past: Past) -> None:
        proven = frozenset(past.proven())
        for op in in_causal_order(past.auth_operations()):
            self._integrate(op, is_proven=op.op_id in proven)
        self.membership.take_reconsidered()  # the views were made by what is held
        self._has_new_authority = False
        for number, op_ids in past.frontiers():
            self.graph.define(number, op_ids)
        self.graph.take_new()
        for log in self._kept_tips:
            branch = self.branches.numbered(log)
            self._tips[branch.folded_id] = branch
        for branch in self.branches.all():
            if branch.row.log_class == CONTENT:
                self.newest_time_ms = max(self.newest_time_ms, branch.folded_time)
            if branch.is_waiting:
                self._ready.append(branch)

    # --- one input, one batch

    def begin(self) -> None:
        """Start an input; what the last one changed is committed by now."""
        self.branches.begin()
        self._folding.begin()
        self._newly_named = []
        self.batch = Batch(self._community)
        self.changes = []

    def finish(self) -> Batch:
        """End an input: fold what is ready and the touched subjects; return what to commit."""
        self.fold_ready()
        self._note_reconsidered()
        for epoch in self.epochs.take_learnt():
            for log, first_seq in self.sealed.take(epoch):
                self._reconsideration.add_from(log, first_seq)
        self.changes += self._reconsideration.step(self.batch)
        self._folding.finish(self.batch)
        self.batch.frontiers.extend(self.graph.take_new())
        self.batch.proven.extend(self.membership.take_proven())
        self.epochs.write_to(self.batch)
        self.sealed.write_to(self.batch)
        tips = sorted([branch.row.log for branch in self._tips.values()])
        if tips != self._kept_tips:  # a log that goes on alone keeps its place among them
            self.batch.tips = self._kept_tips = tips
        return self.batch

    @property
    def has_work(self) -> bool:
        """True while stored operations can be folded, or judged again, that the last input left."""
        return bool(self._ready) or self._reconsideration.has_work or self.epochs.is_changed

    def tips(self) -> list[Tip]:
        """Return the newest folded operation of each log where nothing folded names it."""
        return [branch.tip for branch in self._tips.values()]

    def _note_reconsidered(self) -> None:
        """Ask whose content has to be judged again; before any is judged by what is new."""
        if self._has_new_authority:
            self._has_new_authority = False
            self._reconsideration.add(self.membership.take_reconsidered())

    def reconsider(self, devices: Iterable[bytes]) -> None:
        """Judge the stored content of devices again: something that decides on it has come."""
        self._reconsideration.add(devices)

    # --- which logs are waited for

    def expect(self, device: bytes, log_class: int) -> None:
        """Note that a log is to be taken though nobody who is admitted writes it."""
        self._named_logs.add((device, log_class))

    def is_expected(self, device: bytes, log_class: int) -> bool:
        """Return whether something held names a log, or somebody is about to be admitted by it."""
        return (device, log_class) in self._named_logs

    def take_named(self) -> list[tuple[bytes, int]]:
        """Return the logs that something began to wait for since the last call, or this input."""
        named, self._newly_named = self._newly_named, []
        return named

    def is_waited_for(self, device: bytes, log_class: int) -> bool:
        """Return whether something held waits for an operation of a log."""
        return bool(self._blocked.get((device, log_class)))

    def missing(self) -> list[Reference]:
        """Return what something held names and is not held itself; a read for each log waited for.

        What is missing of logs that peers list comes anyway: asked for by name is the rest.
        """
        waited_for = {r for log in self._blocked if log != _EPOCHS for r in self._waited_for(*log)}
        return sorted(waited_for.union(self.named.missing()))

    def missing_behind(self, heads: Iterable[Reference]) -> list[Reference]:
        """Return the auth operations, ascending, not held, that what is held up to heads waits for.

        Whoever has such a head has these too. A read for each log that waits.
        """
        places = (self.branches.find(head) for head in heads if head.log_class == AUTH)
        asked = [place.branch for place in places if place is not None and not place.is_folded]
        seen: set[int] = set()
        missing: set[Reference] = set()
        while asked:
            branch = asked.pop()
            if branch.row.log in seen or not branch.waits_for:
                continue
            seen.add(branch.row.log)
            for parent in self._parents_of_next(branch, branch.waits_for):
                place = self.branches.find(parent)
                if place is None:
                    missing.add(parent)
                else:
                    asked.append(place.branch)
        return sorted(missing)

    def missing_of(self, device: bytes, log_class: int) -> list[Reference]:
        """Return what something held names of one log, and is not held itself."""
        named = {r for r in self.named.missing_of(device) if r.log_class == log_class}
        return sorted(named.union(self._waited_for(device, log_class)))

    def _waited_for(self, device: bytes, log_class: int) -> Iterator[Reference]:
        for op_id, branches in self._blocked.get((device, log_class), {}).items():
            waiting = next((branch for branch in branches if self._is_needed(branch)), None)
            if waiting is not None:
                for parent in self._parents_of_next(waiting, op_id):
                    if self.branches.find(parent) is None:
                        yield parent

    def _is_needed(self, waiting: Branch) -> bool:
        """Return whether what waits in a log may ever count, or something that may waits for it.

        Or who was put out could name places far ahead in her own log, and have all of it taken.
        """
        seen: set[tuple[bytes, int]] = set()
        asked = [waiting]
        while asked:
            branch = asked.pop()
            log = device, log_class = branch.row.device, branch.row.log_class
            if self.named.is_listed(device, log_class) or self.named.is_kept(
                device, log_class, branch.folded_seq + 1
            ):
                return True
            if log not in seen:
                seen.add(log)
                asked += [b for branches in self._blocked.get(log, {}).values() for b in branches]
        return False

    def _parents_of_next(self, branch: Branch, op_id: bytes) -> list[Reference]:
        row = self.branches.row(branch, branch.folded_seq + 1)
        parents = read_core(row.core).parents if row is not None else ()
        return [parent for parent in parents if parent.op_id == op_id]

    # --- storing and folding

    def append(self, branch: Branch, op: Operation) -> None:
        """Store one operation behind a branch's head and fold it if its past is complete."""
        core = op.core
        frontier = 0
        if branch.folded_seq == branch.head_seq and branch.closed is None:
            frontier = self._fold(branch, op)
        stored = (op.op_id, op.core_bytes, op.signature, op.payload)
        row = OperationRow(branch.row.log, core.seq, *stored, frontier)
        self.branches.put(row)
        self.batch.operations.append(row)
        if not frontier:  # who waits for it may lack something else, on which it waits itself
            waiting = self._blocked.get((core.device, branch.row.log_class), {})
            self._ready += waiting.pop(op.op_id, [])
        if self.named.arrived(op):
            self._has_new_authority = True
            self.epochs.forget_usable()
        branch.head_seq, branch.head_id = core.seq, op.op_id
        if op.signature:
            branch.signed_seq, branch.unsigned_bytes = core.seq, 0
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
            self._integrate(op)
            frontier = self.graph.frontier((op.op_id,))
            order = Order(core.time, core.device, core.seq, op.op_id)
            self.changes.append(Change(core.kind, b"", order, b"", op.payload or b""))
        elif not self.graph.past(frontier) & self._genesis_bit:
            return self._close(branch, Reason.AUTH_PAST_EMPTY)
        elif not self.epochs.is_rightly_sealed(core):
            return self._close(branch, Reason.EPOCH_INVALID)
        else:
            self._fold_content(branch, op, frontier)
        branch.folded_seq, branch.folded_id = core.seq, op.op_id
        branch.folded_time, branch.frontier = core.time, frontier
        self._tips.pop(core.backlink, None)
        for parent in core.parents:
            self._tips.pop(parent.op_id, None)
        self._tips[op.op_id] = branch
        if branch.row.log_class == CONTENT and core.time > self.newest_time_ms:
            self.newest_time_ms = core.time
        if waiting := self._blocked.get((core.device, branch.row.log_class)):
            self._ready.extend(waiting.pop(op.op_id, ()))
        return frontier

    def _fold_content(self, branch: Branch, op: Operation, frontier: int) -> None:
        self._note_reconsidered()
        core, log = op.core, branch.row.log
        if core.kind == EPOCH and op.payload is not None:
            if self.epochs.fold(op.op_id, core, frontier, op.payload, self._earlier(branch, core)):
                self._ready.extend(self._blocked.get(_EPOCHS, {}).pop(op.op_id, ()))
        elif core.epoch and self.epochs.is_wanted(core.epoch):
            self.sealed.add(core.epoch, log, core.seq)
        standing = self.membership.judge(core.device, core.kind, frontier)
        if standing is None:
            return
        is_visible = self.membership.visible(core.device, core.kind, frontier, op.reference)
        change = self._folding.apply(op, standing, is_visible, log, self.batch)
        if change is not None:
            self.changes.append(change)

    def _earlier(self, branch: Branch, core: Core) -> Callable[[int], list[bytes]]:
        """Return what reads the payloads of EPOCHs that precede an operation in its log."""

        def read(count: int) -> list[bytes]:
            rows = self.branches.before(branch, core.seq, count)
            return [row.payload or b"" for row in rows if read_core(row.core).kind == EPOCH]

        return read

    def _integrate(self, op: Operation, *, is_proven: bool = False) -> None:
        """Give membership an auth operation, with what is held of what it names."""
        self.membership.integrate(op, is_proven=is_proven)
        self.named.note(op)
        self._has_new_authority = True
        self.auth_references[op.op_id] = op.reference
        if op.core.kind == GENESIS:
            self._genesis_bit = 1 << self.graph.index(op.op_id)

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
                self._wait_for_parent(branch, core.parents)
                return None
            if parent.log_class == AUTH:
                parent_frontier = self.graph.frontier((parent.op_id,))
            else:
                parent_time, parent_frontier = self.branches.time_and_frontier(
                    place.branch, parent.seq
                )
                time = max(time, parent_time)
            frontier = self.graph.union((frontier, parent_frontier))
        if core.epoch:
            epoch = self.epochs.records.get(core.epoch)
            if epoch is None:
                branch.waits_for = core.epoch
                self._blocked.setdefault(_EPOCHS, {}).setdefault(core.epoch, []).append(branch)
                return None
            time, frontier = max(time, epoch.time), self.graph.union((frontier, epoch.frontier))
        return time, frontier

    def _wait_for_parent(self, branch: Branch, parents: Iterable[Reference]) -> None:
        """Wait for a parent; for one that is not held first, since what is held may wait for it."""
        places = [(parent, self.branches.find(parent)) for parent in parents]
        left = [(parent, at) for parent, at in places if at is None or not at.is_folded]
        if any(at is not None and at.branch.closed for _, at in left):
            self._close(branch, Reason.PARENT_REFUSED)
        else:
            awaited, _ = min(left, key=lambda pair: pair[1] is not None)
            self._wait(branch, awaited.device, awaited.log_class, awaited.op_id)

    def _wait(self, branch: Branch, device: bytes, log_class: int, op_id: bytes) -> None:
        branch.waits_for = op_id
        self._blocked.setdefault((device, log_class), {}).setdefault(op_id, []).append(branch)
        self._named_logs.add((device, log_class))
        self._newly_named.append((device, log_class))

    def _close(self, branch: Branch, reason: Reason) -> int:
        """End a branch's effect here; who waits for an operation beyond is judged anew."""
        branch.closed = reason
        waiting = self._blocked.pop((branch.row.device, branch.row.log_class), {})
        for op_id in sorted(waiting):
            self._ready.extend(waiting[op_id])
        return 0
