"""The daemon as a process: init, run, stop."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Command, as_json, data_dir, run_hint
from p2pvalue_cli.failures import Failed, failed
from p2pvalue_cli.output import one_line, say, show
from p2pvalue_cli.secret_input import (
    chosen_seal,
    given_passphrase,
    given_words,
    is_person_there,
    key_failures_named,
    passphrase_file_option,
    protect_option,
    show_words,
    typed_passphrase,
    words_file_option,
)

if TYPE_CHECKING:
    from p2pvalue.keyfile import Seal
    from p2pvalue.keystore import Keystore
    from p2pvalue.types import Protection

STOP_S_MAX = 2.5
POLL_S = 0.02
LEVELS = ("debug", "info", "warning", "error")


@click.command(cls=Command, example="p2pvalue init --name Ana")
@click.option("--name", help="What others call you; asked for, or your name in this system.")
@protect_option
@passphrase_file_option
@click.option("--recover", is_flag=True, help="You have 24 words already: be the same person here.")
@words_file_option
@click.option("--linked", is_flag=True, help="You have another device: p2pvalue device link next.")
def init(
    name: str | None,
    protect: Protection | None,
    passphrase_file: str | None,
    recover: bool,
    words_file: str | None,
    linked: bool,
) -> None:
    """Make the data folder: your keys, the 24 words that stand for you, and a file of settings."""
    folder = data_dir()
    if _is_initialised(folder):
        raise Failed(
            f"{folder} is in use already. Change your name with: {run_hint('profile set NAME')}",
            name="not-possible",
        )
    if words_file is not None and not recover:
        raise click.UsageError("--words-file goes with --recover")
    if linked and recover:
        raise click.UsageError("--linked needs no words, and --recover nothing but them: choose")
    name = chosen_name(name, is_asking=not linked)
    entropy: bytes | Literal["new"] | None = None if linked else "new"
    if recover:
        from p2pvalue.words import entropy_of

        entropy = entropy_of(given_words(words_file))
    keystore = _initialise(folder, name, entropy, chosen_seal(protect, passphrase_file))
    answer: dict[str, Any] = {
        "data_dir": str(folder),
        "name": name,
        "protection": keystore.protection,
        "is_linked": linked,
    }
    if not keystore.are_words_shown and (as_json() or sys.stdout.isatty()):
        from p2pvalue.words import words_of

        assert keystore.entropy is not None
        answer["words"] = words_of(keystore.entropy)
    show(
        answer,
        lambda _: _say_begun(folder, answer, is_open=keystore.is_left_open, is_recovering=recover),
    )
    if "words" in answer:
        keystore.note_words_shown()


@click.command(cls=Command, example="p2pvalue run")
@click.option("--log-level", type=click.Choice(LEVELS), help="How much is told; see config.toml.")
@click.option("--debug", is_flag=True, help="Tell everything, with traces of errors.")
@click.option("--locked", is_flag=True, help="Ask for no passphrase: wait for p2pvalue unlock.")
@passphrase_file_option
def run(log_level: str | None, debug: bool, locked: bool, passphrase_file: str | None) -> None:
    """Run the daemon until Ctrl-C; makes the data folder first if there is none.

    Keys under a passphrase that nobody can be asked for leave it locked, until p2pvalue unlock.
    """
    import gc

    gc.disable()  # nothing dies while modules load; the daemon turns it on when it is ready

    from p2pvalue import config

    folder = data_dir()
    if not _is_initialised(folder):
        name = chosen_name(None, is_asking=False)
        _initialise(folder, name, "new", None)
        click.echo(
            f"made {folder} for {name}; change the name with: {run_hint('profile set NAME')}; the "
            f"keys lie open in it, close them with: {run_hint('passphrase change')}; write down "
            f"the 24 words that stand for you: {run_hint('words show')}",
            err=True,
        )
    settings = config.load(folder)

    import trio

    from p2pvalue import daemon
    from p2pvalue.node import open_node

    level = "debug" if debug else log_level or settings.log_level
    daemon.log_to_stderr(level, with_traces=debug)
    again = partial(_begin_again, folder, log_level, debug)
    # Asked for only when it is needed, so that nobody but the one who needs it holds it.
    ask = partial(_passphrase_to_open, passphrase_file) if not locked else lambda: None
    begin = partial(daemon.run, ask_passphrase=ask, begin_again=again)
    try:
        with key_failures_named():
            trio.run(begin, settings, open_node)
    except (Failed, click.Abort):
        raise
    except Exception as error:  # the log has it; the person gets a sentence
        raise Failed(daemon.tell_fault(error)) from error


@click.command(cls=Command, example="p2pvalue stop")
def stop() -> None:
    """Stop the daemon, and wait until it is gone."""
    folder = data_dir()
    process = end_daemon(folder)
    if process is None:
        raise failed("no-daemon", f"no daemon is running on {folder}")
    show({"stopped": process}, lambda _: say("stopped"))


def end_daemon(folder: Path) -> int | None:
    """End the daemon of a folder and wait until it is gone; the number it had, None without one."""
    from p2pvalue.folder import holder

    process = holder(folder)
    if process is None:
        return None
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
    return process


def chosen_name(name: str | None, *, is_asking: bool = True) -> str:
    """What the person is called: as given, asked for, or as this system calls her."""
    if name is not None:
        return name
    name = _system_name()
    if is_asking and is_person_there():
        name = str(click.prompt("What do others call you?", default=name))
    return name


def _say_begun(folder: Path, answer: dict[str, Any], *, is_open: bool, is_recovering: bool) -> None:
    if "words" in answer:
        show_words(answer["words"])
    if answer["is_linked"]:
        say(f"{folder} is made. Now: {run_hint('run')}, and then: {run_hint('device link')}")
        return
    then = run_hint("run")
    if is_recovering:
        then += f", and then: {run_hint('community recover LINK')}"
    hint = f"; its keys lie open, {run_hint('passphrase change')} closes them" if is_open else ""
    say(f"{one_line(answer['name'])} lives in {folder}{hint}. Now: {then}")


def _passphrase_to_open(source: str | None) -> str | None:
    """The passphrase if a file or a person gives it; None leaves the keys locked."""
    given = given_passphrase(source)
    if given is None and is_person_there():
        given = typed_passphrase("Passphrase")
    return given


def _begin_again(folder: Path, log_level: str | None, debug: bool) -> None:
    """Replace this process by one that has never seen the keys: same number, same terminal."""
    words = ["--data-dir", str(folder), "run", "--locked"]
    words += ["--log-level", log_level] if log_level is not None else []
    words += ["--debug"] if debug else []
    os.execv(sys.executable, [sys.executable, "-m", "p2pvalue_cli", *words])


def _is_initialised(folder: Path) -> bool:
    from p2pvalue.keystore import FILE_NAME

    return (folder / FILE_NAME).exists()


def _initialise(
    folder: Path, name: str, entropy: bytes | Literal["new"] | None, seal: Seal | None
) -> Keystore:
    from p2pvalue import config
    from p2pvalue.folder import locked, make_private
    from p2pvalue.keystore import Keystore

    config.socket_path(folder)  # raises now, not when the keys are made and `run` fails
    make_private(folder)
    with locked(folder):
        keystore = Keystore.create(folder, name, entropy=entropy, seal=seal)
        config.write_default(folder, config.new_listen())
    return keystore


def _system_name() -> str:
    """The person's full name in this system, or the user's."""
    import getpass
    import pwd

    try:
        full = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0].strip()
    except KeyError:
        full = ""
    return full or getpass.getuser()
