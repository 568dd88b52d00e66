"""A copy of everything but the keys, and a data folder made from one (decision record 0007).

A backup is the database: what the communities of this node know. It holds no key and no invitation,
so a stolen one opens no door; but its content is readable. A folder made from it gets keys of its
own: it is a new device, which reads at once and writes when it has been admitted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import trio

from p2pvalue.keystore import FILE_NAME, make_private_folder, sync_folder
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.store import SqliteStore, Store, StoreFailed
from p2pvalue_protocol.errors import ConfigError

Progress = Callable[[int, int], None]


async def backup(store: Store, target: Path, progress: Progress) -> None:
    """Write a consistent copy of the database to a new file: whole, or not at all.

    Others are served between the steps; `progress` is told pages done and pages in all. Raises
    ConfigError or StoreFailed, whose message says what to do.
    """
    if target.exists():
        raise ConfigError(f"{target} exists already: name a new file for the backup")
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        pages = 1  # a small copy is made in one step
        for left in store.backup(part):
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


def restore(source: Path, data_dir: Path, progress: Progress = lambda _done, _total: None) -> None:
    """Make a data folder from a backup, after every hash and signature in it was checked.

    Refuses a folder that holds a node already. Raises ConfigError and leaves no half-made folder.
    """
    for name in (DATABASE_NAME, FILE_NAME):
        if (data_dir / name).exists():
            raise ConfigError(
                f"{data_dir} holds a node already: choose a new folder with --data-dir"
            )
    if not source.is_file():
        raise ConfigError(f"there is no backup {source}: give the file that `backup` wrote")
    make_private_folder(data_dir)
    part = data_dir / f"{DATABASE_NAME}.part"
    try:
        part.unlink(missing_ok=True)
        shutil.copyfile(source, part)
        _check(source, part, progress)
        _publish(part, data_dir / DATABASE_NAME)
    except OSError as error:
        raise ConfigError(
            f"{source} was not restored ({error.strerror}): make room, or choose another folder"
        ) from error
    finally:
        for leftover in data_dir.glob(f"{part.name}*"):
            leftover.unlink(missing_ok=True)


def _check(source: Path, copy: Path, progress: Progress) -> None:
    """Raise ConfigError unless the copy is a sound database of ours."""
    try:
        store = SqliteStore(copy)
        try:
            report = store.verify(deep=True, progress=progress)
        finally:
            store.close()
    except StoreFailed as error:
        raise ConfigError(f"{source} cannot be restored: {error}") from error
    if report.faults:
        shown = "; ".join(f"{fault.place}: {fault.finding}" for fault in report.faults)
        raise ConfigError(
            f"{source} is damaged in {len(report.faults)} places and was not restored"
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
    sync_folder(target.parent)
