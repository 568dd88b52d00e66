"""Where a node keeps its data, and the settings a person may change: `config.toml` in that folder.

Loaded by every command, so it imports only what a call needs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from p2pvalue_protocol.errors import ConfigError

Durability = Literal["power-cut", "kill"]
LogLevel = Literal["debug", "info", "warning", "error"]

DATA_DIR_VARIABLE = "P2PVALUE_DATA_DIR"
CONFIG_NAME = "config.toml"
SOCKET_NAME = "api.sock"
SOCKET_PATH_BYTES_MAX = 107
"""Linux has room for 108 bytes in a unix socket's address, the last one zero (unix(7))."""

# The syntax alone: whether an address can be bound is found out when the network starts.
LISTEN_FORM = re.compile(r"/ip4/[0-9.]+/tcp/[0-9]{1,5}|/ip6/[0-9a-fA-F:.]+/tcp/[0-9]{1,5}")

DEFAULT_LISTEN = ("/ip4/0.0.0.0/tcp/0",)
# Below the range from which systems draw ports of outgoing connections.
PORTS_DRAWN = range(20_000, 30_000)

MEGABYTES_MAX = 1_000_000_000

FILE_TEXT = """\
# Settings of this p2pvalue node, read when it starts: `p2pvalue stop`, then `p2pvalue run`.

[network]
# Where other nodes reach us. The port was drawn at random and should stay the same, because
# invites carry it. 0.0.0.0 and :: mean every network card; 127.0.0.1 means this machine only.
listen = [{listen}]
# Tell others these addresses instead, for example when a router passes a port on to this machine:
# announce = ["/ip4/203.0.113.7/tcp/4801"]
# Find the members of our communities on the local network without asking anybody.
lan_discovery = true
# Pass new things on within milliseconds. Without it they come a little later, by comparing.
gossip = true

[store]
# What an answered write survives: "power-cut" (every write reaches the disk) or "kill" (faster, but
# the last moments may be lost when the power fails).
durability = "power-cut"

[blobs]
# How much room the files that members share may take on this disk, in MiB. Those of others
# go when it is full, and are fetched again when they are asked for.
quota_mb = 1000

[editors]
# Whether editors in browsers find this node again after it was restarted, at the same port and with
# what they know. While it does not run, another user of this machine can take that port and hear
# what open editors say; with false each start has a port of its own, and editors are attached anew.
come_back = true

[notify]
# A command to run for each notification, without a shell; the arguments "{{text}}", "{{why}}" and
# "{{kind}}" are replaced, and its standard input is one line of JSON. For example:
# hook = ["notify-send", "{{text}}", "{{why}}"]
hook = []

[log]
# How much is told on the terminal: "debug", "info", "warning" or "error".
level = "info"
"""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one node.

    `listen` holds multiaddresses; an empty tuple means that the node stays without a network.
    `announce` is what others are told; empty, it is where the node listens.
    """

    data_dir: Path
    listen: tuple[str, ...] = DEFAULT_LISTEN
    announce: tuple[str, ...] = ()
    lan_discovery: bool = True
    gossip: bool = True
    durability: Durability = "power-cut"
    log_level: LogLevel = "info"
    blobs_quota_mb: int = 1_000
    editors_come_back: bool = True
    notify_hook: tuple[str, ...] = ()

    @property
    def socket_path(self) -> Path:
        """Where the API of a running node listens."""
        return self.data_dir / SOCKET_NAME


def default_data_dir() -> Path:
    """The folder when none is named: $P2PVALUE_DATA_DIR, or the system's place for user data."""
    named = os.environ.get(DATA_DIR_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs  # noqa: PLC0415  # a command that is told its folder need not pay for it

    return Path(platformdirs.user_data_dir("p2pvalue", appauthor=False))


def socket_path(data_dir: Path) -> Path:
    """Where the folder's node answers; raises ConfigError if the path is too long for a socket."""
    path = data_dir / SOCKET_NAME
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        raise ConfigError(
            f"the path {path} is longer than the {SOCKET_PATH_BYTES_MAX} bytes that a unix socket "
            "may have: choose a folder with a shorter path (--data-dir)"
        )
    return path


def load(data_dir: Path) -> Config:
    """The settings in the folder's `config.toml`, with defaults for what it leaves out.

    Raises ConfigError, which names the file, the key and the values allowed.
    """
    import tomllib  # noqa: PLC0415  # only who runs the daemon reads the settings

    path = data_dir / CONFIG_NAME
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        tree = {}
    except (OSError, ValueError, RecursionError) as error:  # numbers and depth without end, too
        raise ConfigError(f"{path} cannot be read: {error}") from error
    found = {field: check(value, name) for name, field, value, check in _settings(tree, path)}
    return Config(data_dir=data_dir, **found)  # type: ignore[arg-type]  # each was checked by its rule


def new_listen() -> tuple[str, ...]:
    """Addresses for a new node: every network card, at one port drawn at random."""
    import secrets  # noqa: PLC0415  # once in a node's life

    port = secrets.choice(PORTS_DRAWN)
    return (f"/ip4/0.0.0.0/tcp/{port}",)


def write_default(data_dir: Path, listen: tuple[str, ...]) -> bool:
    """Write a commented `config.toml`; returns False and changes nothing if there is one."""
    text = FILE_TEXT.format(listen=", ".join(f'"{address}"' for address in listen))
    try:
        with (data_dir / CONFIG_NAME).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


Check = Callable[[object, str], object]


def _settings(tree: Mapping[str, object], path: Path) -> list[tuple[str, str, object, Check]]:
    known: dict[str, tuple[str, Check]] = {
        "network.listen": ("listen", _listen),
        "network.announce": ("announce", _listen),
        "network.lan_discovery": ("lan_discovery", _flag),
        "network.gossip": ("gossip", _flag),
        "store.durability": ("durability", _one_of(get_args(Durability))),
        "blobs.quota_mb": ("blobs_quota_mb", _megabytes),
        "editors.come_back": ("editors_come_back", _flag),
        "notify.hook": ("notify_hook", _command),
        "log.level": ("log_level", _one_of(get_args(LogLevel))),
    }
    found = []
    for section, settings in tree.items():
        if not isinstance(settings, dict):
            raise ConfigError(
                f"{path}: {section} stands outside a section; known: {', '.join(known)}"
            )
        for key, value in cast("dict[str, object]", settings).items():
            name = f"{section}.{key}"
            if name not in known:
                raise ConfigError(f"{path}: unknown setting {name}; known: {', '.join(known)}")
            field, check = known[name]
            found.append((f"{path}: {name}", field, value, check))
    return found


def _listen(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f'{name} must be a list of addresses, like ["/ip4/0.0.0.0/tcp/4801"]')
    for address in cast("list[object]", value):
        if not isinstance(address, str) or not _is_listen_address(address):
            raise ConfigError(
                f"{name}: {address!r} is no address to listen on; "
                "write /ip4/ADDRESS/tcp/PORT or /ip6/ADDRESS/tcp/PORT, port 0 to 65535"
            )
    return tuple(cast("list[str]", value))


def _is_listen_address(address: str) -> bool:
    return LISTEN_FORM.fullmatch(address) is not None and int(address.rpartition("/")[2]) <= 65_535


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be true or false, not {value!r}")
    return value


def _command(value: object, name: str) -> tuple[str, ...]:
    words = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(word, str) and "\0" not in word for word in words):
        raise ConfigError(f'{name} must be a command and its arguments, like ["notify-send", "hi"]')
    return tuple(cast("list[str]", words))


def _megabytes(value: object, name: str) -> int:
    if type(value) is not int or not 0 <= value <= MEGABYTES_MAX:
        raise ConfigError(f"{name} must be a whole number from 0 to {MEGABYTES_MAX}, not {value!r}")
    return value


def _one_of(allowed: tuple[str, ...]) -> Check:
    def check(value: object, name: str) -> object:
        if value not in allowed:
            quoted = ", ".join(f'"{word}"' for word in allowed)
            raise ConfigError(f"{name} must be one of {quoted}, not {value!r}")
        return value

    return check
