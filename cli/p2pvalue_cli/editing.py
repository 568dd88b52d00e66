"""A text in the person's own editor; what was typed outlives every failure that follows."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from p2pvalue_cli import bases, drafts
from p2pvalue_cli.bases import Base
from p2pvalue_cli.command import command_line
from p2pvalue_cli.failures import Failed

_EDITORS = ("sensible-editor", "nano", "vi")


@contextlib.contextmanager
def edited(before: dict[str, Any], data_dir: Path, community: str | None) -> Iterator[str]:
    """Let the person edit a document's text; its file stays, and is named, if anything fails."""
    text = before["text"]
    path = drafts.write_draft(text, before["title"], data_dir)
    try:
        _run_editor(path)
        yield _text_of(path)
    except Failed as failure:
        if not path.exists():
            raise
        if path.read_bytes() in (text.encode(), b""):
            path.unlink()
            raise
        save = ["document", "edit", before["document"], "--from", str(path)]
        hint = command_line(save, community)
        base = Base(before["document"], before["version"], text, save=hint)
        bases.remember(path, base, data_dir)
        raise drafts.naming(failure, path, hint) from failure
    else:
        path.unlink()


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise Failed(f"the editor took {path} away; nothing saved") from error
    except UnicodeDecodeError as error:
        raise Failed(
            "what the editor wrote is not UTF-8 text; nothing saved. Convert it, in the same file"
        ) from error


def _run_editor(path: Path) -> None:
    variable = "VISUAL" if os.environ.get("VISUAL") else "EDITOR"  # as git and crontab do
    named = os.environ.get(variable)
    try:
        command = shlex.split(named) if named else [_installed_editor()]
    except ValueError as error:
        raise Failed(f"{variable} is {named}, which cannot be read: {error}") from error
    try:
        editor = subprocess.Popen([*command, os.fspath(path)])  # the person's own choice
    except OSError as error:
        raise Failed(
            f"the editor {command[0]} cannot be started: set {variable} to another"
        ) from error
    # Ctrl-C reaches both of us, and what it means is the editor's business.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = editor.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    if code != 0:
        how = f"ended with code {code}" if code > 0 else f"was ended by signal {-code}"
        raise Failed(f"the editor {command[0]} {how}; nothing saved")


def _installed_editor() -> str:
    for name in _EDITORS:
        if shutil.which(name):
            return name
    raise Failed("there is no editor: set EDITOR to one, or give the text with --from FILE")
