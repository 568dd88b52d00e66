"""The data folder belongs to one user and to one process at a time; its files change whole.

The process is the one that holds the lock (flock) on the folder's `lock` file, where it also wrote
its number. The system drops the lock when the process ends, however it ends: none goes stale.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from p2pvalue_protocol.errors import ConfigError

LOCK_NAME = "lock"


def make_private(data_dir: Path) -> None:
    """Make the folder if need be, readable by its owner alone; raises ConfigError."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = data_dir.stat().st_uid
        if owner != os.geteuid():
            raise ConfigError(
                f"{data_dir} belongs to another user (uid {owner}): choose your own (--data-dir)"
            )
        data_dir.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"{data_dir} cannot be used as the data folder: {error}") from error


def write_private(path: Path, data: bytes) -> None:
    """Replace a file by one with this content and mode 0600: whole, or not at all; on the disk."""
    temporary = unfinished(path)
    temporary.unlink(missing_ok=True)
    descriptor = _private(temporary)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:  # an interrupt, too
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for its owner only, which gets its name when it is whole.

    Until then it lies beside it under a name of its own, which a crash leaves; see `part_of`.
    """
    part = part_of(path)
    descriptor = _private(part)  # what is there already is somebody else's, and stays
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def part_of(path: Path) -> Path:
    """Return where a file among the user's own lies until it is whole: a name never used before.

    Who finds such a `NAME.….part` after a crash may remove it: nothing reads it again.
    """
    return path.with_name(f"{path.name[:50]}.{secrets.token_hex(8)}.part")


def _private(path: Path) -> int:
    """Make a file that nobody else can open, at no moment; return its descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def unfinished(path: Path) -> Path:
    """Where the next content of a file lies until it is whole."""
    return path.with_name(path.name + ".new")


def sync(folder: Path) -> None:
    """Make what was renamed or removed in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the folder for this process; raises ConfigError that names the process that has it."""
    descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"p2pvalue is already running on {data_dir} as process {_written(data_dir)}; stop "
                f"it with: p2pvalue --data-dir {shlex.quote(str(data_dir))} stop"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(data_dir: Path) -> int | None:
    """The number of the process that holds the folder, or None; 0 if it has not yet written it."""
    try:
        descriptor = os.open(data_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(data_dir)
    finally:
        os.close(descriptor)
    return None


def _written(data_dir: Path) -> int:
    text = (data_dir / LOCK_NAME).read_text(encoding="ascii", errors="replace").strip()
    return int(text) if text.isdecimal() else 0
