"""How often what a member says is heeded, where heeding it costs us something or tells a person."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, NamedTuple

PAUSE_MS_MIN: Final = 60_000
PAUSE_MS_MAX: Final = 24 * 3_600_000
_REMEMBERED_MAX: Final = 1_024


class _Turn(NamedTuple):
    since_ms: int
    pause_ms: int
    unheeded: int


class Patience:
    """By whom it is: heeded at once, then after a minute, then after two, and so on up to a day.

    Who says nothing for twice as long as her pause begins anew.
    """

    def __init__(self) -> None:
        self._turns: OrderedDict[Hashable, _Turn] = OrderedDict()

    def heed(self, who: Hashable, now_ms: int) -> int | None:
        """Return how often this one was not heeded since she was; None if she is not heeded now."""
        turn = self._turns.get(who)
        waited_ms = 0 if turn is None else now_ms - turn.since_ms
        if turn is not None and 0 <= waited_ms < turn.pause_ms:
            self._turns[who] = turn._replace(unheeded=turn.unheeded + 1)
            return None
        pause_ms, unheeded = PAUSE_MS_MIN, 0
        if turn is not None and 0 <= waited_ms < 3 * turn.pause_ms:
            pause_ms, unheeded = min(2 * turn.pause_ms, PAUSE_MS_MAX), turn.unheeded
        self._turns[who] = _Turn(now_ms, pause_ms, 0)
        self._turns.move_to_end(who)
        if len(self._turns) > _REMEMBERED_MAX:
            self._turns.popitem(last=False)
        return unheeded
