"""Making a proof from what a copy holds: what leads to the words shown, in causal order.

Everything that those words, and who their authors were, rest on is given: all auth operations as
they are, of other operations the core alone. Words are shown for what is asked, and for nothing
else (spec: proof).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.branches import Branch
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.kinds.epoch import decode_epoch
from p2pvalue_protocol.loading import in_causal_order
from p2pvalue_protocol.operation import GENESIS, Core, decode_core
from p2pvalue_protocol.past import LogRow, OperationRow
from p2pvalue_protocol.proof.form import ProofForm, ProofItem, ProofLog, encode_proof
from p2pvalue_protocol.proof.words import is_about
from p2pvalue_protocol.replica import Replica

_ROWS_AT_ONCE: Final = 256


class _Held(NamedTuple):
    """An operation of the file, and the branch that it stands in."""

    log: int
    row: OperationRow
    core: Core


class _Given(NamedTuple):
    """A payload that is shown; `key` opens it if it is sealed, else it is empty."""

    payload: bytes
    key: bytes


class Making:
    """Collects what a file about a need needs; the copy may go on meanwhile."""

    def __init__(self, copy: Replica, subject: bytes, shown: Iterable[Reference]) -> None:
        """Begin with what is to be shown; nothing is read yet."""
        self._copy = copy
        self._branches = copy.branches
        self._subject = subject
        self._shown = list(shown)
        self._upto: dict[int, int] = {}  # by log: the last seq that is needed
        self._held: dict[bytes, _Held] = {}
        self._tails: dict[int, int] = {}  # by log: how far it is to be followed unfolded
        self._wanted = [*self._shown, *copy.auth_references.values()]

    def pages(self) -> Iterator[None]:
        """Read what is needed, one page at each step, 5 ms; between two others may have a turn.

        Raises LocalProtocolError if that is more than a file holds.
        """
        yield from self._collected()
        for reference in self._deciding({reference.device for reference in self._shown}):
            self._wanted.append(reference)
            self._want_tail(reference)
        yield from self._collected()
        while missing := self._missing_epochs():
            self._wanted += missing
            yield from self._collected()

    # --- what is needed

    def _want_tail(self, reference: Reference) -> None:
        """Follow a log up to an operation that is held and decides, though it is not folded."""
        place = self._branches.find(reference)
        if place is None or place.is_folded:
            return
        branch, log = place.branch, place.branch.row
        if branch.folded_seq >= log.first_seq:
            folded_seq, folded_id = branch.folded_seq, branch.folded_id
            self._wanted.append(Reference(log.device, log.log_class, folded_seq, folded_id))
        elif log.first_seq:
            base = self._branches.find(_base_of(log))
            if base is None or not base.is_folded:
                return  # nothing of this log is folded: the file tells that this is not held
            self._wanted.append(_base_of(log))
        self._tails[log.log] = max(reference.seq, self._tails.get(log.log, 0))

    def _deciding(self, devices: set[bytes]) -> list[Reference]:
        """Return what removals keep of the logs of these devices, and what FORKs name of them."""
        found = [kept for device in devices for kept in self._copy.membership.keeps_of(device)]
        for held in self._held.values():
            if held.core.kind == auth.FORK:
                fork = auth.read_payload(auth.ForkPayload, held.row.payload)
                found += auth.references_of(fork.operations) if fork is not None else ()
        return [reference for reference in found if reference.device in devices]

    def _collected(self) -> Iterator[None]:
        """Read what is wanted, and what that leads to."""
        while self._wanted:
            reference = self._wanted.pop()
            place = None
            if reference.op_id not in self._held:
                place = self._branches.find(reference)
            if place is None or not place.is_folded:
                continue
            log = place.branch.row
            first = self._upto.get(log.log, log.first_seq - 1) + 1
            if log.first_seq and first == log.first_seq:
                self._wanted.append(_base_of(log))
            self._upto[log.log] = reference.seq
            for start in range(first, reference.seq + 1, _ROWS_AT_ONCE):
                self._read(place.branch, start, min(_ROWS_AT_ONCE, reference.seq - start + 1))
                yield

    def _read(self, branch: Branch, first_seq: int, count: int) -> None:
        for row in self._branches.rows(branch, first_seq, count):
            core = decode_core(row.core)
            self._held[row.op_id] = _Held(branch.row.log, row, core)
            self._wanted += [p for p in core.parents if p.op_id not in self._held]
        if len(self._held) > limits.PROOF_OPERATIONS_MAX:
            raise LocalProtocolError(
                f"a proof holds at most {limits.PROOF_OPERATIONS_MAX} operations, and what this"
                " need rests on is more: it can be checked by members only"
            )

    def _missing_epochs(self) -> list[Reference]:
        """Return the epochs that something here names by its field alone; costs a look at all."""
        named = {held.core.epoch for held in self._held.values()} - {b""} - self._held.keys()
        found: list[Reference] = []
        for epoch in sorted(named):
            record = self._copy.epochs.records.get(epoch)
            assert record is not None, "what is folded names a valid epoch"
            found.append(self._place_of(record.device, epoch))
        return found

    def _place_of(self, device: bytes, op_id: bytes) -> Reference:
        rows = (
            row
            for branch in self._branches.of(device, CONTENT)
            for row in self._branches.rows(branch, branch.row.first_seq, branch.folded_seq + 1)
        )
        seq = next(row.seq for row in rows if row.op_id == op_id)  # a valid epoch is held
        return Reference(device, CONTENT, seq, op_id)

    # --- how it is written

    def _ordered(self) -> list[_Held]:
        """Return all so that each comes after its past: auth first, which names auth alone."""
        auth_rows = [held.row for held in self._held.values() if held.core.log_class == AUTH]
        ordered = [self._held[op.op_id] for op in in_causal_order(auth_rows)]
        ordered.sort(key=lambda held: held.core.kind != GENESIS)  # not all that names nothing is it
        content = [held for held in self._held.values() if held.core.log_class != AUTH]
        content.sort(key=lambda h: (h.core.time, h.core.device, h.core.seq, h.row.op_id))
        return ordered + content

    def form(self) -> ProofForm:
        """Return what was collected, as it is written."""
        ordered = self._ordered()
        places = {held.row.op_id: place for place, held in enumerate(ordered)}
        changes = (held for held in ordered if is_about(held.row.op_id, held.core, self._subject))
        shown = {held.row.op_id for held in changes} | self._epoch_parts()
        shown.update(reference.op_id for reference in self._shown)
        logs: dict[int, int] = {}
        items: list[ProofItem] = []
        for held in ordered:
            log = logs.setdefault(held.log, len(logs))
            items.append(self._item(held, log, places, is_shown=held.row.op_id in shown))
        for followed in self._tails:
            logs.setdefault(followed, len(logs))
        return ProofForm(self._subject, [self._log(log, places) for log in logs], items)

    def _item(
        self, held: _Held, log: int, places: dict[bytes, int], *, is_shown: bool
    ) -> ProofItem:
        core = held.core
        given = self._given(held) if is_shown or core.log_class == AUTH else None
        return ProofItem(
            log,
            core.kind,
            core.subject,
            [places[parent.op_id] for parent in core.parents],
            core.time,
            places[core.epoch] + 1 if core.epoch else 0,
            core.payload_size if given is None else 0,
            (core.payload_hash if core.payload_size else b"") if given is None else given.payload,
            b"" if given is None else given.key,
        )

    def _given(self, held: _Held) -> _Given | None:
        """Return the payload of an operation with its key, None if it cannot be read here."""
        core, payload = held.core, held.row.payload
        if payload is None or self._copy.epochs.open(core, payload) is None:
            return None
        key = self._copy.epochs.key_of(core, payload) if core.epoch else b""
        assert key is not None, "what was opened has a key"
        return _Given(payload, key)

    def _log(self, number: int, places: dict[bytes, int]) -> ProofLog:
        """Return a branch with what vouches for it: cores from behind its last operation here."""
        branch = self._branches.numbered(number)
        log = branch.row
        seq = self._upto.get(number, log.first_seq - 1)
        signature = b""
        tail: list[bytes] = []
        if seq >= log.first_seq:
            signature = self._signature(branch, seq)
        while not signature or seq < self._tails.get(number, 0):
            seq += 1
            row = self._branches.row(branch, seq)
            assert row is not None, "what is sealed ends in a signature"
            tail.append(row.core)
            signature = row.signature
        base = places[log.base_id] + 1 if log.first_seq else 0
        return ProofLog(log.device, log.log_class, base, tail, signature)

    def _signature(self, branch: Branch, seq: int) -> bytes:
        row = self._branches.row(branch, seq)
        assert row is not None, "what is held is stored"
        return row.signature

    def _epoch_parts(self) -> set[bytes]:
        """Return the EPOCHs that what is here names, with the parts that precede them."""
        found: set[bytes] = set()
        for epoch in {held.core.epoch for held in self._held.values()} - {b""}:
            held = self._held[epoch]
            found.add(epoch)
            part = decode_epoch(held.row.payload or b"").part  # a valid one can be read
            branch = self._branches.numbered(held.log)
            found.update(row.op_id for row in self._branches.before(branch, held.row.seq, part))
        return found


def _base_of(log: LogRow) -> Reference:
    """Return what a branch begins after, which is no first operation of a log."""
    return Reference(log.device, log.log_class, log.first_seq - 1, log.base_id)


def make_proof(copy: Replica, subject: bytes, shown: Iterable[Reference]) -> bytes:
    """Return the file that shows these operations about a need, and all its own; `seal` before.

    One that cannot be read here is given without its words. Reads all that they rest on, about 20
    µs per operation. Raises LocalProtocolError if that is more than a file holds.
    """
    making = Making(copy, subject, shown)
    for _ in making.pages():
        pass
    return encode_proof(making.form())
