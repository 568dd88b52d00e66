"""The daemon as a process: one for each folder, and a clean end."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path

import pytest

from p2pvalue.daemon import STOP_S_MAX, _OneLine
from p2pvalue.folder import holder, locked, make_private
from p2pvalue_protocol.errors import ConfigError
from tests.api.conversation import Caller, ask
from tests.api.daemons import fake_daemon, started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with fake_daemon(tmp_path) as daemon:
        assert holder(tmp_path) == daemon.process.pid
        daemon.process.send_signal(number)
        assert daemon.wait() == 0
        assert "Traceback" not in daemon.log
    assert holder(tmp_path) is None
    assert not (tmp_path / "api.sock").exists()


async def test_it_ends_although_a_caller_listens(tmp_path: Path) -> None:
    with fake_daemon(tmp_path) as daemon:
        async with Caller(tmp_path / "api.sock") as caller:
            await caller.send("GET", "/events")
            assert await caller.status() == 200
            assert daemon.interrupt() == 0
            assert "cut off" not in daemon.log


def test_a_second_daemon_on_the_folder_is_refused_with_the_reason(tmp_path: Path) -> None:
    with fake_daemon(tmp_path) as first:
        with started("-m", "tests.api.fake_daemon", str(tmp_path)) as second:
            assert second.wait() == 1
        assert f"already running on {tmp_path} as process {first.process.pid}" in second.log
        assert "stop" in second.log
        assert first.process.poll() is None


async def test_after_a_kill_the_next_one_starts(tmp_path: Path) -> None:
    with fake_daemon(tmp_path) as daemon:
        daemon.process.kill()
        daemon.wait()
    assert (tmp_path / "api.sock").exists()
    assert holder(tmp_path) is None
    with fake_daemon(tmp_path):
        assert (await ask(tmp_path / "api.sock", "GET", "/status"))[0] == 200


STUCK = """
import contextlib, sys, trio
from pathlib import Path
from p2pvalue import config, daemon
from p2pvalue.keystore import Keystore
from tests.api.fake_node import FakeNode

@contextlib.asynccontextmanager
async def open_stuck(data_dir, settings, *, keystore):
    yield FakeNode(data_dir)
    with trio.CancelScope(shield=True):
        await trio.sleep_forever()

daemon.log_to_stderr("info")
folder = Path(sys.argv[1])
Keystore.create(folder, "Ana")
trio.run(daemon.run, config.load(folder), open_stuck)
"""


def test_a_node_that_does_not_end_is_cut_off(tmp_path: Path) -> None:
    with started("-c", STUCK, str(tmp_path)) as daemon:
        daemon.wait_until_ready()
        assert daemon.interrupt() == 0
    assert f"not everything ended within {STOP_S_MAX}" in daemon.log


def test_the_folder_is_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        make_private(tmp_path / "data")


def test_a_lock_is_given_back(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(ConfigError, match="already running"), locked(tmp_path):
        pass
    assert holder(tmp_path) is None
    with locked(tmp_path):
        assert holder(tmp_path) is not None


def record(message: str, *, with_error: bool) -> logging.LogRecord:
    try:
        raise ValueError("inside")
    except ValueError:
        trace = sys.exc_info() if with_error else None
    return logging.LogRecord("p2pvalue.api", logging.ERROR, "", 1, message, (), trace)


def test_a_log_line_is_one_line_and_a_trace_comes_only_when_asked_for() -> None:
    plain = _OneLine(with_traces=False)
    assert plain.format(record("two\nlines", with_error=False)).endswith("error   api: two lines")
    assert "\n" not in plain.format(record("it\nfailed", with_error=True))
    assert "Traceback" in _OneLine(with_traces=True).format(record("it failed", with_error=True))
