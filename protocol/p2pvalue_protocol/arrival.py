"""In which order the runs of one batch are taken (spec: sync, "OPS").

A log is taken once its author is known: admitted, or named by something held. A batch brings logs
in the order of their keys, so that one often comes before the run that names it, and admissions
form chains: each may let in the author of the next. Runs that nobody knows yet are set aside by
log and come back when their log is named, so that a batch costs what it holds and no more. Auth
logs come first: who is a member decides what is taken of content.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.log import Run

Log = tuple[bytes, int]
"""Device and log class."""

_PASSES_MAX = 8
"""How often all that is set aside is looked at again; what is left comes with a later sync."""


class Receipt(NamedTuple):
    """What became of received runs."""

    stored: int
    duplicates: int
    refused: tuple[tuple[Reason, bool], ...]  # (reason, whether it is the sender's offence)
    missing_backlinks: tuple[tuple[bytes, int, int], ...]  # (device, log class, seq of the run)


class Arrival:
    """The runs of one batch; iterate over those to take, then read `unknown`."""

    def __init__(
        self,
        runs: Iterable[Run],
        is_known: Callable[[Run], bool],
        take_named: Callable[[], list[Log]],
    ) -> None:
        """Start; `take_named` returns the logs newly waited for since it was asked last."""
        self._next: tuple[deque[Run], deque[Run]] = deque(), deque()  # auth, content
        self._push(runs)
        self._aside: dict[Log, list[Run]] = {}
        self._is_known = is_known
        self._take_named = take_named

    def __iter__(self) -> Iterator[Run]:
        self._take_named()
        for _ in range(_PASSES_MAX):
            yield from self._known()
            left = self.unknown
            if not any(map(self._is_known, left)):
                break
            self._aside.clear()
            self._push(left)  # admitted since, though nothing names their logs

    def _known(self) -> Iterator[Run]:
        while auth_or_content := self._next[0] or self._next[1]:
            run = auth_or_content.popleft()
            if self._is_known(run):
                yield run
                for log in self._take_named():
                    self._push(self._aside.pop(log, ()))
            else:
                self._aside.setdefault((run.device, run.log_class), []).append(run)

    def _push(self, runs: Iterable[Run]) -> None:
        for run in runs:
            self._next[0 if run.log_class == AUTH else 1].append(run)

    @property
    def unknown(self) -> list[Run]:
        """The runs that were not taken, since nothing held knows their authors."""
        return list(chain(*self._next, *self._aside.values()))
