"""Finds p2pvalue nodes on the local network by DNS-SD over multicast (RFC 6762, RFC 6763).

We announce concrete addresses under service names that the caller blinds, so a listener who is no
member learns that p2pvalue runs here and at which port, and no more. Multicast may be forbidden,
filtered or absent: then nothing is found, `status` says why, and everything else works.

python-zeroconf has its own thread; what it finds is handed over to trio, and it is imported in
`run`.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING, Any

import trio

from p2pvalue.network.addresses import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

SERVICE_TYPE = "_p2pvalue._tcp.local."
_FOUND_WAITING_MAX = 64
_ADDRESSES_PER_NODE_MAX = 8
_RESOLVE_MS = 3000
_NAME_CHARS_MAX = 63
_CLOSE_S = 5.0


class LanDiscovery:
    """Announces us and reports others while `run` runs; not running it is the off-switch.

    `found` is called in the event loop with a blinded service name and dialable addresses.
    Everything in them was said by somebody on the network and nothing of it is true until a
    handshake shows it.
    """

    def __init__(
        self,
        found: Callable[[str, list[str]], None],
        *,
        interfaces: Sequence[str] | None = None,
    ) -> None:
        self._found = found
        self._interfaces = list(interfaces) if interfaces is not None else None
        self._state = "off"
        self._announced: list[str] = []
        self._found_count = 0

    def status(self) -> dict[str, int | str | list[str]]:
        """Return the state (off, starting, on or the reason why it failed) and figures."""
        return {
            "state": self._state,
            "announced": self._announced,
            "found": self._found_count,
        }

    async def run(
        self,
        names: Sequence[str],
        addresses: Sequence[str],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Announce under each of `names` and report others until cancelled; failure is harmless.

        `names` are blinded by the caller, at most 63 characters each; `addresses` are ours with
        their peer id. `task_status.started()` is called when announcing began or failed.
        """
        send, receive = trio.open_memory_channel[str](_FOUND_WAITING_MAX)
        browser = _Browser(trio.lowlevel.current_trio_token(), send)
        self._state = "starting"
        zeroconf: Any = None
        try:
            zeroconf = await trio.to_thread.run_sync(self._open, names, addresses, browser)
            self._state, self._announced = "on", sorted(names)
            task_status.started()
            async for name in receive:
                if name not in names:
                    await self._resolve(zeroconf, name)
        except (OSError, ImportError, ValueError, _ZeroconfFailed) as failed:
            self._state = f"failed: {failed}"[:200]
            log.info("finding nodes on the local network %s", self._state)
            task_status.started()
        finally:
            if not self._state.startswith("failed"):
                self._state = "off"
            self._announced = []
            browser.is_open = False
            if zeroconf is not None:
                with trio.CancelScope(shield=True, deadline=trio.current_time() + _CLOSE_S):
                    await trio.to_thread.run_sync(zeroconf.close, abandon_on_cancel=True)

    def _open(self, names: Sequence[str], addresses: Sequence[str], browser: _Browser) -> Any:
        """Start python-zeroconf; runs in a thread because it blocks."""
        import zeroconf as library  # noqa: PLC0415  (0.2 s, and only where discovery is on)

        try:
            zeroconf = library.Zeroconf(
                interfaces=library.InterfaceChoice.All
                if self._interfaces is None
                else self._interfaces
            )
        except Exception as failed:
            raise _ZeroconfFailed(str(failed) or type(failed).__name__) from failed
        try:
            for name in names:
                zeroconf.register_service(_service(library, name, addresses))
            library.ServiceBrowser(zeroconf, SERVICE_TYPE, handlers=[browser.changed])
        except Exception as failed:
            zeroconf.close()
            raise _ZeroconfFailed(str(failed) or type(failed).__name__) from failed
        return zeroconf

    async def _resolve(self, zeroconf: Any, name: str) -> None:
        def ask() -> Any:
            full_name = f"{name}.{SERVICE_TYPE}"
            return zeroconf.get_service_info(SERVICE_TYPE, full_name, timeout=_RESOLVE_MS)

        try:
            info = await trio.to_thread.run_sync(ask)
        except Exception as failed:  # noqa: BLE001  (whatever strangers announce)
            log.debug("an announcement does not resolve: %r", failed)
            return
        addresses = _addresses_of(info) if info is not None else []
        if addresses:
            self._found_count += 1
            try:
                self._found(name, addresses)
            except Exception:
                log.exception("the handler failed on a node found on the local network")


class _ZeroconfFailed(Exception):
    """The library could not start; its own errors have many types."""


class _Browser:
    """Carries names of services from the library's thread into trio."""

    def __init__(self, token: trio.lowlevel.TrioToken, found: trio.MemorySendChannel[str]) -> None:
        self._token = token
        self._found = found
        self.is_open = True

    def changed(self, zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
        """Called by the library, by these parameter names, when an announcement comes or goes."""
        if self.is_open and state_change.name != "Removed":
            try:
                self._token.run_sync_soon(self._offer, name.removesuffix(f".{service_type}"))
            except trio.RunFinishedError:
                self.is_open = False

    def _offer(self, name: str) -> None:
        try:
            if self.is_open and 0 < len(name) <= _NAME_CHARS_MAX:
                self._found.send_nowait(name)
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            log.debug("too many announcements at once; one is skipped")


def _service(library: Any, name: str, addresses: Sequence[str]) -> Any:
    if not 0 < len(name) <= _NAME_CHARS_MAX:
        raise ValueError(f"a service name has 1 to {_NAME_CHARS_MAX} characters")
    parsed = [parse_address(text) for text in addresses]
    if not parsed:
        raise ValueError("there is no address to announce")
    hosts = {ipaddress.ip_address(a.host) for a in parsed if a.port == parsed[0].port}
    return library.ServiceInfo(
        SERVICE_TYPE,
        f"{name}.{SERVICE_TYPE}",
        addresses=[host.packed for host in sorted(hosts, key=str)],
        port=parsed[0].port,
        properties={"p": parsed[0].peer_id or ""},
        server=f"{name}.local.",
    )


def _addresses_of(info: Any) -> list[str]:
    peer_id = (info.properties.get(b"p") or b"").decode("ascii", errors="replace")
    found = []
    for host in info.parsed_addresses()[:_ADDRESSES_PER_NODE_MAX]:
        kind = f"ip{ipaddress.ip_address(host.partition('%')[0]).version}"
        text = f"/{kind}/{host}/tcp/{info.port}/p2p/{peer_id}"
        try:
            found.append(str(parse_address(text)))
        except ValueError:
            continue
        except Exception as wrong:  # noqa: BLE001  (AddressError and whatever strangers provoke)
            log.debug("an announced address is unusable: %r", wrong)
    return found
