"""A text in the person's own editor; what was typed outlives every failure that follows."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from p2pvalue_cli.command import run_hint
from p2pvalue_cli.failures import Failed
from p2pvalue_cli.reading import STDIN

DRAFTS = "drafts"
BASES = "draft-bases"
"""What each kept text began with, so that saving it later undoes nothing that others wrote."""
_EDITORS = ("sensible-editor", "nano", "vi")


@contextlib.contextmanager
def edited(before: dict[str, Any], data_dir: Path, community: str | None) -> Iterator[str]:
    """Let the person edit a document's text; its file stays, and is named, if anything fails.

    It lies in the data folder: nobody else may read it, and a restart does not sweep it away.
    """
    text = before["text"]
    path = _write_draft(text, before["title"], data_dir)
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
        base = _base_path(path, data_dir)
        base.parent.mkdir(mode=0o700, exist_ok=True)
        base.write_text(json.dumps(before), encoding="utf-8")
        where = [] if community is None else ["-c", community]
        save = shlex.join(["document", "edit", before["document"], "--from", str(path), *where])
        raise _naming(failure, f"{path}; save it with: {run_hint(save)}") from failure
    else:
        path.unlink()


def begun_with(source: str, document: str, data_dir: Path) -> dict[str, Any] | None:
    """The document as it was when the text kept in `source` was begun; None for other files."""
    try:
        base = json.loads(_base_path(Path(source), data_dir).read_bytes())
    except (OSError, ValueError):
        return None
    is_of_it = isinstance(base, dict) and base.get("document") == document
    return cast("dict[str, Any]", base) if is_of_it else None


def forget(source: str, data_dir: Path) -> None:
    """Take away a kept text that was saved at last."""
    Path(source).unlink()
    _base_path(Path(source), data_dir).unlink()


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
        raise _naming(failure, str(_write_draft(text, title, data_dir))) from failure


def _base_path(draft: Path, data_dir: Path) -> Path:
    # Only what lies in the folder of drafts has a base; the name alone could be anybody's.
    is_ours = draft.resolve().parent == (data_dir / DRAFTS).resolve()
    return data_dir / BASES / (f"{draft.name}.json" if is_ours else "none")


def _naming(failure: Failed, place: str) -> Failed:
    kept = f"{failure.message}\nYour text is kept in {place}"
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
