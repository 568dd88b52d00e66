"""`p2pvalue`, the whole program, with the garden's clock in place of the machine's.

The product has no switch for that: with one, whoever starts a daemon could date what it signs. Who
embeds a node, as is done here, gives it a clock.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from p2pvalue_cli.main import cli
from tests.garden.clock import Clock

CLOCK_VARIABLE = "GARDEN_CLOCK"


def main() -> None:
    """Run one command, or the daemon."""
    clock = Clock(Path(os.environ[CLOCK_VARIABLE]))
    if sys.argv[1] == "run":
        from tests.garden.daemon import live_by

        live_by(clock)
    else:
        _speak_of(clock)
    cli(prog_name="p2pvalue")


def _speak_of(clock: Clock) -> None:
    """Let what a command says of today be the garden's today."""
    local_time = time.localtime

    def time_s() -> float:
        return clock.now_ms() / 1000

    def local(seconds: float | None = None) -> time.struct_time:
        return local_time(time_s() if seconds is None else seconds)

    vars(time).update(time=time_s, localtime=local)


if __name__ == "__main__":
    main()
