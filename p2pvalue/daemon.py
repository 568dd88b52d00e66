"""One node as a process: lock, keys, node, API, and a clean end within two seconds.

Keys under a passphrase that nobody gave leave the daemon *locked*: it answers on its socket, says
what it waits for and serves nobody, until `p2pvalue unlock` brings the passphrase. To lock again is
to begin again as a new program image: a language that copies strings as it likes cannot promise to
have overwritten a key, but the system does not hand on the memory of an image that is gone.
"""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Protocol

import trio

from p2pvalue.api import Gate, application, locked_application, serve, serve_editors
from p2pvalue.collecting import begin_collecting, collect_in_quiet_moments
from p2pvalue.config import Config, socket_path
from p2pvalue.folder import locked, make_private
from p2pvalue.keyfile import KeysLocked
from p2pvalue.keystore import Keystore
from p2pvalue.node.interface import NodeInterface
from p2pvalue.node.overview import locked_status
from p2pvalue.types import StatusView
from p2pvalue_protocol.errors import P2PValueError

STOP_S_MAX = 1.8
"""After this the process ends in any case; what was answered is on the disk already."""

log = logging.getLogger("p2pvalue.daemon")


class OpenNode(Protocol):
    """What opens the node of a folder whose keys are open: `p2pvalue.node.open_node`."""

    def __call__(
        self, data_dir: Path, config: Config, /, *, keystore: Keystore
    ) -> AbstractAsyncContextManager[NodeInterface]: ...


async def run(
    config: Config,
    open_node: OpenNode,
    *,
    ask_passphrase: Callable[[], str | None] = lambda: None,
    begin_again: Callable[[], None] | None = None,
) -> None:
    """Run the node until SIGINT, SIGTERM, POST /stop or the end of its terminal.

    `ask_passphrase` is called if the keys are under one; if it has none, the daemon starts locked.
    `begin_again` replaces this process by one that is locked; without it nobody can lock. Raises
    ConfigError if the folder is in use or unusable, WrongPassphrase, and what `ask_passphrase`
    raises. The API answers before the network is up.
    """
    make_private(config.data_dir)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the keys
    path = socket_path(config.data_dir)
    with locked(config.data_dir):
        life = _Life(config, begin_again)
        life.open_keys(ask_passphrase)
        async with trio.open_nursery() as nursery:
            await nursery.start(_stop_on_signal, life.stop)
            gate = Gate(locked_application(life.locked_status, life.unlock, life.stop))
            if life.keystore is None:
                await nursery.start(serve, gate, path)
                life.tell_locked()
            keystore = await life.keys_opened()
            if keystore is not None:
                async with open_node(config.data_dir, config, keystore=keystore) as node:
                    lock = life.lock if begin_again is not None else None
                    gate.app = application(node, stop=life.stop, lock=lock)
                    if not life.was_locked:
                        await nursery.start(serve, gate, path)
                    nursery.start_soon(serve_editors, node.editors)
                    nursery.start_soon(collect_in_quiet_moments)
                    life.tell_running()
                    await life.ended.wait()
                    life.end_in_time()
                    nursery.cancel_scope.cancel()
            nursery.cancel_scope.cancel()
    log.info("locked" if life.is_locking else "stopped")
    if life.is_locking and begin_again is not None:
        begin_again()


class _Life:
    """What has happened to the daemon so far, and what it waits for."""

    def __init__(self, config: Config, begin_again: Callable[[], None] | None) -> None:
        self._config = config
        self._begin_again = begin_again
        self._started_s = time.monotonic()
        self._is_open = trio.Event()
        self._tried = trio.Event()
        self._trying = trio.Lock()
        self.ended = trio.Event()
        self.is_locking = False
        self.keystore: Keystore | None = None
        self.was_locked = False

    def open_keys(self, ask_passphrase: Callable[[], str | None]) -> None:
        """Open the keys now, if that takes no passphrase or somebody has it."""
        try:
            self.keystore = Keystore.open(self._config.data_dir)
        except KeysLocked:
            passphrase = ask_passphrase()
            if passphrase is not None:
                self.keystore = Keystore.open(self._config.data_dir, passphrase=passphrase)
        self.was_locked = self.keystore is None

    def stop(self) -> None:
        self.ended.set()
        self._tried.set()

    def lock(self) -> None:
        self.is_locking = True
        self.stop()

    async def unlock(self, passphrase: str) -> None:
        """Open the keys, and return when the node is open; raises WrongPassphrase.

        One at a time: who guesses pays what Argon2id takes for each guess.
        """
        async with self._trying:
            if self.keystore is None:
                opened = partial(Keystore.open, self._config.data_dir, passphrase=passphrase)
                self.keystore = await trio.to_thread.run_sync(opened)
                self._tried.set()
        await self._is_open.wait()

    async def keys_opened(self) -> Keystore | None:
        """Return the keys once they are open, None if the daemon is to end before."""
        if self.keystore is None:
            await self._tried.wait()
        return None if self.ended.is_set() else self.keystore

    def locked_status(self) -> StatusView:
        return locked_status(self._config, self._started_s)

    def tell_locked(self) -> None:
        gc.enable()
        self._tell_ready("locked: to open its keys, p2pvalue unlock; to stop, Ctrl-C")

    def tell_running(self) -> None:
        begin_collecting()
        self._is_open.set()
        if self.was_locked:
            log.info("unlocked")
        else:
            self._tell_ready("to stop: Ctrl-C or p2pvalue stop")

    def _tell_ready(self, what: str) -> None:
        log.info(
            "running as process %d on %s, ready after %.2f s; %s",
            os.getpid(),
            self._config.data_dir,
            time.monotonic() - self._started_s,
            what,
        )

    def end_in_time(self) -> None:
        """Cut off what has not ended when it should have."""
        log.info("locking" if self.is_locking else "stopping")
        guard = threading.Timer(STOP_S_MAX, self._cut_off)
        guard.daemon = True
        guard.start()

    def _cut_off(self) -> None:
        log.warning("not everything ended within %.1f s; the rest is cut off", STOP_S_MAX)
        if self.is_locking and self._begin_again is not None:
            self._begin_again()
        os._exit(0)


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
    stop: Callable[[], None], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    ending = [signal.SIGINT, signal.SIGTERM]
    # A terminal that closes ends us as well, unless `nohup` said that it shall not.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ending.append(signal.SIGHUP)
    with trio.open_signal_receiver(*ending) as signals:
        task_status.started()
        async for _ in signals:
            stop()
