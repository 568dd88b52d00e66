"""Places of a network that exists on this machine only, each a network namespace of its own.

A place has one network card, a TUN device: what a process there sends can be read as whole IP
packets from a file, and what is written to that file arrives there. `router.py` carries packets
between places. A namespace has no name and no other card, so no packet can leave the machine, and
the kernel takes everything away when the last process and file are gone, however they end.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Self

NETWORK = "10.99"
NETMASK = "255.255.0.0"
MTU_BYTES = 1400
PLACES_MAX = 250

_TUN_DEVICE = Path("/dev/net/tun")
_THIS_THREADS_NAMESPACE = Path("/proc/thread-self/ns/net")
_CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")
# linux/sched.h, linux/if_tun.h, linux/sockios.h, linux/if.h
_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFMTU = 0x8914, 0x8916, 0x891C, 0x8922
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_CARD = b"wire"


def why_not() -> str | None:
    """Return why this machine gives us no network of our own, or None when it does."""
    if os.geteuid() != 0:
        return "needs root: network namespaces and TUN devices are made with CAP_NET_ADMIN"
    if not _TUN_DEVICE.exists():
        return f"needs {_TUN_DEVICE}, which is missing here: try `modprobe tun`"
    try:
        with Place(1):
            return None
    except OSError as error:
        return f"needs a network namespace with a TUN device, and making one failed: {error}"


def address_of(number: int) -> str:
    """Return the IPv4 address of a place, 1 to PLACES_MAX."""
    return f"{NETWORK}.0.{number}"


class Place:
    """One place; `packets` is the file of its network card, not blocking."""

    def __init__(self, number: int) -> None:
        if not 1 <= number <= PLACES_MAX:
            raise ValueError(f"a place has a number from 1 to {PLACES_MAX}, not {number}")
        self.number = number
        self.address = address_of(number)
        self._namespace = -1
        self.packets = -1
        try:
            with _back_home():
                _checked(_libc.unshare(_CLONE_NEWNET))
                self._namespace = os.open(_THIS_THREADS_NAMESPACE, os.O_RDONLY)
                self.packets = _new_card()
                _configure(self.address)
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Be there: a process started inside this block lives at this place."""
        with _back_home():
            _checked(_libc.setns(self._namespace, _CLONE_NEWNET))
            yield

    def close(self) -> None:
        """Give the place up; processes still there keep it without a network."""
        for fd in (self.packets, self._namespace):
            if fd >= 0:
                os.close(fd)
        self.packets = self._namespace = -1


_libc = ctypes.CDLL(None, use_errno=True)  # os.setns came with Python 3.12


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextlib.contextmanager
def _back_home() -> Iterator[None]:
    """Let this thread, and no other, end where it began."""
    home = os.open(_THIS_THREADS_NAMESPACE, os.O_RDONLY)
    try:
        yield
    finally:
        _checked(_libc.setns(home, _CLONE_NEWNET))
        os.close(home)


def _new_card() -> int:
    fd = os.open(_TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", _CARD, _IFF_TUN | _IFF_NO_PI))
    return fd


def _configure(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:

        def set_up(card: bytes, request: int, value: bytes) -> None:
            fcntl.ioctl(control, request, struct.pack("16s24s", card, value))

        set_up(_CARD, _SIOCSIFADDR, _socket_address(address))
        set_up(_CARD, _SIOCSIFNETMASK, _socket_address(NETMASK))
        set_up(_CARD, _SIOCSIFMTU, struct.pack("i", MTU_BYTES))
        for card in (_CARD, b"lo"):
            set_up(card, _SIOCSIFFLAGS, struct.pack("H", _IFF_UP | _IFF_RUNNING))
    # What most people's machines have; a server's choice would hide what loss costs.
    with contextlib.suppress(OSError):
        _CONGESTION_CONTROL.write_text("cubic")


def _socket_address(address: str) -> bytes:
    return struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(address))
