"""What really happened in a world, kept apart from what its machines believe."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from p2pvalue_protocol.ids import Reference


class Writing(NamedTuple):
    """An operation that somebody wrote, and who was out by what her machine held."""

    reference: Reference
    machine: int
    outsiders: frozenset[bytes]  # roots


class Ledger:
    """Filled while a world runs, read by its checks and its report."""

    def __init__(self) -> None:
        self.acknowledged: dict[bytes, list[Reference]] = {}  # by device
        self.writings: list[Writing] = []  # content for members only
        self.wanted: set[int] = set()  # machines that are to be members, and equal, in the end
        self.put_out: set[bytes] = set()  # roots, by honest people, and not let in again
        self.voted_on: set[bytes] = set()  # roots that honest people would have out
        self.left: set[bytes] = set()  # roots that went by themselves
        self.given_up: set[bytes] = set()  # devices that an honest owner lost or copied
        self.copied: set[bytes] = set()  # devices of which two ran: they may fork
        self.owners: dict[bytes, int] = {}  # device -> machine
        self.faults: Counter[str] = Counter()
        self.deeds: Counter[str] = Counter()
        self.blamed: Counter[str] = Counter()  # hostile machines, by reason
        self.failures: list[str] = []

    def promised(self, device: bytes) -> list[Reference]:
        """Return what a device was told is written; of one that ran twice, nothing."""
        return [] if device in self.copied else self.acknowledged.get(device, [])

    def fail(self, what: str) -> None:
        """Take note that a promise was broken; the first hundred are kept."""
        if what not in self.failures and len(self.failures) < 100:
            self.failures.append(what)
