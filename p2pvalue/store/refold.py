"""Making the views anew from the operations, and telling whether the views kept are the same."""

from __future__ import annotations

from p2pvalue.store.interface import Progress, Store
from p2pvalue_protocol.past import Batch
from p2pvalue_protocol.replica import Replica

ROWS_AT_ONCE = 256


def fold_waiting(store: Store, community: bytes, progress: Progress | None = None) -> None:
    """Fold every operation that waits and can be folded; after `clear_views`, all of them.

    About 50 µs per operation. Safe to stop anywhere: what is left still waits.
    """
    past = store.past(community)
    total, done = sum(head.head.seq - head.folded_seq for head in past.heads()), 0
    replica = Replica(community, past, signer=None)
    while replica.has_work:
        batch = replica.finish()
        store.commit([batch])
        replica.begin()
        done += len(batch.folded)
        if progress is not None:
            progress(done, total)


def are_views_sound(
    store: Store, scratch: Store, community: bytes, progress: Progress | None = None
) -> bool:
    """Return whether the views kept are what the operations fold to, made anew in `scratch`."""
    past = store.past(community)
    batch = Batch(
        community,
        logs=[head.log for head in past.heads()],
        epoch_secrets=past.epoch_secrets(),
    )
    for row in store.operations_in_order(community):
        batch.operations.append(row._replace(frontier=0))
        if len(batch.operations) == ROWS_AT_ONCE:
            scratch.commit([batch])
            batch = Batch(community)
    scratch.commit([batch])
    fold_waiting(scratch, community, progress)
    folded = scratch.state_digest(community, hidden=True)
    return folded == store.state_digest(community, hidden=True)
