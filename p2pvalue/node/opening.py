"""Opening a node on a data folder: the front door of the library and of the daemon."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from p2pvalue import config as settings
from p2pvalue.config import Config
from p2pvalue.keyfile import seal_with_passphrase
from p2pvalue.keystore import Keystore
from p2pvalue.network.interface import Network
from p2pvalue.network.libp2p import Libp2pNetwork
from p2pvalue.node.backup import is_half_restored, remove_parts
from p2pvalue.node.node import DATABASE_NAME, wall_clock_ms
from p2pvalue.node.running import RunningNode
from p2pvalue.store import SqliteStore
from p2pvalue_protocol.errors import ConfigError


def init(
    data_dir: Path, name: str, *, listen: Sequence[str] | None = None, passphrase: str | None = None
) -> None:
    """Make the keys and settings of a new node for the person `name`.

    `listen` holds multiaddresses; by default every network card at a port drawn at random. Without
    a passphrase, whoever can read the folder has the keys. Raises
    ConfigError if the folder holds a node already, LocalProtocolError if no community would take
    the name.
    """
    seal = None if passphrase is None else seal_with_passphrase(passphrase, os.urandom)
    Keystore.create(data_dir, name, seal=seal)
    settings.write_default(data_dir, tuple(listen) if listen is not None else settings.new_listen())


@asynccontextmanager
async def open_node(
    data_dir: Path,
    config: Config | None = None,
    *,
    network: Network | None = None,
    passphrase: str | None = None,
    keystore: Keystore | None = None,
    clock_ms: Callable[[], int] = wall_clock_ms,
) -> AsyncIterator[RunningNode]:
    """Open the node that lives in `data_dir` and run it until the block ends.

    Without `network` the one that `config` (by default the folder's config.toml) describes is used.
    Callers can read and write at once; the network comes up meanwhile. `keystore` is the folder's,
    if it is open already. `clock_ms` gives the time since 1970 in ms, for whoever simulates
    another; it must not go back. Raises KeysLocked or WrongPassphrase if the passphrase does not
    open the keys, ConfigError if the folder holds none or is unusable, StoreFailed if the database
    is.
    """
    config = config if config is not None else settings.load(data_dir)
    if keystore is None:
        keystore = Keystore.open(data_dir, passphrase=passphrase)
    if network is None and config.listen:
        network = Libp2pNetwork(keystore.transport_seed, list(config.listen))
    database = data_dir / DATABASE_NAME
    _refuse_missing(database, keystore)
    store = SqliteStore(database, durability=config.durability, key=keystore.database_key)
    try:
        node = RunningNode(data_dir, config, keystore, store, network, clock_ms=clock_ms)
        async with trio.open_nursery() as nursery:
            await nursery.start(node.run)
            try:
                yield node
            finally:
                with trio.CancelScope(shield=True, deadline=trio.current_time() + 1.0):
                    await node.close()
                nursery.cancel_scope.cancel()
    finally:
        store.close()


def _refuse_missing(database: Path, keystore: Keystore) -> None:
    """Raise ConfigError where keys lie without the data that they wrote.

    Who went on with an empty database would begin her logs again, and so fork them.
    """
    if is_half_restored(database.parent):
        raise ConfigError(
            f"a restore into {database.parent} was not finished: run `p2pvalue restore FILE` again"
        )
    remove_parts(database.parent)
    is_empty = not database.exists() or not database.stat().st_size
    if is_empty and keystore.communities():
        raise ConfigError(
            f"the database {database} is gone, and its keys are still there: put it back, or "
            "restore a backup in another --data-dir (`p2pvalue restore`), or begin there with your "
            "24 words (`p2pvalue init --recover`); nothing was changed"
        )
