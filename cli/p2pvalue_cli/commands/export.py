"""Everything that can be read here, as files."""

from __future__ import annotations

from pathlib import Path

import click

from p2pvalue_cli.command import Command, community_option
from p2pvalue_cli.output import say, show
from p2pvalue_cli.progress import with_progress


@click.command(cls=Command, example="p2pvalue export ~/garden")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace files of an earlier export.")
@community_option
def export(folder: Path, force: bool, community: str | None) -> None:
    """Write all that you can read in a community to files in FOLDER.

    Documents and chats as Markdown, needs, pledges and members also as JSON, and the signed
    operations in one file for programs. Needs no other node.
    """
    show(exported(folder, force=force, community=community), lambda f: say(str(f[0]["detail"])))


def exported(folder: Path, *, force: bool, community: str | None) -> list[dict[str, object]]:
    """Write the files and return what the daemon says of them."""
    target = str(folder.expanduser().absolute())
    return with_progress("/export", target=target, force=force, community=community)
