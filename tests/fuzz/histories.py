"""Targets for the core after authentication: programs that write signed operations.

Two replicas get the same operations in two orders, broken into pieces and doubled. What people see
must be the same on both, after a restart, and on a third that is served by one of them; and what a
refused run leaves behind is nothing.
"""

from __future__ import annotations

from contextlib import suppress
from random import Random

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import LocalProtocolError, Reason
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.named import admissions_unheard_of
from p2pvalue_protocol.operation import Operation
from tests.fuzz.choices import Choices
from tests.fuzz.target import Budget, Target
from tests.fuzz.village import Pen, copy_of, scene
from tests.protocol.replicas import Copy, run_of

P = "p2pvalue_protocol"
_OPERATIONS_MAX = 24
_ROUNDS_MAX = 12


def _history(data: bytes) -> bool:
    choices = Choices(data)
    held = scene(choices.pick((auth.READ_PUBLIC, auth.READ_MEMBERS)))
    pen = Pen(held, choices)
    while not choices.is_spent and len(pen.written) < _OPERATIONS_MAX:
        pen.write()
    one, other = copy_of(held, "ana"), copy_of(held, "ben")
    for op in pen.written:
        _offered(one, run_of([op]))
    _bring(one, pen.written)
    _bring(other, _mixed(pen.written, len(data)))
    _exchanged(one, other)
    assert _shown(one) == _shown(other), "two orders of the same operations show two states"
    shown = _shown(one)
    one.restart()
    one.settle()
    assert _shown(one) == shown, "a restart changes what is seen"
    return any(op.op_id in _held_ids(one) for op in pen.written)


def _offered(copy: Copy, run: Run) -> None:
    """Offer a run; if it is refused as a whole, nothing may have changed."""
    before = _shown(copy)
    receipt = copy.take(run)
    if not receipt.stored and not copy.replica.has_work:
        assert _shown(copy) == before, receipt
    copy.settle()


def _bring(copy: Copy, operations: list[Operation]) -> None:
    """Offer operations until no more are taken: what waited for others is let in by them."""
    for _ in range(_ROUNDS_MAX):
        lacking = [op for op in operations if not copy.replica.held(op.reference)]
        receipt = copy.take(*(run_of([op]) for op in lacking))
        copy.settle()
        blamed = {reason for reason, is_offence in receipt.refused if is_offence}
        assert Reason.SIGNATURE_INVALID not in blamed, "what is well signed is refused as forged"
        if not receipt.stored:
            return


def _mixed(written: list[Operation], seed: int) -> list[Operation]:
    rng = Random(seed)
    mixed = [*written, *rng.sample(written, len(written) // 3)]
    rng.shuffle(mixed)
    return mixed


def _exchanged(one: Copy, other: Copy) -> None:
    """Let two copies give each other what they hold, as sync would, and name what is in no head."""
    both_ways = ((one, other), (other, one)) * 2
    for giving, taking in both_ways:
        giving.give(taking)
        if _shown(one) == _shown(other):
            return
    for copy in (one, other):
        _name_unheard(copy)
    for giving, taking in both_ways:
        giving.give(taking)
        for reference in taking.replica.missing():
            taking.take(*giving.replica.runs_wanted(reference, 0, limits.BATCH_BYTES_TARGET)[0])
            taking.settle()


def _name_unheard(copy: Copy) -> None:
    """Name within ten seconds what only logs lead to that nobody lists, as a node does."""
    replica, device = copy.replica, copy.replica.device
    parts = (replica.membership, replica.branches, replica.graph, replica.auth_references)
    if device is not None and admissions_unheard_of(*parts, device):
        with suppress(LocalProtocolError):  # put out: somebody else would
            copy.write(Draft(auth.AUTH_SEEN, b"", b""))


def _shown(copy: Copy) -> tuple[object, ...]:
    """What people see: the views, and who is in with what rank."""
    members = [(m.root, m.rank, m.devices) for m in copy.replica.membership.members()]
    return copy.store.state_digest(copy.community), members


def _held_ids(copy: Copy) -> set[bytes]:
    past = copy.store.past(copy.community)
    return {row.op_id for row in past.auth_operations()} | {
        op.op_id for head in copy.replica.heads() for op in copy.log_of(head)
    }


HISTORIES = (
    Target(
        name="history",
        run=_history,
        seeds=lambda: [Random(seed).randbytes(30 + 30 * seed) for seed in range(12)],
        covers=(f"{P}.act_reading", f"{P}.replica"),
        shape="program",
        bytes_max=1_024,
        budget=Budget(units=1_500, memory_bytes=64 << 20),
        mutations_in_tests=40,
    ),
)
