"""People at places of a bad network, and what their daemons cost them.

A scenario gets a town whose daemons do not run yet, lets things happen and fails by an
AssertionError; what it says and what `timed` measures is printed, and at the end `costs` is.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import partial
from pathlib import Path

from tests.badnet.line import Line
from tests.badnet.places import Place
from tests.badnet.wires import Wires, cpu_s, ways_between, wires
from tests.system.person import Owner

PORT = 4001
STARTED_AT_ONCE = 3
"""Loading a daemon costs a second of CPU: all at once, each would take a minute on two cores."""

PATIENCE_S = 600.0
LOOK_EVERY_S = 0.1
PAGE = 200
"""How many of the newest messages are looked at."""

HOME = Line(delay_ms=10, jitter_ms=5, loss_share=0.001, kbit_per_s=20_000)
"""A usual connection: 50 ms there and back, and one packet in five hundred lost on the way."""


class Resident(Owner):
    """Somebody who lives at a place; counts what her daemon costs, over all its lives."""

    def __init__(self, place: Place, name: str, folder: Path) -> None:
        self.place = place
        self.rss_peak_bytes = 0
        self._former_cpu_s = 0.0
        address = f"/ip4/{place.address}/tcp/{PORT}"
        super().__init__(name, folder, listen=address, announce=address, durability="kill")

    def start(self) -> None:
        with self.place.entered():
            super().start()

    def kill(self) -> None:
        self._note_costs(is_over=True)
        super().kill()

    def stop(self) -> int:
        self._note_costs(is_over=True)
        return super().stop()

    def cpu_s(self) -> float:
        """Return the CPU seconds of all lives so far."""
        return self._former_cpu_s + self._life_cpu_s()

    def note_memory(self) -> None:
        """Look how much memory this life has needed at most."""
        self._note_costs(is_over=False)

    def _life_cpu_s(self) -> float:
        return cpu_s(self.process.pid) if self.process is not None and self.is_alive else 0.0

    def _note_costs(self, *, is_over: bool) -> None:
        if self.process is None or not self.is_alive:
            return
        self.rss_peak_bytes = max(self.rss_peak_bytes, _rss_peak_bytes(self.process.pid))
        if is_over:
            self._former_cpu_s += self._life_cpu_s()

    def is_up(self) -> bool:
        return bool(self.status()["network"] == "up")

    def is_member(self) -> bool:
        return bool(self.ask("GET", "/community")["state"] == "active")

    def operations(self) -> int:
        """Return how many operations of the community are held here."""
        return int(self.ask("GET", "/community")["operations"])

    def holds(self, operations: int) -> bool:
        return self.operations() >= operations

    def sees(self, texts: Set[str]) -> bool:
        return texts <= set(self.texts(PAGE))

    def until_soon(self, look: Callable[[], object], what: str) -> None:
        """Return when `look` finds something true; looks seldom, since cores are few."""
        self.until(look, what, PATIENCE_S, LOOK_EVERY_S)


class Town:
    """Everybody, and what was said in public so far."""

    def __init__(self, net: Wires, people: Sequence[Resident], rng: random.Random) -> None:
        self.net = net
        self.people = people
        self.rng = rng
        self.posts: list[str] = []
        self._numbers = itertools.count(1)
        self._begun_s = time.monotonic()

    # --- what happens

    def start(self, *people: Resident) -> None:
        """Start daemons, a few at a time, and wait until their networks are up."""
        for first in range(0, len(people), STARTED_AT_ONCE):
            batch = people[first : first + STARTED_AT_ONCE]
            for person in batch:
                person.start()
            for person in batch:
                person.until_soon(person.is_up, "the network")

    def gather(self, *people: Resident) -> None:
        """Let the first of these found a community that all others join by one link, at once."""
        founder, *others = people
        founder.found("Town")
        link = founder.invite()
        for other in others:
            other.join(link)
        for other in others:
            other.until_soon(other.is_member, "being a member")

    def post(self, person: Resident, words: str = "says something") -> str:
        """Post a text like no other, and remember it once it was acknowledged."""
        text = f"{next(self._numbers)}: {person.name} {words}"
        person.post(text)
        self.posts.append(text)
        return text

    def until_read(self, texts: Iterable[str], readers: Iterable[Resident]) -> None:
        """Return when all these readers see all these texts."""
        wanted = set(texts)
        for reader in readers:
            reader.until_soon(partial(reader.sees, wanted), f"{len(wanted)} texts")

    def until_equal(self, *people: Resident) -> None:
        """Return when these, or all, see the same and lack nothing that was acknowledged."""
        first, *others = people or self.people
        first.until_soon(partial(_are_equal, first, others), "all to be equal")
        for person in (first, *others):
            lacking = set(self.posts[-PAGE // 2 :]) - set(person.texts(PAGE))
            assert not lacking, f"{person.name} lacks {sorted(lacking)}"

    def cut(self, left: Sequence[Resident], right: Sequence[Resident], *, both: bool) -> None:
        """Let nothing through from left to right, nor back if `both`."""
        self.net.cut(self._ways(left, right) + (self._ways(right, left) if both else []))

    def flap(
        self, left: Sequence[Resident], right: Sequence[Resident], open_s: float, closed_s: float
    ) -> None:
        """Part both sides again and again."""
        ways = self._ways(left, right) + self._ways(right, left)
        self.net.cut(ways, open_s=open_s, closed_s=closed_s)

    @staticmethod
    def _ways(left: Sequence[Resident], right: Sequence[Resident]) -> list[tuple[int, int]]:
        return ways_between(*([p.place.number for p in side] for side in (left, right)))

    # --- what is told

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._begun_s:7.1f} s  {text}", flush=True)

    @contextlib.contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Say how long the block took."""
        begun_s = time.monotonic()
        yield
        self.say(f"{what}: {time.monotonic() - begun_s:.2f} s")

    def costs(self) -> str:
        """Return what everybody's daemon cost, as a table."""
        traffic = self.net.traffic()
        rows = [("", "sent kB", "got kB", "lost", "cut", "RSS MB", "CPU s")]
        for person in self.people:
            person.note_memory()
            line = traffic[person.place.number]
            rows.append(
                (
                    person.name,
                    f"{line.sent_bytes / 1e3:,.0f}",
                    f"{line.received_bytes / 1e3:,.0f}",
                    f"{line.lost_packets:,}",
                    f"{line.cut_packets:,}",
                    f"{person.rss_peak_bytes / 1e6:.0f}",
                    f"{person.cpu_s():.1f}",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        return "\n".join((*lines, f"router: {self.net.router_cpu_s():.1f} CPU s"))

    def complaints(self) -> str:
        """Return the last lines that every daemon wrote."""
        tails = ("\n".join(p.log.splitlines()[-8:]) for p in self.people)
        return "\n".join(
            f"--- {person.name}\n{tail}" for person, tail in zip(self.people, tails, strict=True)
        )


@contextlib.contextmanager
def town(folder: Path, people: int, seed: int, line: Line = HOME) -> Iterator[Town]:
    """Make a town of so many people; their daemons end with the block."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(wires(people, seed))
        net.shape(line)
        residents: list[Resident] = []
        for name, place in zip(_names(), net.places.values(), strict=False):
            residents.append(Resident(place, name, folder / name.lower()))
            stack.callback(residents[-1].close)
        yield Town(net, residents, random.Random(seed))


def _are_equal(first: Resident, others: Sequence[Resident]) -> bool:
    digest = first.digest()
    return all(other.digest() == digest for other in others)


def _names() -> Iterator[str]:
    first = ("Ana", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ida", "Jon")
    yield from first
    for number in itertools.count(2):
        yield from (f"{name}{number}" for name in first)


def _rss_peak_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
