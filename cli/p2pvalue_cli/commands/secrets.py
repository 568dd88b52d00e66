"""Your keys on this machine: the words, the passphrase, locking, and wiping all of it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Command, Group, as_json, data_dir, run_hint
from p2pvalue_cli.commands.daemon import end_daemon
from p2pvalue_cli.failures import FAILED, Failed
from p2pvalue_cli.output import say, show
from p2pvalue_cli.secret_input import (
    given_passphrase,
    given_words,
    is_person_there,
    new_passphrase,
    passphrase_file_option,
    passphrase_in,
    protect_option,
    show_words,
    typed_passphrase,
    words_file_option,
)

if TYPE_CHECKING:
    from p2pvalue.types import Protection

LOCK_S_MAX = 15.0
POLL_S = 0.05


@click.command(cls=Command, example="p2pvalue unlock")
@passphrase_file_option
def unlock(passphrase_file: str | None) -> None:
    """Open the keys of a locked daemon with your passphrase."""
    if connection.get("/status")["state"] == "locked":
        given = given_passphrase(passphrase_file)
        opening = given if given is not None else typed_passphrase("Passphrase")
        connection.post("/unlock", passphrase=opening)
    show({"state": "running"}, lambda _: say("open"))


@click.command(cls=Command, example="p2pvalue lock")
def lock() -> None:
    """Close the keys: the daemon goes on, and serves nobody until it is unlocked."""
    if connection.get("/status")["state"] != "locked":
        connection.post("/lock")
        _until_locked()
    show({"state": "locked"}, lambda _: say(f"locked; open with: {run_hint('unlock')}"))


@click.group(cls=Group)
def passphrase() -> None:
    """What closes your keys on this machine."""


@passphrase.command(example="p2pvalue passphrase change")
@protect_option
@click.option(
    "--new-passphrase-file",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Read the new passphrase from FILE.",
)
@passphrase_file_option
def change(
    protect: Protection | None, new_passphrase_file: str | None, passphrase_file: str | None
) -> None:
    """Close your keys in another way; without options, under a new passphrase."""
    before = after = None
    if connection.get("/status")["protection"] == "passphrase":
        before = given_passphrase(passphrase_file)
        before = before if before is not None else typed_passphrase("The passphrase until now")
    protection = protect or "passphrase"
    if protection == "passphrase":
        after = passphrase_in(new_passphrase_file) if new_passphrase_file else new_passphrase()
    connection.put("/protection", protection=protection, passphrase=after, passphrase_before=before)
    show({"protection": protection}, lambda _: say(f"your keys are closed by: {protection}"))


@click.group(cls=Group)
def words() -> None:
    """The 24 words on paper that stand for you."""


@words.command("show", example="p2pvalue words show")
def show_them() -> None:
    """Show the words, if nobody has seen them yet; then never again."""
    if not sys.stdout.isatty() and not as_json():
        raise Failed("the words are shown on a terminal alone, or to a program with --json")
    show(connection.post("/words"), lambda shown: show_words(shown["words"]))


@words.command(example="p2pvalue words check")
@words_file_option
@click.pass_context
def check(context: click.Context, words_file: str | None) -> None:
    """Tell whether the words on your paper are right; ends with code 1 if they are not yours."""
    found = connection.post("/words/check", words=given_words(words_file))
    show(found, lambda f: say("these are your words" if f["is_hers"] else "these are not yours"))
    if not found["is_hers"]:
        context.exit(FAILED)


@words.command(example="p2pvalue words forget")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(yes: bool) -> None:
    """Remove the words from this machine, so that your paper alone has them.

    All goes on as before; founding or joining a community asks for them from then on.
    """
    if not yes:
        if not is_person_there():
            raise Failed("say --yes, since nobody can be asked here; nothing was removed")
        click.confirm("Do you have the words on paper?", abort=True, err=True)
    connection.post("/words/forget")
    show({"forgotten": True}, lambda _: say("this machine no longer knows your words"))


@click.command(cls=Command, example="p2pvalue wipe")
@click.option("--yes", is_flag=True, help="Do not ask.")
def wipe(yes: bool) -> None:
    """Make all on this machine unreadable: keys first, then data. There is no way back.

    What others hold stays with them. Your 24 words bring you back; on this machine nothing does.
    """
    from p2pvalue.folder import locked
    from p2pvalue.node import wiping

    folder = data_dir()
    if not wiping.is_ours(folder):
        raise Failed(f"{folder} holds no node: nothing was wiped")
    if not yes:
        if not is_person_there():
            raise Failed("say --yes, since nobody can be asked here; nothing was wiped")
        typed = click.prompt(f"This ends the node in {folder}. Type {folder.name}", err=True)
        if typed != folder.name:
            raise Failed("that is another name: nothing was wiped")
    end_daemon(folder)
    done: list[str] = []
    with locked(folder):
        for step in wiping.wipe(folder):
            done.append(step)
            say(step)
    show({"wiped": str(folder), "steps": done}, _nothing)


def _nothing(_: dict[str, Any]) -> None:
    pass


def _until_locked() -> None:
    until = time.monotonic() + LOCK_S_MAX
    while True:
        try:
            if connection.get("/status")["state"] == "locked":
                return
        except Failed:  # between its two lives it does not answer
            pass
        if time.monotonic() > until:
            raise Failed("the daemon does not answer since it was told to lock: look at its log")
        time.sleep(POLL_S)
