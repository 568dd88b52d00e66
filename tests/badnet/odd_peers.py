"""What happens in a town where one is not like the others: slow, hostile or long away."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tests.badnet.line import Line
from tests.badnet.town import PAGE, Resident, Town
from tests.badnet.wires import ROOT

SLOW = Line(delay_ms=390, jitter_ms=20, loss_share=0.01, kbit_per_s=64)
"""800 ms there and back between this line and a usual one."""

BACKLOG = 1_000
ABSENT_BACKLOG = 100_000
PAUSE_S = 0.5
ATTACKS_MIN = 30
ATTACKS_LOG = "attacks.log"
FLOODERS_LINE = Line(delay_ms=5, kbit_per_s=10_000)
RSS_GROWTH_BYTES_MAX = 64 * 1024 * 1024


def slow_peer(town: Town) -> None:
    """Somebody on 64 kbit/s and 800 ms fetches a backlog and talks; nobody else is held up."""
    *quick, slow = town.people
    town.start(*town.people)
    town.gather(*quick)
    _fill(town, quick[0], BACKLOG)
    town.until_equal(*quick)
    with town.timed("a round of posts among the quick, without the slow one"):
        _talk(town, quick)
    town.net.shape(SLOW, slow.place.number)
    with town.timed(f"the slow one joined and has fetched {BACKLOG:,} posts"):
        slow.join(quick[0].invite())
        slow.until_soon(slow.is_member, "being a member")
        town.until_equal()
    with town.timed("a round of posts among the quick, with the slow one"):
        said = _talk(town, quick)
    with town.timed("the slow one has read it too"):
        town.until_read(said, [slow])
    with town.timed("all have read what the slow one posts"):
        town.until_read([town.post(slow)], town.people)
    town.until_equal()


def hostile_peer(town: Town) -> None:
    """A member's device floods everybody; the others chat, and somebody new joins."""
    *honest, late, mallory = town.people
    town.start(*honest, mallory)
    town.gather(*honest, mallory)
    town.until_equal(*honest, mallory)
    link = honest[0].invite()
    generations = [_generation(person) for person in honest]
    rss_bytes = [person.rss_bytes() for person in honest]
    with town.timed("a round of posts in peace"):
        _talk(town, honest)
    assert mallory.stop() == 0
    town.net.shape(FLOODERS_LINE, mallory.place.number)
    with _flood(town, mallory, honest) as flood:
        while len(_attacks(mallory)) < ATTACKS_MIN:
            _talk(town, honest, is_told=False)
            assert flood.poll() is None, "the attacker has given up"
        with town.timed(f"after {len(_attacks(mallory))} attacks, a round of posts under attack"):
            _talk(town, honest)
        town.start(late)
        with town.timed("somebody new joined under attack and has read all"):
            late.join(link)
            late.until_soon(late.is_member, "being a member")
            town.until_equal(*honest, late)
    sent_bytes = town.net.traffic()[mallory.place.number].sent_bytes
    kinds = Counter(_attacks(mallory))
    town.say(f"{kinds.total()} attacks of {len(kinds)} kinds, {sent_bytes / 1e6:.1f} MB")
    assert generations == [_generation(person) for person in honest], "a network died"
    growth = [p.rss_bytes() - before for p, before in zip(honest, rss_bytes, strict=True)]
    town.say(f"memory grew by at most {max(growth) / 1e6:.0f} MB")
    assert max(growth) < RSS_GROWTH_BYTES_MAX


def absent_peer(town: Town) -> None:
    """Somebody comes back to 100,000 operations that she lacks, and talks while she fetches."""
    *present, absent = town.people
    town.start(*town.people)
    town.gather(*town.people)
    town.until_equal()
    assert absent.stop() == 0
    _fill(town, present[0], ABSENT_BACKLOG)
    with town.timed(f"the others have fetched {ABSENT_BACKLOG:,} operations"):
        _until_as_many(present[0], *present[1:])
    with town.timed("a round of posts before she is back"):
        _talk(town, present)
    ben, cleo = present[:2]
    with town.timed("she is up again"):
        absent.start()
        absent.until_soon(absent.is_up, "the network")
    with contextlib.ExitStack() as loops:
        acts: dict[str, Callable[[], object]] = {
            "others to each other": lambda: town.until_read([town.post(ben)], [cleo]),
            "she to others": lambda: town.until_read([town.post(absent)], [ben]),
            "others to her": lambda: town.until_read([town.post(cleo)], [absent]),
            "her daemon shows a page": lambda: absent.texts(PAGE),
        }
        latencies = {told: loops.enter_context(_now_and_then(acts[told])) for told in acts}
        with town.timed("she has as many operations as the others"):
            _until_as_many(ben, absent)
    for told, seconds in latencies.items():
        town.say(f"meanwhile, {told}: {_summary(seconds)}")
    with town.timed("then all see the same"):
        town.until_equal()


def _talk(town: Town, people: Sequence[Resident], *, is_told: bool = True) -> list[str]:
    """Let everybody post once, each when all have read the former; return what was said."""
    said = []
    seconds = []
    for person in people:
        begun_s = time.monotonic()
        said.append(town.post(person))
        town.until_read(said[-1:], people)
        seconds.append(time.monotonic() - begun_s)
    if is_told:
        town.say(f"from post until all have read it: {_summary(seconds)}")
    return said


def _fill(town: Town, person: Resident, count: int) -> None:
    assert person.stop() == 0
    command = [sys.executable, "-m", "tests.badnet.fill", str(person.folder), str(count), "1"]
    with town.timed(f"{person.name} wrote {count:,} posts without a network"):
        subprocess.run(command, check=True, cwd=ROOT)
    town.start(person)


def _until_as_many(example: Resident, *people: Resident) -> None:
    """Return when these hold at least as many operations as the example does now."""
    wanted = example.operations()
    for person in people:
        person.until_soon(partial(person.holds, wanted), f"{wanted:,} operations")


def _generation(person: Resident) -> int:
    return int(person.status()["network_detail"]["generation"])


def _attacks(mallory: Resident) -> list[str]:
    """Return which attacks came to full force so far."""
    return (mallory.folder / ATTACKS_LOG).read_text().splitlines()


@contextlib.contextmanager
def _flood(
    town: Town, mallory: Resident, victims: Sequence[Resident]
) -> Iterator[subprocess.Popen[bytes]]:
    """Attack from a member's place and under her keys until the block ends."""
    command = [
        *(sys.executable, "-m", "tests.badnet.flooder", str(mallory.folder)),
        *(str(town.rng.randrange(1 << 32)), *(victim.address for victim in victims)),
    ]
    with (mallory.folder / ATTACKS_LOG).open("wb") as log, mallory.place.entered():
        flood = subprocess.Popen(command, stdout=log, cwd=ROOT)
    try:
        yield flood
    finally:
        flood.kill()
        flood.wait()


@contextlib.contextmanager
def _now_and_then(act: Callable[[], object]) -> Iterator[list[float]]:
    """Do something now and then while the block runs; the list gets how long each time took."""
    is_over = threading.Event()
    seconds: list[float] = []
    failures: list[BaseException] = []

    def go_on() -> None:
        try:
            while not is_over.is_set():
                begun_s = time.monotonic()
                act()
                seconds.append(time.monotonic() - begun_s)
                is_over.wait(PAUSE_S)
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            failures.append(error)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield seconds
    finally:
        is_over.set()
        thread.join()
    if failures:
        raise failures[0]


def _summary(seconds: Sequence[float]) -> str:
    if not seconds:
        return "never"
    return (
        f"median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s of {len(seconds):,}"
    )
