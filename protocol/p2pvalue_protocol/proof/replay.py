"""Building the operations of a proof again, and judging them as every node does (spec: proof).

Nothing is judged here: cores are built and hashed, signatures checked, and then the ladder that
every copy climbs is climbed with them, from an empty store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import AUTH_KINDS, POLICY, VOTE
from p2pvalue_protocol.branches import Branch
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference, op_id_of, payload_hash_of
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.kinds.epoch import NUMBER as EPOCH
from p2pvalue_protocol.ladder import Ladder
from p2pvalue_protocol.operation import (
    GENESIS,
    KIND_AUTH_MAX,
    SIGNED,
    VERSION,
    Core,
    Operation,
    check_core,
    community_id_of,
    decode_core,
    encode_core,
)
from p2pvalue_protocol.past import (
    EntryRow,
    HeadRow,
    OperationRow,
    StateRow,
    SubjectOperationRow,
)
from p2pvalue_protocol.proof.effort import judgements_of
from p2pvalue_protocol.proof.form import ProofForm, ProofItem, ProofLog


class NoPast:
    """Nothing was stored before: all of a file is one input."""

    def heads(self) -> list[HeadRow]:
        return []

    def frontiers(self) -> list[tuple[int, tuple[bytes, ...]]]:
        return []

    def tips(self) -> list[int]:
        return []

    def operations(self, log: int, first_seq: int, count: int) -> list[OperationRow]:
        return []

    def auth_operations(self) -> Iterator[OperationRow]:
        return iter(())

    def state(self, subject: bytes) -> StateRow | None:
        return None

    def subject_operations(
        self, subject: bytes
    ) -> list[tuple[SubjectOperationRow, bytes, bytes | None]]:
        return []

    def has_entry(self, row: EntryRow) -> bool:
        return False

    def hidden_places(self, container: bytes, kind: int) -> list[Reference]:
        return []

    def has_subject_operation(self, row: SubjectOperationRow) -> bool:
        return False

    def reconsidered(self) -> list[tuple[int, int]]:
        return []

    def addresses(self) -> list[tuple[bytes, bytes]]:
        return []

    def epochs(self) -> list[bytes]:
        return []

    def sealed(self) -> list[tuple[bytes, int, int, int]]:
        return []

    def epoch_secrets(self) -> list[tuple[bytes, bytes]]:
        return []

    def proven(self) -> list[bytes]:
        return []

    def prekeys(self) -> list[tuple[bytes, bytes]]:
        return []


class Replayed(NamedTuple):
    """What a file holds, judged: each operation with the number of its auth frontier."""

    community: bytes
    ladder: Ladder
    operations: list[Operation]
    frontiers: list[int]


def replay(form: ProofForm) -> Replayed:
    """Build, check and fold all operations of a file; raises Refused for the first fault.

    About 60 µs per operation and a signature check per log; nothing outside of it is read.
    """
    builder = _Builder(form)
    operations = list(builder.operations())
    tails = [builder.tail(number) for number in range(len(form.logs))]
    judgements = judgements_of(operations)
    if judgements > limits.PROOF_JUDGEMENTS_MAX:
        raise Refused(Reason.OVER_LIMIT)
    ladder = Ladder(operations[0].core.community, NoPast())
    climb = _Climb(ladder, judgements)
    frontiers = [climb.step(item.log, op) for item, op in zip(form.items, operations, strict=True)]
    if ladder.membership.genesis is None:
        raise Refused(Reason.PROOF_INVALID)
    for number, tail in enumerate(tails):
        climb.follow(number, tail)
    return Replayed(operations[0].core.community, ladder, operations, frontiers)


class _Builder:
    """Builds the cores of a file, each from its place."""

    def __init__(self, form: ProofForm) -> None:
        self._form = form
        self._community = ZERO32
        self._built: list[Operation] = []
        self._last: dict[int, int] = {}  # by log: the place of its last operation
        self._known: set[bytes] = set()

    def operations(self) -> Iterator[Operation]:
        if self._form.items[0].kind != GENESIS:
            raise Refused(Reason.PROOF_INVALID)
        for place, item in enumerate(self._form.items):
            op = self._operation(item)
            self._built.append(op)
            self._last[item.log] = place
            yield op

    def tail(self, number: int) -> list[Operation]:
        """Return what follows the last operation of a log, and check what vouches for all of it.

        Raises Refused if that does not follow, or the signature is wrong.
        """
        log = self._form.logs[number]
        before = self._before(number, log)
        tail: list[Operation] = []
        for core_bytes in log.tail:
            core = decode_core(core_bytes)
            seq, backlink = _next(before)
            expected = (self._community, log.device, log.log_class, seq, backlink)
            found = (core.community, core.device, core.log_class, core.seq, core.backlink)
            if found != expected:
                raise Refused(Reason.BACKLINK_MISMATCH)
            before = Operation(self._new(op_id_of(core_bytes)), core, core_bytes, b"", None)
            tail.append(before)
        if before is None or not verify(log.device, SIGNED + before.core_bytes, log.signature):
            raise Refused(Reason.SIGNATURE_INVALID)
        return tail

    def _new(self, op_id: bytes) -> bytes:
        """Return an id; raises Refused if it was met before, or if there are too many."""
        if op_id in self._known:
            raise Refused(Reason.PROOF_INVALID)
        if len(self._known) >= limits.PROOF_OPERATIONS_MAX:
            raise Refused(Reason.OVER_LIMIT)
        self._known.add(op_id)
        return op_id

    def _operation(self, item: ProofItem) -> Operation:
        if item.log >= len(self._form.logs):
            raise Refused(Reason.PROOF_INVALID)
        log = self._form.logs[item.log]
        seq, backlink = _next(self._before(item.log, log))
        is_withheld = bool(item.withheld)
        if is_withheld and (len(item.payload) != 32 or item.kind <= KIND_AUTH_MAX):
            raise Refused(Reason.PROOF_INVALID)
        core = Core(
            VERSION,
            self._community,
            log.device,
            seq,
            backlink,
            item.kind,
            item.subject,
            tuple([self._at(parent).reference for parent in item.parents]),
            item.time,
            self._at(item.epoch - 1).op_id if item.epoch else b"",
            item.withheld or len(item.payload),
            item.payload if is_withheld else payload_hash_of(item.payload),
        )
        check_core(core)
        if core.log_class != log.log_class:
            raise Refused(Reason.PROOF_INVALID)
        if not self._built:
            self._community = community_id_of(core)
            core = msgspec.structs.replace(core, community=self._community)
        core_bytes = encode_core(core)
        payload = None if is_withheld else item.payload
        return Operation(self._new(op_id_of(core_bytes)), core, core_bytes, b"", payload)

    def _before(self, number: int, log: ProofLog) -> Operation | None:
        """Return what an operation of a log follows: the last of it, or what it branches off."""
        if number in self._last:
            return self._built[self._last[number]]
        if not log.base:
            return None
        base = self._at(log.base - 1)
        if (base.core.device, base.core.log_class) != (log.device, log.log_class):
            raise Refused(Reason.PROOF_INVALID)
        return base

    def _at(self, place: int) -> Operation:
        if place >= len(self._built):
            raise Refused(Reason.PROOF_INVALID)
        return self._built[place]


def _next(before: Operation | None) -> tuple[int, bytes]:
    """Return seq and backlink of what follows an operation, or begins a log."""
    return (0, ZERO32) if before is None else (before.core.seq + 1, before.op_id)


class _Climb:
    """Gives the ladder the operations of a file, each to the branch of its log."""

    def __init__(self, ladder: Ladder, judgements: int) -> None:
        self._ladder = ladder
        self._judgements = judgements
        self._votes = self._policies = 0
        self._branches: dict[int, Branch] = {}
        self._met: set[int] = set()  # frontiers
        self._width = 0

    def step(self, log: int, op: Operation) -> int:
        """Fold an operation; return its auth frontier. One that cannot be folded is refused."""
        core = op.core
        if core.log_class == AUTH and core.kind not in AUTH_KINDS:
            raise Refused(Reason.UNSUPPORTED_VERSION)
        is_read = core.log_class == AUTH or core.kind == EPOCH
        self._votes += core.kind == VOTE
        self._policies += core.kind == POLICY
        branch = self._append(log, op if is_read else _unread(op))
        if branch.folded_seq != core.seq:
            raise Refused(branch.closed or Reason.EPOCH_INVALID)
        self._measure(branch.frontier)
        return branch.frontier

    def follow(self, log: int, tail: Sequence[Operation]) -> None:
        """Hold what follows in a content log, folded or not: somebody may have kept it."""
        for op in tail:
            if op.core.log_class == CONTENT:
                self._measure(self._append(log, op).frontier)

    def _append(self, log: int, op: Operation) -> Branch:
        branch = self._branches.get(log)
        if branch is None:
            branch = self._branches[log] = self._opened(op.core, op.op_id)
        self._ladder.append(branch, op)
        return branch

    def _opened(self, core: Core, op_id: bytes) -> Branch:
        branches = self._ladder.branches
        if len(branches.of(core.device, core.log_class)) >= limits.BRANCHES_PER_LOG_MAX:
            raise Refused(Reason.OVER_LIMIT)
        return branches.open(
            core.community, core.device, core.log_class, core.seq, core.backlink, op_id
        )

    def _measure(self, frontier: int) -> None:
        """Refuse what would fill memory: all frontiers together, and pasts of authority."""
        graph = self._ladder.graph
        if frontier not in self._met:
            self._met.add(frontier)
            self._width += len(graph.members_of(frontier))
            self._judgements += self._votes + self._policies  # which of them count is asked anew
        is_wide = self._width > limits.PROOF_FRONTIERS_MAX
        is_long = self._judgements > limits.PROOF_JUDGEMENTS_MAX
        if is_wide or is_long or len(graph) > limits.PROOF_AUTH_OPERATIONS_MAX:
            raise Refused(Reason.OVER_LIMIT)


def _unread(op: Operation) -> Operation:
    """Return an operation without its payload: the views of the ladder are not what is asked."""
    return Operation(op.op_id, op.core, op.core_bytes, b"", None)
