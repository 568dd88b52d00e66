"""The network as a scenario holds it: its places, and orders to the router between them."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from tests.badnet.line import Line
from tests.badnet.places import Place
from tests.badnet.router import Count, Cut, Mend, Order, Shape, Traffic, Way

ROOT = Path(__file__).resolve().parents[2]
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Wires:
    """Places 1 to `places`, each connected with all others over its own line."""

    def __init__(self, places: dict[int, Place], router: subprocess.Popen[bytes]) -> None:
        self.places = places
        self._router = router

    def shape(self, line: Line, *numbers: int) -> None:
        """Give these places, or all, such a line from now on."""
        self._order(Shape(list(numbers or self.places), line))

    def cut(self, ways: Iterable[Way], *, open_s: float = 0.0, closed_s: float = 1.0) -> None:
        """Close ways until they are mended: all the time, or `closed_s` after every `open_s`."""
        self._order(Cut(list(ways), open_s, closed_s))

    def mend(self) -> None:
        """Open all ways again."""
        self._order(Mend(list(itertools.permutations(self.places, 2))))

    def traffic(self) -> dict[int, Traffic]:
        """Return what each place has sent and got so far."""
        return msgspec.json.decode(self._order(Count()), type=dict[int, Traffic])

    def router_cpu_s(self) -> float:
        """Return the CPU seconds that the router itself has spent."""
        return cpu_s(self._router.pid)

    def _order(self, order: Order) -> bytes:
        assert self._router.stdin is not None
        assert self._router.stdout is not None
        self._router.stdin.write(msgspec.json.encode(order) + b"\n")
        self._router.stdin.flush()
        answer = self._router.stdout.readline()
        if not answer:
            raise RuntimeError("the router has ended; what it said is above")
        return answer


def ways_between(left: Iterable[int], right: Iterable[int]) -> list[Way]:
    """Return the ways from every place on the left to every place on the right, not back."""
    return list(itertools.product(left, right))


@contextlib.contextmanager
def wires(count: int, seed: int) -> Iterator[Wires]:
    """Make so many places with lines that do nothing yet; raises OSError where that cannot be."""
    with contextlib.ExitStack() as stack:
        places = {n: stack.enter_context(Place(n)) for n in range(1, count + 1)}
        cards = {number: place.packets for number, place in places.items()}
        router = stack.enter_context(
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.badnet.router", str(seed)),
                    *(f"{number}={fd}" for number, fd in cards.items()),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=list(cards.values()),
                cwd=ROOT,
            )
        )
        stack.callback(router.kill)
        yield Wires(places, router)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has spent; 0 if there is none."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    return 0.0
