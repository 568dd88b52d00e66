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

from p2pvalue.network.addresses import Address, AddressError, parse_address

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

        `names` are blinded by the caller, 1 to 63 characters each; `addresses` are ours with their
        peer id, and without any we only look. `task_status.started()` is called when this began or
        failed; then `run` returns.
        """
        send, receive = trio.open_memory_channel[str](_FOUND_WAITING_MAX)
        browser = _Browser(trio.lowlevel.current_trio_token(), send)
        self._state = "starting"
        reachable = _announceable(addresses)
        announced = sorted(names) if reachable else []
        try:
            zeroconf = await trio.to_thread.run_sync(self._open, announced, reachable, browser)
        except Exception as failed:  # noqa: BLE001  (the library and the system fail in many ways)
            self._state = f"failed: {str(failed) or type(failed).__name__}"[:200]
            log.info("finding nodes on the local network %s", self._state)
            task_status.started()
            return
        self._state, self._announced = "on", announced
        task_status.started()
        try:
            async for name in receive:
                if name not in names:
                    await self._resolve(zeroconf, name)
        finally:
            self._state, self._announced = "off", []
            browser.is_open = False
            with trio.CancelScope(shield=True, deadline=trio.current_time() + _CLOSE_S):
                await trio.to_thread.run_sync(zeroconf.close, abandon_on_cancel=True)

    def _open(self, names: list[str], reachable: list[Address], browser: _Browser) -> Any:
        """Start python-zeroconf; runs in a thread because it blocks."""
        import zeroconf as library  # noqa: PLC0415  (0.2 s, and only where discovery is on)

        every = library.InterfaceChoice.All
        zeroconf = library.Zeroconf(interfaces=self._interfaces or every)
        try:
            for name in names:
                zeroconf.register_service(_service(library, name, reachable))
            library.ServiceBrowser(zeroconf, SERVICE_TYPE, handlers=[browser.changed])
        except BaseException:  # a cancellation, too
            zeroconf.close()
            raise
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
            except Exception:  # who listens has a defect; others are still to be found
                log.exception("the handler failed on a node found on the local network")


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


def _service(library: Any, name: str, addresses: Sequence[Address]) -> Any:
    return library.ServiceInfo(
        SERVICE_TYPE,
        f"{name}.{SERVICE_TYPE}",
        addresses=[ipaddress.ip_address(address.host).packed for address in addresses],
        port=addresses[0].port,
        properties={"p": addresses[0].peer_id or ""},
        server=f"{name}.local.",
    )


def _announceable(addresses: Sequence[str]) -> list[Address]:
    """Return the addresses of one port that others can reach; loopback if there is no other."""
    parsed = [parse_address(text) for text in addresses]
    outside = [a for a in parsed if not ipaddress.ip_address(a.host).is_loopback]
    usable = outside or parsed
    return [a for a in usable if a.port == usable[0].port]


def _addresses_of(info: Any) -> list[str]:
    peer_id = (info.properties.get(b"p") or b"").decode("ascii", errors="replace")
    found = []
    for host in info.parsed_addresses()[:_ADDRESSES_PER_NODE_MAX]:
        kind = "ip6" if ":" in host else "ip4"
        try:
            found.append(str(parse_address(f"/{kind}/{host}/tcp/{info.port}/p2p/{peer_id}")))
        except AddressError as wrong:
            log.debug("an announced address is unusable: %s", wrong)
    return found
