"""The daemon as a person starts it, with the real node inside."""

from __future__ import annotations

import shlex
import signal
import socket
import sys
from pathlib import Path

import pytest

from p2pvalue_cli import failures
from tests.api.daemons import started
from tests.cli.conftest import Person

RUN = ("-m", "p2pvalue_cli", "run")
OFFLINE = "[network]\nlisten = []\n"


@pytest.fixture
def ben(tmp_path: Path) -> Person:
    """A person whose node has no network."""
    (tmp_path / "config.toml").write_text(OFFLINE, encoding="utf-8")
    return Person(tmp_path)


def test_one_command_is_enough_to_begin(ben: Person) -> None:
    with started(*RUN, P2PVALUE_DATA_DIR=str(ben.folder)) as daemon:
        daemon.wait_until_ready()
        assert "made" in daemon.log
        assert "profile set" in daemon.log
        ben.sees("community", "create", "Garden")
        ben.sees("chat", "post", "hello")
        assert ben.gets("status")["network"] == "off"
        assert ben.gets("stop") == {"stopped": daemon.process.pid}
        assert daemon.wait() == 0
    with started(*RUN, P2PVALUE_DATA_DIR=str(ben.folder)) as daemon:
        daemon.wait_until_ready()
        assert [m["text"] for m in ben.gets("chat", "list")] == ["hello"]
        assert daemon.interrupt() == 0
        assert "Traceback" not in daemon.log


def test_a_port_that_another_program_has_is_named(tmp_path: Path) -> None:
    ben = Person(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"/ip4/127.0.0.1/tcp/{other.getsockname()[1]}"
        settings = f'[network]\nlisten = ["{address}"]\nlan_discovery = false\n'
        (tmp_path / "config.toml").write_text(settings, encoding="utf-8")
        with started(*RUN, P2PVALUE_DATA_DIR=str(tmp_path)) as daemon:
            daemon.wait_until_told("the network died and starts anew")
            assert "in use" in daemon.log
            assert ben.gets("status")["network"] == "restarting"
            assert "choose another in config.toml" in ben.sees("status")
            assert ben.type("doctor").exit_code == failures.FAILED
            assert daemon.interrupt() == 0


def test_a_community_that_cannot_be_described_is_not_founded(ben: Person) -> None:
    with started(*RUN, P2PVALUE_DATA_DIR=str(ben.folder)) as daemon:
        daemon.wait_until_ready()
        for words in ([""], ["x" * 201], ["Garden", "--description", "x" * 20_000]):
            refused = ben.type("community", "create", *words)
            assert refused.exit_code == failures.FAILED, refused.output
        assert ben.gets("community", "list") == []
        assert daemon.interrupt() == 0


def test_a_kept_text_is_saved_later_without_undoing_what_others_wrote(ben: Person) -> None:
    failing = ben.folder / "editor.py"
    failing.write_text(
        "import sys\nopen(sys.argv[1], 'a', encoding='utf-8').write('mine\\n')\nsys.exit(1)\n",
        encoding="utf-8",
    )
    edit = ("document", "edit", "Minutes")
    with started(*RUN, P2PVALUE_DATA_DIR=str(ben.folder)) as daemon:
        daemon.wait_until_ready()
        ben.sees("community", "create", "Garden")
        ben.sees("document", "create", "Minutes", "--from", "-", stdin="one\ntwo\n")
        said = ben.type(*edit, EDITOR=f"{sys.executable} {failing}").stderr
        ben.sees(*edit, "--from", "-", stdin="theirs\none\ntwo\n")
        advice = said[said.index("p2pvalue document") :].splitlines()[0]
        ben.sees(*shlex.split(advice)[1:])
        assert ben.sees("document", "show", "Minutes") == "theirs\none\ntwo\nmine\n"
        for folder in ("drafts", "draft-bases"):
            assert list((ben.folder / folder).iterdir()) == []
        assert daemon.interrupt() == 0


@pytest.mark.parametrize("is_ignored", [False, True])
def test_a_closed_terminal_stops_the_daemon_unless_it_was_told_to_stay(
    ben: Person, is_ignored: bool
) -> None:
    handler = "SIG_IGN" if is_ignored else "SIG_DFL"  # whatever the tests were started with
    hangup = f"signal.signal(signal.SIGHUP, signal.{handler})"
    program = f"import signal; {hangup}; from p2pvalue_cli.main import cli; cli(['run'])"
    with started("-c", program, P2PVALUE_DATA_DIR=str(ben.folder)) as daemon:
        daemon.wait_until_ready()
        daemon.process.send_signal(signal.SIGHUP)
        if is_ignored:
            assert ben.gets("status")["pid"] == daemon.process.pid
            daemon.process.send_signal(signal.SIGTERM)
        assert daemon.wait() == 0
        assert "stopped" in daemon.log


def test_a_second_daemon_says_which_process_is_in_the_way(ben: Person) -> None:
    with started(*RUN, P2PVALUE_DATA_DIR=str(ben.folder)) as first:
        first.wait_until_ready()
        with started(*RUN, P2PVALUE_DATA_DIR=str(ben.folder)) as second:
            assert second.wait() == failures.FAILED
        assert f"as process {first.process.pid}" in second.log
        assert "Traceback" not in second.log
        assert first.interrupt() == 0


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("config.toml", '[log]\nlevel = "loud"\n', "log.level must be one of"),
        ("keys.json", "{", "keys.json"),
        ("p2pvalue.db", "not a database at all, but long enough to look at " * 50, "p2pvalue.db"),
    ],
)
def test_what_stands_in_the_way_is_one_sentence(
    ben: Person, name: str, text: str, told: str
) -> None:
    ben.sees("init", "--name", "Ben")
    path = ben.folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with started(*RUN, P2PVALUE_DATA_DIR=str(ben.folder)) as daemon:
        assert daemon.wait() == failures.FAILED
    assert told in daemon.log
    assert "Error: " in daemon.log
    assert "Traceback" not in daemon.log


FAULTY = """
import contextlib, p2pvalue.node
from p2pvalue_cli.main import cli

@contextlib.asynccontextmanager
async def open_faulty(data_dir, settings, *, keystore):
    raise AssertionError("an invariant is broken")
    yield

p2pvalue.node.open_node = open_faulty
cli(["run", {debug}])
"""


@pytest.mark.parametrize(("debug", "has_trace"), [("", False), ("'--debug'", True)])
def test_our_own_fault_is_logged_and_traced_only_when_asked(
    ben: Person, debug: str, has_trace: bool
) -> None:
    program = FAULTY.replace("{debug}", debug)
    with started("-c", program, P2PVALUE_DATA_DIR=str(ben.folder)) as daemon:
        assert daemon.wait() == failures.FAILED
    assert "an invariant is broken" in daemon.log
    assert ("Traceback" in daemon.log) is has_trace
    assert "what it had answered is safe" in daemon.log
