"""A document's text on its way to a person, a program or a file; of a file it is kept what it was.

So `document edit --from FILE` knows later what was changed in it.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from p2pvalue_cli import bases
from p2pvalue_cli.bases import Base
from p2pvalue_cli.command import as_json, data_dir
from p2pvalue_cli.failures import Failed
from p2pvalue_cli.output import say, show, write_whole

F = TypeVar("F", bound=Callable[..., Any])

AS_SHOWN = re.compile("[0-9a-f]{32}")
"""How `show --json` names a version; those of `history` are longer, or cut."""


def to_file_options(function: F) -> F:
    """Add `--to FILE` and `--force`."""
    force = click.option("--force", is_flag=True, help="Write over what was not saved in FILE.")
    to = click.option(
        "--to",
        "target",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write it to this file.",
    )
    return to(force(function))


def give_text(view: dict[str, Any], target: Path | None, *, is_forced: bool) -> None:
    """Print a document's text, or write it to a file."""
    if target is not None:
        _write_file(view, target, is_forced=is_forced)
        show({**view, "file": str(target)}, lambda _: say(f"written to {target}"))
        return
    if not as_json():
        _remember_redirected(view)
    show(view, lambda found: write_whole(found["text"]))


def _write_file(view: dict[str, Any], target: Path, *, is_forced: bool) -> None:
    """Write a document's text to a file, and remember what it was made from.

    Raises Failed if the file holds something that is not in the document, unless forced.
    """
    folder = data_dir()
    content = view["text"].encode()
    try:
        if not is_forced and target.exists() and _is_unsaved(target, content):
            raise Failed(
                f"{target} holds something that was not saved: save it with document edit --from,"
                " name another file, or write over it with --force"
            )
        target.write_bytes(content)
    except FileNotFoundError as error:
        raise Failed(f"there is no folder {target.parent}: make it first") from error
    _remember_shown(view, target, content, folder)


def _remember_redirected(view: dict[str, Any]) -> None:
    """Remember what a file is made from to which the shell sends our output, as by `> FILE`."""
    try:
        descriptor = sys.stdout.fileno()
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size:
            return
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
    except OSError:  # also io.UnsupportedOperation: a program holds our output
        return
    _remember_shown(view, target, view["text"].encode(), data_dir())


def _is_unsaved(target: Path, content: bytes) -> bool:
    held = target.read_bytes()
    base = bases.known(target, data_dir())
    return held not in (b"", content) and (base is None or base.digest != bases.digest_of(held))


def _remember_shown(view: dict[str, Any], target: Path, content: bytes, folder: Path) -> None:
    base = Base(view["document"], view["version"], digest=bases.digest_of(content))
    if not AS_SHOWN.fullmatch(view["version"]):
        base = Base(view["document"], text=view["text"], digest=base.digest)
    bases.remember(target, base, folder)
