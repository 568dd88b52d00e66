"""What every test gets: a printed seed for randomness, and no way to the internet."""

from __future__ import annotations

import ipaddress
import random
import signal
import sys

import pytest
from hypothesis import settings

from tests.patience import LONGEST_FIRST
from tests.seeds import drawn_seed

# A slow machine is no failure, and what failed once is printed so that it can be repeated.
settings.register_profile("p2pvalue", deadline=None, print_blob=True)
settings.load_profile("p2pvalue")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A number of the test's own that decides its randomness; shown when it fails is its origin."""
    return drawn_seed(request.node.nodeid)


@pytest.fixture
def rng(seed: int) -> random.Random:
    """A random source made from `seed`."""
    return random.Random(seed)


def _refuse_internet(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a unix socket has a path
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if isinstance(host, str) and not _is_local(host):
        raise AssertionError(f"a test reached for {host}: tests talk to loopback only")


def _is_local(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_multicast or address.is_unspecified


sys.addaudithook(_refuse_internet)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest; `testpaths` cannot say so, since it names all of `tests`."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    turns = enumerate(LONGEST_FIRST)
    return next((n for n, at in turns if item.nodeid.startswith(at)), len(LONGEST_FIRST))


# A shell lets what it starts in the background ignore Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
