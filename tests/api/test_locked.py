"""A daemon whose keys are under a passphrase: what it says, what it takes, and who may guess."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from p2pvalue.api import application, serve
from p2pvalue.api.endpoints import ENDPOINTS
from p2pvalue.api.schema import CreateCommunity, JoinCommunity, Protect, Unlock, Words
from p2pvalue.keyfile import Cost, seal_with_passphrase
from p2pvalue.keystore import FILE_NAME, Keystore
from tests.api.conversation import ask
from tests.api.daemons import Daemon, fake_daemon, started
from tests.api.fake_node import FakeNode
from tests.patience import WAIT_S

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
PASSPHRASE = "a passphrase like no other"


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def with_keys(folder: Path) -> Path:
    Keystore.create(folder, "Ana", seal=seal_with_passphrase(PASSPHRASE, os.urandom, CHEAP))
    return folder


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with fake_daemon(with_keys(tmp_path)) as running:
        yield running


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a locked daemon answers that no test opens."""
    folder = with_keys(tmp_path_factory.mktemp("closed"))
    with fake_daemon(folder) as running:
        yield folder / "api.sock"
        assert running.interrupt() == 0
        assert "locked" in running.log
        assert "Traceback" not in running.log


@pytest.fixture
def socket(daemon: Daemon, tmp_path: Path) -> Path:
    """Where the locked daemon answers."""
    return tmp_path / "api.sock"


async def test_it_says_that_it_is_locked_and_what_it_waits_for(closed: Path) -> None:
    status, view = await ask(closed, "GET", "/status")
    assert (status, view["state"], view["protection"]) == (200, "locked", "passphrase")
    assert "p2pvalue unlock" in view["waiting_for"]


async def test_whatever_else_is_asked_it_says_the_same(closed: Path) -> None:
    asked = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]
    asked += [("GET", "/"), ("GET", "/nowhere"), ("POST", "/lock"), ("DELETE", "/messages")]
    for method, path in asked:
        if path == "/status":
            continue
        status, failure = await ask(closed, method, path.replace("{", "").replace("}", ""))
        assert (status, failure["error"]) == (423, "locked"), path
        assert "p2pvalue unlock" in failure["message"]


async def test_the_right_passphrase_opens_it(socket: Path, daemon: Daemon, tmp_path: Path) -> None:
    before = (tmp_path / FILE_NAME).read_bytes()
    for wrong in ("", "another", PASSPHRASE + " ", "x" * 5_000):
        status, failure = await ask(socket, "POST", "/unlock", body(passphrase=wrong))
        assert (status, failure["error"]) in ((403, "wrong-passphrase"), (400, "unusable-setting"))
    assert (await ask(socket, "GET", "/status"))[1]["state"] == "locked"
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert (await ask(socket, "POST", "/unlock", body(passphrase=PASSPHRASE)))[0] == 200
    assert (await ask(socket, "GET", "/status"))[1]["state"] == "running"
    assert (await ask(socket, "POST", "/communities", body(name="Garden")))[0] == 200
    assert daemon.interrupt() == 0
    assert "unlocked" in daemon.log
    assert PASSPHRASE not in daemon.log


async def test_many_who_guess_at_once_wait_for_each_other(socket: Path) -> None:
    outcomes: dict[str, int] = {}

    async def guess(passphrase: str) -> None:
        outcomes[passphrase] = (await ask(socket, "POST", "/unlock", body(passphrase=passphrase)))[
            0
        ]

    async with trio.open_nursery() as nursery:
        for passphrase in [f"guess {number}" for number in range(8)] + [PASSPHRASE]:
            nursery.start_soon(guess, passphrase)
    assert outcomes.pop(PASSPHRASE) == 200
    # Who came after the right one found the door open.
    assert set(outcomes.values()) <= {403, 200}
    assert (await ask(socket, "GET", "/status"))[1]["state"] == "running"


async def test_it_can_be_stopped_without_being_opened(socket: Path, daemon: Daemon) -> None:
    assert (await ask(socket, "POST", "/stop"))[0] == 200
    assert daemon.wait() == 0
    assert "Traceback" not in daemon.log


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", body(), body(passphrase=7), body(pass_=1)])
async def test_what_is_no_passphrase_is_refused_and_changes_nothing(
    closed: Path, sent: bytes
) -> None:
    assert (await ask(closed, "POST", "/unlock", sent))[0] == 400
    assert (await ask(closed, "GET", "/status"))[1]["state"] == "locked"


async def test_a_web_page_cannot_guess(closed: Path) -> None:
    headers = {"Origin": "https://example.org"}
    sent = body(passphrase=PASSPHRASE)
    assert (await ask(closed, "POST", "/unlock", sent, headers=headers))[0] == 403
    assert (await ask(closed, "POST", "/unlock", sent, host="example.org"))[0] == 403
    assert (await ask(closed, "GET", "/status"))[1]["state"] == "locked"


async def test_only_keys_under_a_passphrase_can_be_locked(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    node, locking = FakeNode(), trio.Event()
    path = tmp_path / "api.sock"
    await nursery.start(serve, application(node, lock=locking.set), path)
    status, failure = await ask(path, "POST", "/lock")
    assert (status, failure["error"]) == (409, "not-possible")
    assert not locking.is_set()
    await node.keys.protect("passphrase", passphrase=PASSPHRASE)
    assert (await ask(path, "POST", "/lock"))[0] == 200
    with trio.fail_after(WAIT_S):
        await locking.wait()


STUCK = """
import contextlib, os, sys, trio
from functools import partial
from pathlib import Path
from p2pvalue import config, daemon
from tests.api.fake_node import FakeNode

@contextlib.asynccontextmanager
async def open_stuck(data_dir, settings, *, keystore):
    node = FakeNode(data_dir)
    await node.keys.protect("passphrase", passphrase="any")
    yield node
    with trio.CancelScope(shield=True):
        await trio.sleep_forever()

daemon.log_to_stderr("info")
begin = partial(
    daemon.run, ask_passphrase=lambda: sys.argv[2], begin_again=lambda: os._exit(7)
)
trio.run(begin, config.load(Path(sys.argv[1])), open_stuck)
"""


async def test_a_node_that_does_not_end_is_cut_off_when_it_is_to_be_locked(tmp_path: Path) -> None:
    with started("-c", STUCK, str(with_keys(tmp_path)), PASSPHRASE) as daemon:
        daemon.wait_until_ready()
        assert (await ask(tmp_path / "api.sock", "POST", "/lock"))[0] == 200
        assert daemon.wait() == 7, "it has begun again"
    assert "not everything ended" in daemon.log


@pytest.mark.parametrize(
    "question",
    [
        Unlock(passphrase=PASSPHRASE),
        Protect(protection="passphrase", passphrase=PASSPHRASE, passphrase_before=PASSPHRASE),
        CreateCommunity(name="Garden", words=PASSPHRASE),
        JoinCommunity(link="p2pvalue:1#", words=PASSPHRASE),
        Words(words=[PASSPHRASE]),
    ],
    ids=lambda question: type(question).__name__,
)
def test_a_printed_question_shows_no_secret(question: msgspec.Struct) -> None:
    assert PASSPHRASE not in f"{question} {question!r}"
