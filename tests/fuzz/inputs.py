"""Where inputs are kept: honest ones and found ones beside this file, a campaign's in build/fuzz.

`corpus/TARGET/` holds a few inputs that reach far, `regressions/TARGET/` each input that was a
finding once. Names say nothing: they are hashes of what is in the file.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tests.fuzz.target import Target

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
REGRESSIONS = HERE / "regressions"
CAMPAIGN = HERE.parents[1] / "build" / "fuzz"


def kept(folder: Path, target_name: str) -> list[bytes]:
    """The inputs of one target in a folder, the same order everywhere."""
    return [path.read_bytes() for path in sorted((folder / target_name).glob("*"))]


def keep(folder: Path, target_name: str, data: bytes) -> Path:
    """Write an input under its hash; return where it is."""
    place = folder / target_name
    place.mkdir(parents=True, exist_ok=True)
    path = place / sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    return path


def beginnings(target: Target) -> list[bytes]:
    """What a target's campaign begins with: its seeds, and all that is kept."""
    found = [*target.seeds(), *kept(CORPUS, target.name), *kept(REGRESSIONS, target.name)]
    return list(dict.fromkeys(data[: target.bytes_max] for data in found))
