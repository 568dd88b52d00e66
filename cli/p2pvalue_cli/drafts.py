"""Texts that could not be saved: kept in the data folder, with the command that saves them.

Nobody else may read them there, and a restart does not sweep them away.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from p2pvalue_cli import bases
from p2pvalue_cli.bases import Base
from p2pvalue_cli.failures import Failed
from p2pvalue_cli.reading import STDIN

FOLDER = "drafts"


def write_draft(text: str, title: str, data_dir: Path) -> Path:
    """Write a text to a new file that only its owner may read."""
    import tempfile

    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    stem = re.sub(r"\W+", "-", title).strip("-")[:40] or "document"
    descriptor, name = tempfile.mkstemp(prefix=f"{stem}-", suffix=".md", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return Path(name)


def all_drafts(data_dir: Path) -> list[tuple[Path, str]]:
    """The texts that wait to be saved, oldest first, each with its command or nothing."""
    try:
        found = sorted((data_dir / FOLDER).iterdir(), key=lambda path: path.stat().st_mtime_ns)
    except OSError:
        return []
    return [(path, (bases.known(path, data_dir) or Base()).save) for path in found]


def is_draft(source: str, data_dir: Path) -> bool:
    """True for a file in the folder of drafts."""
    return source != STDIN and Path(source).resolve().parent == (data_dir / FOLDER).resolve()


def forget(draft: Path, data_dir: Path) -> None:
    """Take away a draft that was saved at last."""
    draft.unlink()
    bases.forget(draft, data_dir)


@contextlib.contextmanager
def kept_if_failed(
    text: str,
    title: str,
    data_dir: Path,
    *,
    save: Callable[[Path], str],
    source: str = STDIN,
) -> Iterator[None]:
    """Keep a text that came on standard input, and may be nowhere else, if it cannot be saved.

    `save` gives the command line that saves it from a file.
    """
    try:
        yield
    except Failed as failure:
        if source != STDIN or not text.strip() or not data_dir.is_dir():
            raise
        draft = write_draft(text, title, data_dir)
        hint = save(draft)
        bases.remember(draft, Base(save=hint), data_dir)
        raise naming(failure, draft, hint) from failure


def naming(failure: Failed, draft: Path, hint: str) -> Failed:
    """The failure with the place where the text is, and the command that saves it."""
    kept = f"{failure.message}\nYour text is kept in {draft}; save it with: {hint}"
    return type(failure)(kept, name=failure.name)
