"""SQLite file systems that write down what they are asked, and fail when told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw


class Disk(apsw.VFS):
    """Passes everything on to the real disk; `events` holds what was asked, oldest first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[str] = []
        self.bytes_read = 0
        self.writes_left: int | None = None  # None: there is room for ever
        super().__init__(name, "")

    def xOpen(  # noqa: N802 - SQLite's name for it
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> DiskFile:
        return DiskFile(self, name, flags)

    def record(self, event: str, filename: str) -> None:
        """Write down one event of one of the store's files."""
        self.events.append(f"{event} {'wal' if filename.endswith('-wal') else 'main'}")

    def spend(self) -> None:
        """Raise what a full disk raises, once no write is left."""
        if self.writes_left == 0:
            raise apsw.FullError("the test's disk is full")
        if self.writes_left is not None:
            self.writes_left -= 1


class DiskFile(apsw.VFSFile):
    """One open file of a `Disk`."""

    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._filename = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        super().__init__("", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name for it
        self._disk.bytes_read += amount
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name for it
        self._disk.spend()
        self._disk.record("write", self._filename)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name for it
        self._disk.record("sync", self._filename)
        super().xSync(flags)


@contextmanager
def disk_named(name: str) -> Iterator[Disk]:
    """A disk that stores can name by `vfs` until the end of the block."""
    disk = Disk(name)
    try:
        yield disk
    finally:
        disk.unregister()
