"""The daemon as a process: init, run, stop."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Command, data_dir, run_hint
from p2pvalue_cli.failures import Failed, failed
from p2pvalue_cli.output import one_line, say, show

STOP_S_MAX = 2.5
POLL_S = 0.02
LEVELS = ("debug", "info", "warning", "error")


@click.command(cls=Command, example="p2pvalue init --name Ana")
@click.option("--name", help="What others call you; asked for, or your name in this system.")
def init(name: str | None) -> None:
    """Make the data folder: your keys, and a file of settings to look at."""
    folder = data_dir()
    if _is_initialised(folder):
        raise Failed(
            f"{folder} is in use already. Change your name with: {run_hint('profile set NAME')}",
            name="not-possible",
        )
    if name is None:
        name = _system_name()
        if sys.stdin.isatty():
            name = click.prompt("What do others call you?", default=name)
    _initialise(folder, name)
    show(
        {"data_dir": str(folder), "name": name},
        lambda _: say(f"{one_line(name)} lives in {folder}. Now: {run_hint('run')}"),
    )


@click.command(cls=Command, example="p2pvalue run")
@click.option("--log-level", type=click.Choice(LEVELS), help="How much is told; see config.toml.")
@click.option("--debug", is_flag=True, help="Tell everything, with traces of errors.")
def run(log_level: str | None, debug: bool) -> None:
    """Run the daemon until Ctrl-C; makes the data folder first if there is none."""
    import gc

    gc.disable()  # nothing dies while modules load; the daemon turns it on when it is ready

    from p2pvalue import config

    folder = data_dir()
    if not _is_initialised(folder):
        name = _system_name()
        _initialise(folder, name)
        hint = run_hint("profile set NAME")
        click.echo(f"made {folder} for {name}; change the name with: {hint}", err=True)
    settings = config.load(folder)

    import trio

    from p2pvalue import daemon
    from p2pvalue.node import open_node

    level = "debug" if debug else log_level or settings.log_level
    daemon.log_to_stderr(level, with_traces=debug)
    try:
        trio.run(daemon.run, settings, open_node)
    except Exception as error:  # the log has it; the person gets a sentence
        raise Failed(daemon.tell_fault(error)) from error


@click.command(cls=Command, example="p2pvalue stop")
def stop() -> None:
    """Stop the daemon, and wait until it is gone."""
    from p2pvalue.folder import holder

    folder = data_dir()
    process = holder(folder)
    if process is None:
        raise failed("no-daemon", f"no daemon is running on {folder}")
    try:
        connection.post("/stop")
    except Failed:
        # It does not answer, as when it is just starting: then the signal means the same.
        if process:
            os.kill(process, signal.SIGTERM)
    until = time.monotonic() + STOP_S_MAX
    while holder(folder) is not None:
        if time.monotonic() > until:
            raise Failed(f"process {process} has not ended; end it with: kill -9 {process}")
        time.sleep(POLL_S)
    show({"stopped": process}, lambda _: say("stopped"))


def _is_initialised(folder: Path) -> bool:
    from p2pvalue.keystore import FILE_NAME

    return (folder / FILE_NAME).exists()


def _initialise(folder: Path, name: str) -> None:
    from p2pvalue import config, keystore
    from p2pvalue.folder import locked, make_private

    config.socket_path(folder)  # raises now, not when the keys are made and `run` fails
    make_private(folder)
    with locked(folder):
        keystore.Keystore.create(folder, name)
        config.write_default(folder, config.new_listen())


def _system_name() -> str:
    """The person's full name in this system, or the user's."""
    import getpass
    import pwd

    try:
        full = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0].strip()
    except KeyError:
        full = ""
    return full or getpass.getuser()
