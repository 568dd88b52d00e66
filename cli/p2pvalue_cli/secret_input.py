"""Passphrases and words: from a hidden prompt, a file or standard input, and never from arguments.

What stands in a command line is seen by every user of the machine, and kept by the shell.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from p2pvalue_cli.command import as_json
from p2pvalue_cli.failures import Failed, failed
from p2pvalue_cli.output import say
from p2pvalue_cli.reading import SOURCE, text_from

if TYPE_CHECKING:
    from p2pvalue.keyfile import Seal
    from p2pvalue.types import Protection

PROTECTIONS = ("passphrase", "keyring", "none")
PASSPHRASE_FILE_VARIABLE = "P2PVALUE_PASSPHRASE_FILE"
WITHOUT = """\
Without a passphrase, whoever gets this disk or its backups has your keys, and reads and writes as
you. Choose several words that you can remember. If the whole disk is encrypted, or nobody could
type a passphrase here, begin with --protect none, or with --protect keyring on a desktop."""

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def passphrase_file_option(function: F) -> F:
    """Add `--passphrase-file`; the environment may name one as well."""
    return click.option(
        "--passphrase-file",
        type=SOURCE,
        metavar="FILE",
        help=f"Where the passphrase is; - is standard input; also {PASSPHRASE_FILE_VARIABLE}.",
    )(function)


def protect_option(function: F) -> F:
    """Add `--protect`, the choice of what closes the keys."""
    return click.option(
        "--protect",
        type=click.Choice(PROTECTIONS),
        help="What closes your keys: a passphrase, the desktop's keyring, or none.",
    )(function)


def words_file_option(function: F) -> F:
    """Add `--words-file`."""
    return click.option(
        "--words-file",
        type=SOURCE,
        metavar="FILE",
        help="Read your 24 words from FILE, - for standard input; without it, they are asked for.",
    )(function)


def is_person_there() -> bool:
    """True if somebody at this terminal can be asked: not for a program, nor in the background."""
    try:
        is_in_front = sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
    return is_in_front and not as_json()


def given_passphrase(source: str | None) -> str | None:
    """The passphrase in a file that the command or the environment names; None without one."""
    source = source or os.environ.get(PASSPHRASE_FILE_VARIABLE)
    return passphrase_in(source) if source else None


def passphrase_in(source: str) -> str:
    """The passphrase in a file, or on standard input for `-`; a line's end is no part of it."""
    return text_from(source).removesuffix("\n").removesuffix("\r")


def typed_passphrase(prompt: str) -> str:
    """A passphrase typed at the terminal, without an echo; raises Failed if nobody is there."""
    if not is_person_there():
        raise Failed(
            "nobody can be asked for a passphrase here: give it with --passphrase-file FILE, or - "
            f"for standard input, or name a file in {PASSPHRASE_FILE_VARIABLE}"
        )
    return str(click.prompt(prompt, hide_input=True, err=True, default="", show_default=False))


def new_passphrase() -> str:
    """A passphrase typed twice at the terminal; raises Failed if nobody is there."""
    while True:
        typed = typed_passphrase("A passphrase for your keys")
        if not typed:
            click.echo(WITHOUT, err=True)
        elif typed == typed_passphrase("The same again"):
            return typed
        else:
            click.echo("These were two different ones.", err=True)


def chosen_seal(protect: Protection | None, source: str | None) -> Seal | None:
    """The seal that the person chose; None if nobody chose and nobody can be asked.

    At a terminal a passphrase is asked for, twice. Raises Failed.
    """
    from p2pvalue.node.own_keys import new_seal

    if protect in ("none", "keyring"):
        if source is not None:
            raise click.UsageError(f"--passphrase-file does not go with --protect {protect}")
        return new_seal(protect)
    given = given_passphrase(source)
    if given is None:
        if protect is None and not is_person_there():
            return None
        given = new_passphrase()
    return new_seal("passphrase", given)


def given_words(source: str | None) -> str:
    """24 words from a file, or typed at the terminal without an echo; raises Failed."""
    if source is not None:
        return text_from(source)
    if not is_person_there():
        raise Failed(
            "nobody can be asked for the words here: give them with --words-file FILE, or - for "
            "standard input"
        )
    return str(click.prompt("Your 24 words", hide_input=True, err=True))


def with_words(source: str | None, ask: Callable[[str], T]) -> T:
    """What `ask` answers, with the person's words if the daemon says that it needs them."""
    if source is not None:
        return ask(given_words(source))
    try:
        return ask("")
    except Failed as failure:
        if failure.name != "words-needed" or not is_person_there():
            raise
        say(failure.message)
    return ask(given_words(None))


def show_words(words: list[str]) -> None:
    """Print the 24 words, numbered, with what they are."""
    say("\nThese 24 words are you. Write them down on paper, now: they are shown this once.")
    say("With them you come back when this machine is lost; whoever has them can be you.\n")
    for row in range(6):
        cells = [f"{place + 1:2}. {words[place]}" for place in range(row, 24, 6)]
        click.echo("    " + "".join(cell.ljust(16) for cell in cells).rstrip())
    click.echo()


@contextlib.contextmanager
def key_failures_named() -> Iterator[None]:
    """Give what goes wrong with the key file its name and its exit code."""
    from p2pvalue.keyfile import KeysLocked, WrongPassphrase

    try:
        yield
    except WrongPassphrase as error:
        raise failed("wrong-passphrase", str(error)) from error
    except KeysLocked as error:
        raise failed("locked", str(error)) from error
