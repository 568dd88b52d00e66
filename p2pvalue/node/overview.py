"""What `status`, `whoami`, `doctor` and `peer list` say of a running node."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import p2pvalue
from p2pvalue import sizes
from p2pvalue import types as t
from p2pvalue.amounts import counted
from p2pvalue.config import Config
from p2pvalue.node.node import DATABASE_NAME

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

DISK_FREE_BYTES_MIN: Final = 200 * 1024 * 1024
CLOCK_OFF_MS_MAX: Final = 5 * 60 * 1_000

NetworkState = Literal["starting", "up", "off", "restarting"]


def status(node: RunningNode) -> t.StatusView:
    """Return how a node is; costs a look at each community."""
    network = node.network
    return t.StatusView(
        version=p2pvalue.__version__,
        data_dir=str(node.data_dir),
        pid=os.getpid(),
        uptime_s=round(time.monotonic() - node.started_s, 1),
        peer=network.peer_id if network is not None else "",
        network=_network_state(node),
        network_detail=network.status() if network is not None else {},
        addresses=node.addresses() if node.is_network_up.is_set() else [],
        communities=node.communities(),
        peers=len(network.peers()) if network is not None else 0,
        rss_bytes=_rss_bytes(),
        database_bytes=_bytes_of(node.database),
        durability=node.config.durability,
        warnings=[check.detail for check in doctor(node) if not check.is_ok],
        protection=node.keystore.protection,
    )


def locked_status(config: Config, started_s: float) -> t.StatusView:
    """Return how a daemon is whose keys are under a passphrase that nobody has given yet."""
    waiting_for = (
        "the passphrase of the keys; until then nobody is served: run `p2pvalue unlock` on this "
        "machine"
    )
    return t.StatusView(
        version=p2pvalue.__version__,
        data_dir=str(config.data_dir),
        pid=os.getpid(),
        uptime_s=round(time.monotonic() - started_s, 1),
        peer="",
        network="off",
        network_detail={},
        addresses=[],
        communities=[],
        peers=0,
        rss_bytes=_rss_bytes(),
        database_bytes=_bytes_of(config.data_dir / DATABASE_NAME),
        durability=config.durability,
        warnings=[],
        protection="passphrase",
        state="locked",
        waiting_for=waiting_for,
    )


def _network_state(node: RunningNode) -> NetworkState:
    if node.network is None:
        return "off"
    if node.network.addresses() and node.is_network_up.is_set():
        return "up"
    has_failed = node.is_network_up.is_set() or bool(node.network.status()["last_error"])
    return "restarting" if has_failed else "starting"


def whoami(node: RunningNode) -> t.WhoAmIView:
    """Return what the person is called, and the device that speaks for her in each community."""
    return t.WhoAmIView(
        name=node.keystore.name,
        peer=node.network.peer_id if node.network is not None else "",
        devices={c.hex(): node.device(c).hex() for c in node.machine.communities()},
    )


def doctor(node: RunningNode) -> list[t.CheckView]:
    """Return what is well and what is not, each with what to do about it."""
    return [
        _folder_private(node),
        _keys_closed(node),
        _words_written(node),
        _disk_free(node),
        _disk_readable(node),
        _room_for_files(node),
        _clock(node),
        _network(node),
        _editors(node),
        *_communities(node),
    ]


def _room_for_files(node: RunningNode) -> t.CheckView:
    room = node.chunks.room
    taken = sizes.said(room.quota_bytes - room.free_bytes)
    detail = f"{taken} of {sizes.said(room.quota_bytes)} are taken"
    if room.free_bytes <= 0:
        detail += (
            ": small files come no more by themselves; raise `quota_mb` under [blobs] in "
            "config.toml, or take back files that you share"
        )
    return t.CheckView(check="room for shared files", is_ok=room.free_bytes > 0, detail=detail)


def _keys_closed(node: RunningNode) -> t.CheckView:
    keystore = node.keystore
    words = {
        "none": "open on the disk, by choice: whoever can read this user's files has them",
        "passphrase": "under a passphrase",
        "keyring": "in the system's keyring",
    }
    detail = words[keystore.protection]
    if keystore.is_left_open:
        detail = (
            "the keys lie open on the disk: whoever can read this user's files has them; "
            "`p2pvalue passphrase change` closes them"
        )
    return t.CheckView(
        check="protection of the keys", is_ok=not keystore.is_left_open, detail=detail
    )


def _words_written(node: RunningNode) -> t.CheckView:
    if not node.keystore.are_words_shown:
        detail = (
            "nobody has seen the 24 words that bring you back when this machine is lost: "
            "`p2pvalue words show` shows them, once"
        )
        return t.CheckView(check="the 24 words on paper", is_ok=False, detail=detail)
    is_kept = node.keystore.entropy is not None
    return t.CheckView(
        check="the 24 words on paper",
        is_ok=True,
        detail=f"shown once; this machine {'keeps' if is_kept else 'does not keep'} them",
    )


def _folder_private(node: RunningNode) -> t.CheckView:
    mode = node.data_dir.stat().st_mode & 0o077
    return t.CheckView(
        check="folder is private",
        is_ok=not mode,
        detail=f"run `chmod 700 {node.data_dir}`" if mode else str(node.data_dir),
    )


def _disk_free(node: RunningNode) -> t.CheckView:
    free = shutil.disk_usage(node.data_dir).free
    is_ok = free >= DISK_FREE_BYTES_MIN
    text = f"{sizes.said(free)} free"
    return t.CheckView(
        check="disk has room",
        is_ok=is_ok,
        detail=text if is_ok else f"only {text}: make room, or nothing can be written soon",
    )


def _disk_readable(node: RunningNode) -> t.CheckView:
    failure = node.reading_failure
    return t.CheckView(
        check="data can be read",
        is_ok=not failure,
        detail=failure or "nothing failed since the start; `p2pvalue verify` reads all of it",
    )


def _clock(node: RunningNode) -> t.CheckView:
    ahead_ms = (
        max((node.machine.replica(c).newest_time_ms for c in node.machine.communities()), default=0)
        - node.clock_ms()
    )
    is_ok = ahead_ms < CLOCK_OFF_MS_MAX
    minutes = counted(ahead_ms // 60_000, "minute")
    return t.CheckView(
        check="clock is right",
        is_ok=is_ok,
        detail="no operation is from the future"
        if is_ok
        else f"operations here are {minutes} ahead of this clock: set it",
    )


def _network(node: RunningNode) -> t.CheckView:
    state = _network_state(node)
    return t.CheckView(
        check="network is up",
        is_ok=state in ("up", "off", "starting"),
        detail={
            "up": ", ".join(node.network.addresses()) if node.network is not None else "",
            "off": "switched off: `listen` in config.toml is empty",
            "starting": "starting",
            "restarting": f"the network restarts: {_network_error(node)}",
        }[state],
    )


def _editors(node: RunningNode) -> t.CheckView:
    told = node.editors.warning
    return t.CheckView(
        check="editors come here", is_ok=not told, detail=told or "nobody took their port"
    )


def _network_error(node: RunningNode) -> str:
    told = str(node.network.status()["last_error"]) if node.network is not None else ""
    return f"{told}; if the port is in use, choose another in config.toml"


def _communities(node: RunningNode) -> list[t.CheckView]:
    checks: list[t.CheckView] = []
    for view in node.communities():
        waiting = sum(
            branch.is_waiting
            for branch in node.machine.replica(bytes.fromhex(view.community)).branches.all()
        )
        is_alone = not view.peers and view.unshared > 0
        detail = f"{view.operations:,} operations, connected peers: {len(view.peers)}"
        if waiting:
            logs = counted(waiting, "log waits", "logs wait")
            detail += f", {logs} for something that has not arrived"
        if is_alone:
            changes = counted(view.unshared, "change")
            detail += f", {changes} not yet with anybody: keep this machine safe"
        if view.sealed:
            changes = counted(view.sealed, "change waits", "changes wait")
            detail += f", {changes} for the key to read: a member online has it"
        if view.state == "joining":
            detail += f"; joining, waiting for {view.waiting_for or 'a member'}"
        checks.append(t.CheckView(check=f"community {view.name}", is_ok=True, detail=detail))
        checks += [
            t.CheckView(check=f"devices in {view.name}", is_ok=False, detail=node.forks.words(fork))
            for fork in node.forks.of(bytes.fromhex(view.community))
        ]
        community = bytes.fromhex(view.community)
        checks += [
            t.CheckView(check=f"documents in {view.name}", is_ok=False, detail=told)
            for told in node.audit.warnings(community)
        ]
        for told in (node.device_events.warning(community), node.device_events.unknown(community)):
            if told:
                checks.append(
                    t.CheckView(check=f"this device in {view.name}", is_ok=False, detail=told)
                )
    return checks


def _rss_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _bytes_of(database: Path) -> int:
    files = [database, database.with_name(database.name + "-wal")]
    return sum(file.stat().st_size for file in files if file.exists())
