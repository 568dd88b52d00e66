"""A copy of everything but the keys, and a data folder made from one (decision records 0007, 0010).

A backup is the database: what the communities of this node know. It holds no key that signs, and it
is encrypted so that the person's 24 words open it on a bare machine. A folder made from it gets
keys of its own: it is a new device, which reads at once and writes when it has been admitted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import trio

from p2pvalue.amounts import counted
from p2pvalue.folder import make_private, part_of, sync
from p2pvalue.kept_keys import backup_key_of
from p2pvalue.keyfile import Seal
from p2pvalue.keystore import FILE_NAME, Keystore
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.store import SqliteStore, Store, StoreFailed, VerifyReport
from p2pvalue_protocol.errors import ConfigError

PART_NAME = f"{DATABASE_NAME}.part"

_BYTES_MIN: Final = 512
"""SQLite's smallest page; a file of one byte is an empty database to it."""

Progress = Callable[[int, int], None]


async def backup(store: Store, target: Path, progress: Progress, key: bytes | None = None) -> None:
    """Write a consistent copy of the database to a new file: whole, or not at all.

    It is encrypted with `key`, or with the store's own if none is given. Others are served between
    the steps; `progress` is told pages done and pages in all. Raises ConfigError or StoreFailed,
    whose message says what to do.
    """
    if target.exists():
        raise ConfigError(f"{target} exists already: name a new file for the backup")
    part = part_of(target)
    try:
        pages = 1  # a small copy is made in one step
        for left in store.backup(part, key):
            pages = max(pages, left)
            progress(pages - left, pages)
            await trio.lowlevel.checkpoint()
        _publish(part, target)
    except OSError as error:
        raise ConfigError(
            f"the backup {target} was not written ({error.strerror}): choose another place"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def restore(
    source: Path,
    data_dir: Path,
    name: str,
    entropy: bytes,
    *,
    seal: Seal | None = None,
    progress: Progress = lambda _done, _total: None,
) -> None:
    """Make a data folder from a backup, after every hash and signature in it was checked.

    `entropy` is what the person's words stand for: it opens the backup, and the folder becomes a
    new device of hers. Refuses a folder that holds a node already. Raises ConfigError and leaves no
    half-made folder; what a killed restore left is no node, and is made anew.
    """
    if is_half_restored(data_dir):
        (data_dir / FILE_NAME).unlink(missing_ok=True)
    if any((data_dir / kept).exists() for kept in (DATABASE_NAME, FILE_NAME)):
        raise ConfigError(f"{data_dir} holds a node already: choose a new folder with --data-dir")
    if not source.is_file():
        raise ConfigError(f"there is no backup {source}: give the file that `backup` wrote")
    if source.stat().st_size < _BYTES_MIN:  # SQLite would take it for a new database
        raise ConfigError(f"{source} is empty, so it is no backup: give another copy of it")
    make_private(data_dir)
    part, anew = (data_dir / f"{PART_NAME}{number}" for number in (1, 2))
    try:
        shutil.copyfile(source, part)
        anew.unlink(missing_ok=True)
        with _checked(source, part, backup_key_of(entropy), progress) as store:
            keystore = Keystore.create(data_dir, name, entropy=entropy, seal=seal)
            for _left in store.backup(anew, keystore.database_key):
                pass
        _publish(anew, data_dir / DATABASE_NAME)
    except OSError as error:
        raise ConfigError(
            f"{source} was not restored ({error.strerror}): make room, or choose another folder"
        ) from error
    finally:
        remove_parts(data_dir)
        if not (data_dir / DATABASE_NAME).exists():
            (data_dir / FILE_NAME).unlink(missing_ok=True)


def is_half_restored(data_dir: Path) -> bool:
    """Return whether a restore into the folder was killed: its keys have written nothing yet."""
    return not (data_dir / DATABASE_NAME).exists() and any(data_dir.glob(f"{PART_NAME}*"))


def remove_parts(data_dir: Path) -> None:
    """Remove what a restore needed on its way."""
    for part in data_dir.glob(f"{PART_NAME}*"):
        part.unlink(missing_ok=True)


@contextmanager
def _checked(source: Path, copy: Path, key: bytes, progress: Progress) -> Iterator[Store]:
    """Open the copy of a backup; raises ConfigError unless it is a sound database of hers."""
    try:
        store = SqliteStore(copy, key=key)
    except StoreFailed as error:
        raise ConfigError(
            f"{source} cannot be restored: these words do not open it, or it is damaged or no "
            f"backup at all ({error})"
        ) from error
    with closing(store):
        _refuse_faults(source, store.verify(deep=True, progress=progress))
        yield store


def _refuse_faults(source: Path, report: VerifyReport) -> None:
    if report.faults:
        shown = "; ".join(f"{fault.place}: {fault.finding}" for fault in report.faults)
        raise ConfigError(
            f"{source} is damaged in {counted(len(report.faults), 'place')} and was not restored"
            f" ({shown[:300]}): take an older backup, or join again and let peers send all"
        )


def _publish(part: Path, target: Path) -> None:
    """Give a finished file its name, for its owner only, so that it survives a power cut."""
    part.chmod(0o600)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    if target.exists():
        raise ConfigError(f"{target} exists already: name a new file")
    part.replace(target)
    sync(target.parent)
