"""When Python looks for garbage in cycles: often at what is new, seldom at what has stayed.

A full collection looks at everything that lives, for tens of milliseconds, and nobody has a turn
meanwhile. So what has outlived one is put aside, and the next looks at what came since. What ends
in a cycle after it was put aside is found once in a while, when nothing else is to be done.
"""

from __future__ import annotations

import gc
from typing import Final

import trio

ALL_EVERY_S: Final = 3_600.0
QUIET_S: Final = 0.2
"""Nothing is due for so long when everything is looked at."""
_LOOK_EVERY_S: Final = 1.0
_LOOKS_MAX: Final = 600  # then it is done in any case
_OLDEST: Final = 2


def begin_collecting() -> None:
    """Put aside all that lives now, and from now on whatever outlives a full collection."""
    if _put_aside not in gc.callbacks:
        gc.callbacks.append(_put_aside)
    gc.collect()
    gc.enable()


def _put_aside(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == _OLDEST:
        gc.freeze()


def collect_all() -> None:
    """Look at everything, also at what was put aside."""
    gc.unfreeze()
    gc.collect()


async def collect_in_quiet_moments() -> None:
    """Look at everything each hour, when nothing is to be done; until cancelled."""
    while True:
        await trio.sleep(ALL_EVERY_S)
        for _ in range(_LOOKS_MAX):
            if _is_quiet():
                break
            await trio.sleep(_LOOK_EVERY_S)
        collect_all()


def _is_quiet() -> bool:
    now = trio.lowlevel.current_statistics()
    return not now.tasks_runnable and now.seconds_to_next_deadline > QUIET_S
