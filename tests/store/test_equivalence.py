"""Whatever is committed, in whatever order, both stores answer every question alike."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from p2pvalue.store import MemoryStore, SqliteStore, Store, StoreFailed
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import Batch, EntryRow, Past, SubjectOperationRow
from tests.store.chains import CHAT, COMMUNITY, PLEDGE, START_MS, Chain, subject_named

CONTAINERS = [bytes(16), subject_named("a channel"), subject_named("another")]
SUBJECTS = [subject_named(f"pledge {number}") for number in range(6)]


def random_batch(rng: random.Random, chains: list[Chain], waiting: list[tuple[int, int]]) -> Batch:
    """Return a batch of operations, some waiting, and of the views they are said to change."""
    batch = Batch(COMMUNITY)
    for _ in range(rng.randrange(1, 6)):
        chain = rng.choice(chains)
        if chain.seq == 0:
            batch.logs.append(chain.row)
        has_to_wait = any(log == chain.row.log for log, _ in waiting)
        frontier = 0 if has_to_wait or rng.random() < 0.1 else rng.randrange(1, 4)
        time = START_MS + chain.seq // 3  # in a log times never go back
        row = chain.operation(
            rng.randbytes(8), time=time, frontier=frontier, signed=rng.random() < 0.2
        )
        batch.operations.append(row)
        if not frontier:
            waiting.append((row.log, row.seq))
        elif rng.random() < 0.6:
            entry = chain.entry(row, time=time, container=rng.choice(CONTAINERS))
            batch.entries.append(entry._replace(is_hidden=rng.random() < 0.2))
        else:
            subject = rng.choice(SUBJECTS)
            batch.subject_operations.append(chain.subject_operation(row, subject, time=time))
            group = rng.choice(CONTAINERS)
            state = chain.state(row, subject, rng.randbytes(4), group=group)
            batch.states.append(state._replace(time=time))
        batch.tips = [chain.row.log]
    if waiting and rng.random() < 0.5:
        log, seq = waiting.pop(0)
        batch.folded.append((rng.randrange(1, 4), log, seq))
        batch.signatures.append((rng.randbytes(64), log, seq))
    if rng.random() < 0.2:
        batch.states_gone.append(rng.choice(SUBJECTS))
    for log, next_seq in [(chain.row.log, rng.randrange(9)) for chain in chains]:
        if rng.random() < 0.1:
            batch.reconsidered = [*(batch.reconsidered or ()), (log, next_seq)]
    if rng.random() < 0.2:
        batch.addresses.append((rng.choice(chains).key.public, rng.randbytes(5)))
    epochs = [bytes([number]) * 32 for number in range(4)]
    if rng.random() < 0.3:
        batch.epochs.append((rng.choice(epochs), rng.randbytes(9)))
        batch.epoch_secrets.append((rng.choice(epochs), rng.randbytes(32)))
        batch.sealed.append((rng.choice(epochs), rng.choice(chains).row.log, 1, rng.randrange(9)))
    if rng.random() < 0.1:
        batch.sealed_gone.append(rng.choice(epochs))
    if rng.random() < 0.2:
        batch.proven += [bytes([rng.randrange(9)]) * 32, bytes([rng.randrange(9)]) * 32]
    if rng.random() < 0.2:
        batch.prekeys = [(rng.randbytes(32), rng.randbytes(32)) for _ in range(rng.randrange(4))]
    return batch


def changed_views(
    past: Past, rng: random.Random, entries: list[EntryRow], rows: list[SubjectOperationRow]
) -> Batch:
    """Return a batch that hides some of what was shown before and shows some of it again."""
    batch = Batch(COMMUNITY)
    for entry in entries:
        if rng.random() < 0.3:
            other = entry._replace(is_hidden=not entry.is_hidden)
            if not past.has_entry(entry) and not past.has_entry(other):
                batch.entries_again.append(entry)
            elif rng.random() < 0.5:
                batch.entries_turned.append(entry if past.has_entry(other) else other)
            else:
                batch.entries_gone.append(entry if past.has_entry(entry) else other)
    for row in rows:
        if rng.random() < 0.3:
            is_kept = past.has_subject_operation(row)
            (batch.subject_operations_gone if is_kept else batch.subject_operations).append(row)
    return batch


def answers(store: Store, rng: random.Random) -> list[object]:
    """Return what a store says to every question, the open ones at places drawn by `rng`."""
    past = store.past(COMMUNITY)
    said: list[object] = [
        store.communities(),
        past.heads(),
        past.tips(),
        past.addresses(),
        past.reconsidered(),
        past.proven(),
        past.epochs(),
        past.sealed(),
        past.epoch_secrets(),
        past.prekeys(),
        list(past.auth_operations()),
        list(store.operations_in_order(COMMUNITY)),
        [past.operations(log, rng.randrange(5), rng.randrange(5)) for log in range(1, 4)],
        [past.subject_operations(subject) for subject in SUBJECTS],
        [store.state(COMMUNITY, subject) for subject in SUBJECTS],
        store.containers(COMMUNITY, CHAT),
        store.state_digest(COMMUNITY),
        store.state_digest(COMMUNITY, hidden=True),
        [store.base(COMMUNITY, head.log.log) for head in past.heads()],
    ]
    for container in CONTAINERS:
        said.append(store.entry_count(COMMUNITY, container, CHAT))
        for newest_first in (False, True):
            before, after = place(rng), place(rng)
            limit = rng.randrange(1, 9)
            page = store.entries(
                COMMUNITY,
                container,
                CHAT,
                before=before,
                after=after,
                limit=limit,
                newest_first=newest_first,
            )
            said.append([entry._replace(arrival=0) for entry in page])
            said.append(
                store.states(
                    COMMUNITY,
                    PLEDGE,
                    group=rng.choice([None, container]),
                    before=before,
                    after=after,
                    limit=limit,
                    newest_first=newest_first,
                )
            )
        for hidden in (False, True):
            since = store.entries_since(
                COMMUNITY, container, CHAT, 0, limit=rng.randrange(1, 9), hidden=hidden
            )
            said.append([entry._replace(arrival=0) for entry in since])
    return said


def place(rng: random.Random) -> Order | None:
    """Return a place in an order, or none."""
    if rng.random() < 0.4:
        return None
    return Order(
        START_MS + rng.randrange(8), rng.randbytes(32), rng.randrange(9), rng.randbytes(32)
    )


@pytest.mark.parametrize("turn", range(8))
def test_both_stores_answer_alike(tmp_path: Path, turn: int, seed: int) -> None:
    rng = random.Random(f"{seed} {turn}")
    memory, path = MemoryStore(), tmp_path / "store.db"
    sqlite = SqliteStore(path, durability="kill")
    chains = [Chain(1), Chain(2), Chain(3, log_class=AUTH)]
    waiting: list[tuple[int, int]] = []
    entries: list[EntryRow] = []
    rows: list[SubjectOperationRow] = []
    for _ in range(12):
        batches = [random_batch(rng, chains, waiting) for _ in range(rng.randrange(1, 4))]
        changed = changed_views(memory.past(COMMUNITY), rng, entries, rows)
        batches.insert(rng.randint(1, len(batches)), changed)
        if rng.random() < 0.2:  # a commit that contradicts itself changes neither
            for store in (memory, sqlite):
                with pytest.raises(StoreFailed):
                    store.commit([*batches, Batch(COMMUNITY, operations=batches[0].operations)])
        memory.commit(batches)
        sqlite.commit(batches)
        if rng.random() < 0.2:
            sqlite.close()
            sqlite = SqliteStore(path, durability="kill")
        entries += [entry for batch in batches for entry in batch.entries]
        rows += [row for batch in batches for row in batch.subject_operations if row not in rows]
        for entry in entries:
            assert sqlite.past(COMMUNITY).has_entry(entry) == memory.past(COMMUNITY).has_entry(
                entry
            )
        for row in rows:
            is_kept = memory.past(COMMUNITY).has_subject_operation(row)
            assert sqlite.past(COMMUNITY).has_subject_operation(row) == is_kept
        asked = rng.randbytes(8)
        assert answers(sqlite, random.Random(asked)) == answers(memory, random.Random(asked))
    memory.clear_views(COMMUNITY)
    sqlite.clear_views(COMMUNITY)
    assert answers(sqlite, random.Random(seed)) == answers(memory, random.Random(seed))
    sqlite.close()
