"""What files were made from: saving one brings in what changed in it, and undoes nothing else.

A version is kept, of which the daemon makes the text again. The text itself is kept only of a file
that says something else than what was saved, because others wrote meanwhile or it is rich text.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

FOLDER = "draft-bases"
FILES_MAX = 200
"""Of so many files it is known what they were made from; the oldest go first."""


@dataclass(frozen=True)
class Base:
    """The text of a document with which a file began: by its version, or in full."""

    document: str = ""
    version: str = ""
    text: str | None = None
    digest: str = ""  # of the file, as it was then
    save: str = ""  # the command that saves it, if that failed before


def digest_of(content: bytes) -> str:
    """What tells one content of a file from another."""
    return sha256(content).hexdigest()


def remember(file: Path, base: Base, data_dir: Path) -> None:
    """Keep what a file was made from; where there is no room for it, a later save says so."""
    place = _place(file, data_dir)
    with contextlib.suppress(OSError):
        place.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as kept:
            json.dump(asdict(base), kept)
        known_places = sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for oldest in known_places[:-FILES_MAX]:
            oldest.unlink()


def known(file: Path, data_dir: Path) -> Base | None:
    """What a file was made from, if we made it."""
    try:
        return Base(**json.loads(_place(file, data_dir).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def forget(file: Path, data_dir: Path) -> None:
    """Let go of what a file was made from."""
    _place(file, data_dir).unlink(missing_ok=True)


def _place(file: Path, data_dir: Path) -> Path:
    name = digest_of(os.fsencode(file.resolve()))[:32]
    return data_dir / FOLDER / f"{name}.json"
