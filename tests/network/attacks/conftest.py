"""A node in a real process, shared by all attacks, and honest peers to see if it still serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import trio

from p2pvalue.network import JOIN_PROTOCOL, SYNC_PROTOCOL, Libp2pNetwork, Link, Timeouts
from tests.network.recorder import Recorder, echo
from tests.patience import WAIT_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]
TOPIC = "a-topic"
SERVE = ROOT / "tests" / "network" / "serve.py"
# Short enough to wait for, long enough for honest peers on a machine that is busy with other tests.
SHORT_TIMEOUTS = {
    "upgrade_s": 3.0,
    "negotiate_s": 2.0,
    "admission_s": 2.0,
    "stall_s": 2.0,
    "ping_interval_s": 0.3,
    "ping_answer_s": 10.0,
    "restart_min_s": 0.05,
}


class Server:
    """A serving process; its address is waited for when it is first asked for."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    @cached_property
    def address(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server did not start"
        return str(json.loads(line)[0])


@contextmanager
def serving(**settings: Any) -> Iterator[Server]:
    """Run `serve.py`; it is killed at the end."""
    settings.setdefault("timeouts", SHORT_TIMEOUTS)
    process = subprocess.Popen(
        [sys.executable, str(SERVE), json.dumps(settings)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield Server(process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as served:
        yield served


class Honest:
    """A well-behaved peer of the server: echoes, and a control link."""

    def __init__(self, network: Libp2pNetwork, recorder: Recorder, server_id: str) -> None:
        self.network = network
        self.recorder = recorder
        self.server_id = server_id

    async def is_served(self) -> None:
        """Return if a new link answers."""
        link = await self.network.open_link(self.server_id, SYNC_PROTOCOL)
        assert await echo(link) == b"are you there"
        await link.close()

    async def ask(self, do: str, **arguments: Any) -> Any:
        """Return the server's answer to a command."""
        link: Link = await self.network.open_link(self.server_id, JOIN_PROTOCOL)
        answer = await echo(link, json.dumps({"do": do, **arguments}).encode())
        await link.close()
        return json.loads(answer)

    async def speaks_gossip(self) -> None:
        """Return when a message of this peer was heard by the server."""
        await self.ask("subscribe", topic=TOPIC)
        self.network.subscribe(TOPIC)
        self.network.admit_to_gossip(self.server_id, [TOPIC])
        await self.ask("admit")
        with trio.fail_after(WAIT_S):
            number = 0
            while not any(h[2] == self.network.peer_id for h in await self.ask("heard")):
                number += 1
                self.network.publish(TOPIC, f"{number} of {self.network.peer_id}".encode())

    async def tell(self, do: str) -> None:
        """Send a command that nobody may be left to answer."""
        link: Link = await self.network.open_link(self.server_id, JOIN_PROTOCOL)
        await link.send(json.dumps({"do": do}).encode())

    async def ask_until(self, is_so: Callable[[Any], bool], do: str = "status") -> Any:
        """Ask again and again until the answer is as wanted; fails after a long while."""
        with trio.fail_after(WAIT_S):
            while not is_so(answer := await self.ask(do)):
                await trio.lowlevel.checkpoint()
        return answer


class Visit(Protocol):
    def __call__(self, address: str | None = None) -> Any: ...


@pytest.fixture
def visit(server: Server) -> Visit:
    """Make a fresh honest peer that is connected to the server, under a key never used before."""

    @asynccontextmanager
    async def visiting(address: str | None = None) -> AsyncIterator[Honest]:
        recorder = Recorder()
        network = Libp2pNetwork(os.urandom(32), [], timeouts=Timeouts())
        async with trio.open_nursery() as nursery:
            await nursery.start(network.run, recorder)
            server_id = await network.connect([address or server.address])
            yield Honest(network, recorder, server_id)
            nursery.cancel_scope.cancel()

    return visiting
