"""Whether what a machine sees follows from the operations it holds, in another order too."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from random import Random
from typing import NamedTuple

from p2pvalue.store import MemoryStore, Store
from p2pvalue_protocol import limits
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.log import Item, Run, make_item
from p2pvalue_protocol.operation import read_core
from p2pvalue_protocol.past import LogRow, OperationRow
from p2pvalue_protocol.replica import Replica

CUT_SHARE = 0.3
"""How often a run ends at a signature, where it could go on."""

BATCH_RUNS_MAX = 7


class Told(NamedTuple):
    """A run, and the operation at its end."""

    run: Run
    last: Reference


def is_refolded_alike(store: Store, community: bytes, device: bytes, rng: Random) -> bool:
    """Return whether a fresh machine that is told the same in another order comes to see the same.

    Every log is cut into runs at random, and they come in a random order, some together; those
    whose turn has not come are told again. True if a log ends in what nobody has vouched for yet,
    which no run can carry; and if the fresh one does not take the `device` of its holder for a
    member's: what brought it in was cut off since, and others take that from nobody. About 0.2 ms
    per operation.
    """
    past = store.past(community)
    logs = {head.log.log: head.log for head in past.heads()}
    told: list[Told] = []
    for log, rows in groupby(store.operations_in_order(community), key=lambda row: row.log):
        told += _told_of(logs[log], list(rows), rng)
    if any(not each.run.items[-1].signature for each in told):
        return True
    scratch = MemoryStore()
    replica = Replica(community, scratch.past(community), signer=None)
    replica.begin()
    replica.learn(past.epoch_secrets())
    is_moving = True
    while is_moving and told:
        is_moving = False
        rng.shuffle(told)
        for batch in _batches_of(told, rng):
            receipt = replica.receive([each.run for each in batch], limits.TIME_MS_MAX)
            scratch.commit([replica.finish()])
            replica.begin()
            is_moving = is_moving or receipt.stored > 0
        told = [each for each in told if not replica.held(each.last)]
    while replica.has_work:
        scratch.commit([replica.finish()])
        replica.begin()
    is_alike = scratch.state_digest(community) == store.state_digest(community)
    return is_alike or (bool(told) and not replica.membership.is_live(device))


def _batches_of(told: list[Told], rng: Random) -> Iterator[list[Told]]:
    left = iter(told)
    while batch := list(islice(left, rng.randint(1, BATCH_RUNS_MAX))):
        yield batch


def _told_of(log: LogRow, rows: list[OperationRow], rng: Random) -> list[Told]:
    told: list[Told] = []
    items: list[Item] = []
    for row in rows:
        core = read_core(row.core)
        if not items:
            first = core
        items.append(make_item(core, row.payload or b"", row.signature))
        is_full = len(items) == limits.RUN_OPERATIONS_MAX
        is_end = row.signature and (is_full or rng.random() < CUT_SHARE)
        if is_end or row is rows[-1]:
            run = Run(log.device, log.log_class, first.seq, first.backlink, items)
            told.append(Told(run, Reference(log.device, log.log_class, row.seq, row.op_id)))
            items = []
    return told
