"""Files: share them, list, get, take back."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from p2pvalue import sizes
from p2pvalue_cli import connection
from p2pvalue_cli.command import Command, Group, as_json, community_option, data_dir
from p2pvalue_cli.failures import failed
from p2pvalue_cli.output import ago, harmless, is_person_reading, one_line, say, short, show, table
from p2pvalue_cli.progress import finished

STDOUT = Path("-")
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
def blob() -> None:
    """Share files of up to 64 MiB; documents show images that are shared so."""


@blob.command(cls=Command, example="p2pvalue blob add roof.jpg --name 'The roof.jpg'")
@click.argument("file", type=FILE)
@click.option("--name", default="", help="What others see it called; else its own name.")
@community_option
def add(file: Path, name: str, community: str | None) -> None:
    """Share a FILE with the community."""
    source = str(file.expanduser().absolute())
    answer = finished("/blobs", source=source, file=name, community=community)
    show(answer["blob"], _say_shared)


def _say_shared(view: dict[str, Any]) -> None:
    say(
        f"shared {one_line(view['file'])}, {sizes.said(view['bytes'])} (blob {short(view['blob'])})"
    )
    if view["media"].startswith("image/"):
        say(f"in a document: ![{one_line(view['file'])}](blob:{view['blob']})")


@blob.command("list", cls=Command, example="p2pvalue blob list")
@community_option
def list_blobs(community: str | None) -> None:
    """List the files that members share, and which are on this disk."""
    show(connection.get("/blobs", community=community), _write_list)


def _write_list(views: list[dict[str, Any]]) -> None:
    if not views:
        say("no files yet; share one with: p2pvalue blob add FILE")
        return
    rows = [
        (short(v["blob"]), v["file"], sizes.said(v["bytes"]), v["name"], ago(v["time"]), v["state"])
        for v in views
    ]
    table(("BLOB", "FILE", "SIZE", "FROM", "SHARED", "WHERE"), rows)


@blob.command(
    cls=Command,
    example="p2pvalue blob get roof.jpg\np2pvalue blob get roof.jpg ~/pictures\n"
    "p2pvalue blob get plan.txt - | wc",
)
@click.argument("reference", metavar="NAME")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), required=False)
@click.option(
    "--wait", default=70.0, show_default=True, metavar="SECONDS", help="How long without news."
)
@community_option
def get(reference: str, file: Path | None, wait: float, community: str | None) -> None:
    """Write the file called NAME to FILE, a new one; into a folder, or here, under its own name.

    For FILE, - is standard output. What is missing is fetched from members who have it. If that
    ends early, the next time goes on from there.
    """

    def fetch(target: Path) -> dict[str, Any]:
        path = f"/blobs/{connection.quoted(reference)}/get"
        return finished(path, target=str(target), wait_s=wait, community=community)

    if file == STDOUT:
        _write_out(fetch)
        return
    # Only what was typed here may name somebody's home.
    target = Path() if file is None else file.expanduser()
    if target.is_dir():
        target /= _own_name(reference, community)
    target = target.absolute()
    show(fetch(target), lambda done: _say_got(done, target))


def _write_out(fetch: Callable[[Path], object]) -> None:
    if as_json():
        raise click.UsageError("with --json, write the file to a FILE: the answer goes to -")
    if is_person_reading():
        raise click.UsageError("a file may hold what steers a terminal: send it on, or name a FILE")
    # The daemon may write there, and nobody else reads it.
    with TemporaryDirectory(dir=data_dir(), prefix="get-") as folder:
        fetch(Path(folder, "file"))
        with Path(folder, "file").open("rb") as held:
            shutil.copyfileobj(held, sys.stdout.buffer)


def _own_name(reference: str, community: str | None) -> str:
    views = connection.get("/blobs", community=community)
    digits = reference.removeprefix("blob:").lower()
    names = {v["file"] for v in views if v["file"] == reference}
    names = names or {v["file"] for v in views if v["blob"].startswith(digits)}
    if len(names) != 1:
        raise failed("not-found", f"there is no one file {reference!r}: see p2pvalue blob list")
    [name] = names
    # The name is a stranger's: nothing hidden, and nothing that steers a terminal.
    return harmless(str(name)).lstrip(".") or "file"


def _say_got(done: dict[str, Any], target: Path) -> None:
    peers = done["peers"]
    source = "it was here" if not peers else f"from {peers} peer{'s' if peers > 1 else ''}"
    say(f"written to {target} ({source})")


@blob.command(cls=Command, example="p2pvalue blob remove roof.jpg")
@click.argument("reference", metavar="NAME")
@community_option
def remove(reference: str, community: str | None) -> None:
    """Take back a file that you shared; copies that others made of it stay theirs."""
    path = f"/blobs/{connection.quoted(reference)}/remove"
    removed = connection.post(path, community=community)
    show(removed, lambda view: say(f"removed {one_line(view['file'])}"))
