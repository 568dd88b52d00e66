"""Kills a process that appends, again and again, and looks at what is left.

A writer appends chained operations and tells each durable commit through a pipe. It is killed by
signal 9 at a random moment. Then the store must open, hold every acknowledged operation, and go on
where it stopped, without a fork. The writer is forked from this prepared process, so that one kill
costs milliseconds:

    python -m tests.store.crash FOLDER --kills 10000 --seed 7
"""

from __future__ import annotations

import os
import random
import select
import signal
import struct
import traceback
from pathlib import Path
from typing import NoReturn

from p2pvalue.store import Durability, SqliteStore
from p2pvalue.store.verify import verify_logs
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.past import Batch
from tests.kills import kill_command
from tests.store.chains import CHAT, COMMUNITY, PLEDGE, Chain, subject_named

KILLS_PER_FILE = 200
LIFE_S_MAX = 0.03
ACKNOWLEDGED = struct.Struct(">q32s")
NOTHING = (-1, bytes(32))


def opened(path: Path, kill: int) -> SqliteStore:
    """Open the store under one promise and the other in turn; both must survive a kill."""
    durability: Durability = "power-cut" if kill % 2 else "kill"
    return SqliteStore(path, durability=durability)


def next_batches(chain: Chain, rng: random.Random) -> list[Batch]:
    """Return one commit: a message, a few, or a run of a catch-up, with all that they change."""
    batches = []
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        batch = Batch(COMMUNITY, logs=[chain.row] if chain.seq == 0 else [])
        for _ in range(rng.choice((1, 1, 1, 1, 1, 1, 4, 32))):
            row = chain.operation(
                rng.randbytes(rng.choice((20, 200, 200, 200, 200, 200, 200, 6_000)))
            )
            batch.operations.append(row)
            batch.entries.append(chain.entry(row))
        batch.states = [chain.state(row, subject_named("last"), b"%d" % row.seq)]
        batch.tips = [chain.row.log]
        batches.append(batch)
    return batches


def continued(store: SqliteStore, acknowledged: tuple[int, bytes]) -> Chain:
    """Return the log as a writer goes on with it; raises AssertionError if anything is lost."""
    chain = Chain(1)
    past = store.past(COMMUNITY)
    heads = past.heads()
    if not heads:
        assert acknowledged == NOTHING, f"all {acknowledged[0] + 1} operations are gone"
        return chain
    ((log, head, folded_seq, _),) = heads
    seq, op_id = acknowledged
    assert head.seq >= seq, f"acknowledged up to {seq}, held up to {head.seq}"
    if acknowledged != NOTHING:
        assert past.operations(log.log, seq, 1)[0].op_id == op_id, f"{seq} is another one"
        chain.resume(seq + 1, op_id)
    for row in past.operations(log.log, seq + 1, head.seq - seq):
        assert row.payload is not None
        assert row == chain.operation(row.payload), "the log does not go on where it stopped"
    assert chain.seq == head.seq + 1, "an operation inside the log is missing"
    assert folded_seq == head.seq
    assert past.tips() == [log.log], "the frontier is not the log's head"
    (state,) = store.states(COMMUNITY, PLEDGE)
    assert state.seq == head.seq, "the views are not those of the operations"
    (newest,) = store.entries(COMMUNITY, NO_SUBJECT, CHAT, limit=1, newest_first=True)
    assert newest.order == chain.place(head)
    return chain


def append_for_ever(
    path: Path, kill: int, seed: str, acknowledged: tuple[int, bytes], pipe: int
) -> NoReturn:
    """Check what is there and append; tell the last operation of each commit once it is durable."""
    rng = random.Random(seed)
    store = opened(path, kill)
    chain = continued(store, acknowledged)
    while True:
        os.write(pipe, ACKNOWLEDGED.pack(chain.seq - 1, chain.backlink))
        store.commit(next_batches(chain, rng))


def killed_writer(
    path: Path, kill: int, seed: str, acknowledged: tuple[int, bytes]
) -> list[tuple[int, bytes]]:
    """Let a writer live for a random time and kill it; return what it acknowledged."""
    rng = random.Random(seed + " life")
    life_s = rng.uniform(0, LIFE_S_MAX)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            append_for_ever(path, kill, seed, acknowledged, writer)
        except BaseException:  # noqa: BLE001 - whatever it is, it is shown and the process ends
            traceback.print_exc()
        finally:
            os._exit(1)  # an error, not a kill: the parent sees the difference
    os.close(writer)
    if rng.random() < 0.8:  # else it may be killed while it opens the store
        select.select([reader], [], [])
    select.select([], [], [], life_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the writer of {seed} ended by itself"
    told = b""
    while piece := os.read(reader, 65_536):
        told += piece
    os.close(reader)
    return list(ACKNOWLEDGED.iter_unpack(told))


def check_whole(path: Path, acknowledged: tuple[int, bytes]) -> int:
    """Raise AssertionError unless the whole file is sound; return how many operations it has."""
    store = SqliteStore(path)
    chain = continued(store, acknowledged)
    assert verify_logs(store, deep=True).faults == ()
    assert store.entry_count(COMMUNITY, NO_SUBJECT, CHAT) == chain.seq
    store.close()
    return chain.seq


def kill_many(folder: Path, kills: int, seed: str) -> dict[str, int | str]:
    """Return what happened in so many kills; raises AssertionError on the first thing wrong."""
    operations = untold = 0
    for first in range(0, kills, KILLS_PER_FILE):
        path, acknowledged = folder / f"store-{first}.db", NOTHING
        for kill in range(first, min(first + KILLS_PER_FILE, kills)):
            told = killed_writer(path, kill, f"{seed}/{kill}", acknowledged)
            if told:
                untold += told[0] > acknowledged  # the one before was killed before it could tell
                acknowledged = told[-1]
        operations += check_whole(path, acknowledged)
        for file in folder.glob(path.name + "*"):
            file.unlink()
    return {"kills": kills, "seed": seed, "operations": operations, "durable_untold": untold}


if __name__ == "__main__":
    kill_command(kill_many, "a process that appends")
