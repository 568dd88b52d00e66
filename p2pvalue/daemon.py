"""One node as a process: lock, node, API, and a clean end within two seconds."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import trio

from p2pvalue.api import serve
from p2pvalue.config import Config, socket_path
from p2pvalue.folder import locked, make_private
from p2pvalue.node.interface import NodeInterface
from p2pvalue_protocol.errors import P2PValueError

STOP_S_MAX = 1.8
"""After this the process ends in any case; what was answered is on the disk already."""

OpenNode: TypeAlias = Callable[[Path, Config], AbstractAsyncContextManager[NodeInterface]]

log = logging.getLogger("p2pvalue.daemon")


async def run(config: Config, open_node: OpenNode) -> None:
    """Run the node until SIGINT, SIGTERM, POST /stop or the end of its terminal.

    Raises ConfigError if the folder is in use or unusable. The API answers before the network
    is up.
    """
    make_private(config.data_dir)
    path = socket_path(config.data_dir)
    with locked(config.data_dir):
        started = time.monotonic()
        async with open_node(config.data_dir, config) as node, trio.open_nursery() as nursery:
            stopping = trio.Event()
            await nursery.start(_stop_on_signal, stopping)
            await nursery.start(partial(serve, node, path, stop=stopping.set))
            # What is alive now stays: the collector need not look at it again.
            gc.collect()
            gc.freeze()
            gc.enable()
            log.info(
                "running as process %d on %s, ready after %.2f s; to stop: Ctrl-C or p2pvalue stop",
                os.getpid(),
                config.data_dir,
                time.monotonic() - started,
            )
            await stopping.wait()
            log.info("stopping")
            _end_in_time()
            nursery.cancel_scope.cancel()
    log.info("stopped")


def tell_fault(error: Exception) -> str:
    """Log what ended the daemon, and return it as one sentence for the person."""
    leaf: BaseException = error
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    if isinstance(leaf, P2PValueError):
        return str(leaf)
    log.error("ended by a fault inside: %r", leaf, exc_info=error)
    return "the daemon ended by a fault of its own; what it had answered is safe: start it again"


def log_to_stderr(level: str, *, with_traces: bool = False) -> None:
    """Tell on stderr what happens, one line each; traces of errors only when asked for.

    Libraries are heard from warnings on, libp2p from errors on; with `level` debug, from info on.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(with_traces=with_traces))
    logging.basicConfig(handlers=[handler], level="INFO" if level == "debug" else "WARNING")
    logging.getLogger("p2pvalue").setLevel(level.upper())
    if level != "debug":
        # It warns of each thing that a peer's frame holds, and a peer can put thousands into one.
        logging.getLogger("libp2p").setLevel("ERROR")


class _OneLine(logging.Formatter):
    """`12:30:01 info    daemon: text`; an error's trace follows only if wanted."""

    def __init__(self, *, with_traces: bool) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._with_traces = with_traces

    def format(self, record: logging.LogRecord) -> str:
        clock = self.formatTime(record, self.datefmt)
        room = record.name.removeprefix("p2pvalue.")
        text = record.getMessage().replace("\n", " ")
        if record.exc_info and record.exc_info[1] is not None:
            if self._with_traces:
                text += "\n" + self.formatException(record.exc_info)
            else:
                text += f" ({type(record.exc_info[1]).__name__}; --debug shows where)"
        return f"{clock} {record.levelname.lower():<7} {room}: {text}"


async def _stop_on_signal(
    stopping: trio.Event, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    ending = [signal.SIGINT, signal.SIGTERM]
    # A terminal that closes ends us as well, unless `nohup` said that it shall not.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ending.append(signal.SIGHUP)
    with trio.open_signal_receiver(*ending) as signals:
        task_status.started()
        async for _ in signals:
            stopping.set()


def _end_in_time() -> None:
    def end() -> None:
        log.warning("not everything ended within %.1f s; the rest is cut off", STOP_S_MAX)
        os._exit(0)

    guard = threading.Timer(STOP_S_MAX, end)
    guard.daemon = True
    guard.start()
