"""A text in the person's own editor; what was typed outlives every failure that follows."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from p2pvalue_cli.failures import Failed
from p2pvalue_cli.reading import STDIN

DRAFTS = "drafts"
_EDITORS = ("sensible-editor", "nano", "vi")


@contextlib.contextmanager
def edited(text: str, title: str, data_dir: Path) -> Iterator[str]:
    """Let the person edit a text; the file stays, and is named, if anything fails afterwards.

    It lies in the data folder: nobody else may read it, and a restart does not sweep it away.
    """
    path = _write_draft(text, title, data_dir)
    try:
        _run_editor(path)
        yield path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise Failed(f"the editor took {path} away; nothing saved") from error
    except UnicodeDecodeError as error:
        raise Failed(f"{path} is not UTF-8 text; your text is kept there") from error
    except Failed as failure:
        if not path.exists():
            raise
        if path.read_bytes() == text.encode():
            path.unlink()
            raise
        raise _naming(failure, path) from failure
    else:
        path.unlink()


@contextlib.contextmanager
def kept_if_failed(
    text: str, title: str, data_dir: Path, *, source: str | None = STDIN
) -> Iterator[None]:
    """Keep a text that came on standard input, and may be nowhere else, if it cannot be saved."""
    try:
        yield
    except Failed as failure:
        if source != STDIN or not text.strip() or not data_dir.is_dir():
            raise
        raise _naming(failure, _write_draft(text, title, data_dir)) from failure


def _naming(failure: Failed, path: Path) -> Failed:
    kept = f"{failure.message}\nYour text is kept in {path}"
    return type(failure)(kept, name=failure.name)


def _write_draft(text: str, title: str, data_dir: Path) -> Path:
    folder = data_dir / DRAFTS
    folder.mkdir(mode=0o700, exist_ok=True)
    stem = re.sub(r"\W+", "-", title).strip("-")[:40] or "document"
    descriptor, name = tempfile.mkstemp(prefix=f"{stem}-", suffix=".md", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return Path(name)


def _run_editor(path: Path) -> None:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    try:
        command = shlex.split(named) if named else [_installed_editor()]
    except ValueError as error:
        raise Failed(f"EDITOR is {named}, which cannot be read: {error}") from error
    try:
        editor = subprocess.Popen([*command, os.fspath(path)])  # the person's own choice
    except OSError as error:
        raise Failed(f"the editor {command[0]} cannot be started: set EDITOR to another") from error
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
