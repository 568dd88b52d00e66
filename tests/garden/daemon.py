"""The daemon with another clock: a node opened as always, and told when time was set forward."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from p2pvalue import node as library
from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.node.running import RunningNode
from p2pvalue_protocol.inputs import Wakeup
from tests.garden.clock import Clock

TIME_PASSED = signal.SIGUSR1
"""Tells a daemon that the clock was set: it does what was due meanwhile."""


def live_by(clock: Clock) -> None:
    """Let every node that this process opens from now on have this clock."""
    open_node = library.open_node

    @asynccontextmanager
    async def opened(
        data_dir: Path, config: Config, *, keystore: Keystore
    ) -> AsyncIterator[RunningNode]:
        opening = open_node(data_dir, config, keystore=keystore, clock_ms=clock.now_ms)
        async with opening as node, trio.open_nursery() as nursery:
            await nursery.start(_catch_up, node)
            yield node
            nursery.cancel_scope.cancel()

    vars(library)["open_node"] = opened


async def _catch_up(
    node: RunningNode, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(TIME_PASSED) as signals:
        task_status.started()
        async for _ in signals:
            node.handle(Wakeup())
            await node.need_closer.look()
