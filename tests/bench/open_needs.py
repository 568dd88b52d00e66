"""What a node's questions about many open needs cost, in CPU time, from a store on disk.

Needs of three people, each with pledges and voices of the two others. They are made once at
`--path` (ten thousand: a minute). Each run asks a new node with a copy of that and prints one JSON
line for each question; `longest_ms` is the longest step, collections of garbage apart:

    python -m tests.bench.open_needs --needs 10000 --path /tmp/needs.sqlite
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import trio

from p2pvalue.collecting import begin_collecting
from p2pvalue.store import MemoryStore, SqliteStore
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import interest, need, pledge
from tests.bench.stalls import Stalls
from tests.node.small_node import FIRST_MS, SmallNode, exchange
from tests.node.told_people import NAMES, Told

AT_ONCE = 500
LINES = (need.NeedLine("hours", "minute", 60, 600),)
TERMS = need.Terms(LINES)
DAY_MS = 86_400_000


async def made(count: int, path: Path, seed: int) -> None:
    """Write needs, and what two of the three say of each."""
    rng = Random(seed)
    nodes = [SmallNode(name, NAMES, MemoryStore()) for name in NAMES[1:]]
    ana = SmallNode(NAMES[0], NAMES, SqliteStore(path, durability="kill"))
    subjects: list[bytes] = []
    for begin in range(0, count, AT_ONCE):
        node = rng.choice([ana, *nodes])
        numbers = range(begin, min(count, begin + AT_ONCE))
        drafts = [
            Draft(need.NUMBER, b"", need.encode_need(f"Need {number}", LINES)) for number in numbers
        ]
        orders = await node.write(node.community_id, drafts)
        subjects += [subject_of(order.op_id) for order in orders]
    exchange(ana, *nodes)
    terms = need.terms_id(TERMS)
    for node in nodes:
        for begin in range(0, count, AT_ONCE):
            drafts = []
            for subject in subjects[begin : begin + AT_ONCE]:
                minutes = rng.randint(1, 8) * 30
                promised = pledge.encode_pledge(subject, terms, 0, minutes)
                drafts.append(Draft(pledge.NUMBER, b"", promised))
                if rng.random() < 0.7:
                    wanted = interest.encode_interest(subject, "want")
                    drafts.append(Draft(interest.NUMBER, b"", wanted))
            await node.write(node.community_id, drafts)
    exchange(ana, *nodes)
    ana.store.close()


async def measured(name: str, stalls: Stalls, ask: Callable[[], Awaitable[object]]) -> None:
    """Print what a question costs."""
    await trio.lowlevel.checkpoint()
    stalls.longest_s = stalls.total_s = stalls.collecting_s = 0.0
    await ask()
    await trio.lowlevel.checkpoint()
    found = {"ms": stalls.total_s, "longest_ms": stalls.longest_s, "gc_ms": stalls.collecting_s}
    rounded = {key: round(1_000 * value, 1) for key, value in found.items()}
    print(json.dumps({"question": name, **rounded}), flush=True)


async def asked(path: Path, stalls: Stalls) -> None:
    """Print what each question costs a node that begins with the store."""
    told = Told(NAMES[0], SqliteStore(path, durability="kill"))
    node = told.node
    node.now_ms = FIRST_MS + DAY_MS
    order, pledges, needs = node.community.order, node.community.pledges, node.community.needs
    told.notifications.watch.look_at_all()

    async def sync(question: Callable[[], object]) -> None:
        question()

    async def change() -> None:
        await order.want("Need 7", wants=not needs.named("Need 7").is_wanted)

    await measured("a daemon's first look at all", stalls, told.notifications.watch.look)
    await measured("the order, first", stalls, order.all)
    await measured("the order, again", stalls, order.all)
    await measured("a voice more", stalls, change)
    await measured("the order after it", stalls, order.all)
    await measured("why one stands there", stalls, lambda: order.explain("Need 8"))
    await measured("all needs", stalls, needs.all)
    await measured("all pledges", stalls, pledges.all)
    some = (await pledges.all(need="Need 7"))[0].pledge
    await measured("a pledge by its id", stalls, lambda: sync(lambda: pledges.named(some)))
    await measured("a pledge by ten digits", stalls, lambda: sync(lambda: pledges.named(some[:10])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--path", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not args.path.exists():
        trio.run(made, args.needs, args.path, args.seed)
    stalls = Stalls()
    gc.callbacks.append(stalls.collects)
    begin_collecting()
    with TemporaryDirectory() as folder:
        copy = Path(shutil.copy(args.path, folder))
        trio.run(asked, copy, stalls, instruments=[stalls])


if __name__ == "__main__":
    main()
