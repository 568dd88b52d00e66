"""The data folder as a whole: backup, restore, verify, rebuild."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from p2pvalue_cli.command import Command, data_dir, run_hint
from p2pvalue_cli.commands.daemon import chosen_name
from p2pvalue_cli.failures import FAILED
from p2pvalue_cli.output import checks, say, show
from p2pvalue_cli.progress import with_progress
from p2pvalue_cli.secret_input import (
    chosen_seal,
    given_words,
    passphrase_file_option,
    protect_option,
    words_file_option,
)

if TYPE_CHECKING:
    from p2pvalue.types import Protection


@click.command(cls=Command, example="p2pvalue backup /media/usb/garden.backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the database to a new FILE that your 24 words open; your keys are never in it."""
    found = with_progress("/backup", target=str(file.absolute()))
    show(found, lambda _: say(f"written to {file}"))


@click.command(cls=Command, example="p2pvalue --data-dir ~/restored restore garden.backup")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="What others call you; asked for, or your name in this system.")
@protect_option
@passphrase_file_option
@words_file_option
def restore(
    file: Path,
    name: str | None,
    protect: Protection | None,
    passphrase_file: str | None,
    words_file: str | None,
) -> None:
    """Make a new data folder from a backup FILE and your 24 words.

    It becomes a new device: it has everything to read, and may write once it was let in again.
    """
    # Imported late and here alone: a restore works on the files, without a daemon.
    from p2pvalue.config import new_listen, write_default
    from p2pvalue.folder import locked, make_private
    from p2pvalue.node import backup as node_backup
    from p2pvalue.words import entropy_of

    folder = data_dir()
    entropy = entropy_of(given_words(words_file))
    name = chosen_name(name)
    seal = chosen_seal(protect, passphrase_file)
    make_private(folder)
    with locked(folder):
        node_backup.restore(file, folder, name, entropy, seal=seal)
        write_default(folder, new_listen())
    show(
        {"data_dir": str(folder)},
        lambda _: say(
            f"restored to {folder}; start it with: {run_hint('run')}, and to write again: "
            f"{run_hint('community recover LINK')}"
        ),
    )


@click.command(cls=Command, example="p2pvalue verify")
@click.pass_context
def verify(context: click.Context) -> None:
    """Check every stored operation: hashes, chains, signatures."""
    _report(context, with_progress("/verify"))


@click.command(cls=Command, example="p2pvalue rebuild")
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Derive every view again from the operations."""
    _report(context, with_progress("/rebuild"))


def _report(context: click.Context, found: list[dict[str, Any]]) -> None:
    show(found, checks)
    if not all(check["is_ok"] for check in found):
        context.exit(FAILED)
