"""Taking a node from its machine: the keys first, because without them the rest is noise.

Overwriting reaches the blocks that the file has now. An SSD, a copy-on-write file system, a journal
or a copy elsewhere may keep older ones: whoever must be sure uses a passphrase from the beginning,
or encrypts the disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from p2pvalue import system_keyring
from p2pvalue.config import CONFIG_NAME, SOCKET_NAME
from p2pvalue.folder import LOCK_NAME, sync, unfinished
from p2pvalue.keyfile import keyring_entry
from p2pvalue.keystore import FILE_NAME
from p2pvalue.node.editors.editor_leases import FILE_NAME as EDITORS_NAME
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue_protocol.errors import ConfigError

OURS: Final = (
    f"{DATABASE_NAME}*",
    "verify-*",
    "get-*",
    "drafts",
    "draft-bases",
    EDITORS_NAME,
    CONFIG_NAME,
    f"{SOCKET_NAME.partition('.')[0]}.*",
    LOCK_NAME,
)
"""What else a node leaves in its folder, in the order in which it goes; nothing but this goes."""


def is_ours(data_dir: Path) -> bool:
    """Return whether a node, or what a half-done wipe left of one, is in the folder."""
    return any((data_dir / name).exists() for name in (FILE_NAME, DATABASE_NAME, LOCK_NAME))


def wipe(data_dir: Path) -> Iterator[str]:
    """Wipe a folder step by step, and yield in words what is done; can be begun again anywhere.

    After the first step nobody can read the data. The caller holds the folder's lock. Raises
    ConfigError if the keys cannot be overwritten: then nothing else was touched.
    """
    path = data_dir / FILE_NAME
    entry = None
    try:
        if path.exists():
            entry = keyring_entry(path.read_bytes())
        for file in (path, unfinished(path)):
            _overwrite(file)
    except OSError as error:
        raise ConfigError(
            f"{path} was not overwritten ({error.strerror}), so nothing was wiped: become its owner"
        ) from error
    yield "the keys are gone: what remains cannot be read any more"
    if entry is not None:
        try:
            system_keyring.drop(entry)
            yield "the keyring's entry is gone"
        except ConfigError as error:
            yield f"the keyring's entry is still there, and opens nothing any more: {error}"
    for pattern in OURS:
        for found in sorted(data_dir.glob(pattern)):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found)
            else:
                found.unlink()
            yield f"removed {found.name}"
    sync(data_dir)
    left = sorted(path.name for path in data_dir.iterdir())
    if left:
        yield f"left as they are, because they are not p2pvalue's: {', '.join(left)}"
    else:
        data_dir.rmdir()
        yield f"removed {data_dir}"


def _overwrite(file: Path) -> None:
    if not file.exists():
        return
    size = file.stat().st_size
    with file.open("r+b", buffering=0) as opened:
        opened.write(os.urandom(size))
        os.fsync(opened.fileno())
    file.unlink()
    sync(file.parent)
