"""A disk in memory under the production store, that can lose its power.

`SqliteDisk` keeps the files of one data folder and knows which bytes of them were flushed. SQLite
is handed the files below its encryption, so that what is torn, lost or flipped is what would lie on
a real disk: pages and journal frames that cannot be read without the key.

*What it models* (decision record 0021). A write reaches the disk when its file is synced. Until
then, each 512-byte sector of it may be there, be missing, be there in part, or hold garbage, in any
order; but a write never harms bytes beside its own, which SQLite assumes on every Unix system too.
A new length of a file, a new name, and a name removed wait for a sync likewise: of the file, or of
the folder.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final
from weakref import WeakValueDictionary

import apsw

from p2pvalue.store import Durability, SqliteStore

SECTOR_BYTES = 512
_ANY_DISK_KEY: Final = bytes(range(32))
_DATABASE = "store.db"
_VFS_NAME = "p2pvalue-virtual"
_ENCRYPTED_VFS_NAME = f"multipleciphers-{_VFS_NAME}"  # SQLite3 Multiple Ciphers makes it on demand
_JOURNAL_KINDS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL


class _File:
    """The bytes of one file as programs see them, and as a power cut would leave them."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.flushed = bytearray(data)
        self.unflushed: list[tuple[int, bytes | None]] = []  # None: cut or grown to this length
        self.flush_ends: deque[int] = deque(maxlen=3)  # how far the last flushes went

    def write(self, data: bytes, offset: int) -> None:
        _put(self.data, data, offset)
        self.unflushed.append((offset, bytes(data)))

    def resize(self, size: int) -> None:
        _resize(self.data, size)
        self.unflushed.append((size, None))

    def flush(self) -> None:
        end = 0
        for offset, data in self.unflushed:
            if data is None:
                _resize(self.flushed, offset)
            else:
                _put(self.flushed, data, offset)
                end = max(end, offset + len(data))
        self.unflushed.clear()
        if end:
            self.flush_ends.append(end)

    def copy(self) -> _File:
        """Return another file that holds the same, all of it flushed."""
        other = _File(bytes(self.data))
        other.flush_ends.extend(self.flush_ends)
        return other

    def lose_power(self, rng: Random) -> None:
        """Keep what was flushed, and of the rest what chance wants."""
        kept_share = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for offset, data in self.unflushed:
            if data is None:
                if rng.random() < kept_share:
                    _resize(self.flushed, offset)
                continue
            for start, sector in _sectors(data, offset):
                if rng.random() < kept_share:
                    _put(self.flushed, _perhaps_torn(sector, rng), start)
        self.data = bytearray(self.flushed)
        self.unflushed.clear()


def _resize(data: bytearray, size: int) -> None:
    del data[size:]
    data.extend(bytes(size - len(data)))


def _put(data: bytearray, piece: bytes, offset: int) -> None:
    if offset > len(data):
        _resize(data, offset)
    data[offset : offset + len(piece)] = piece


def _sectors(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(data):
        end = start + SECTOR_BYTES - (offset + start) % SECTOR_BYTES
        yield offset + start, data[start:end]
        start = end


def _perhaps_torn(sector: bytes, rng: Random) -> bytes:
    match rng.randrange(20):
        case 0:
            return sector[: rng.randrange(len(sector))]
        case 1:
            return rng.randbytes(len(sector))
        case _:
            return sector


class SqliteDisk:
    """One machine's disk; its one store is the production store, encrypted.

    Deterministic but for the bytes that encryption draws: which of them survive depends on `rng`
    and on what was written. Not a place for copies: `Store.backup` and the deep `verify` of its
    stores want a real folder.
    """

    def __init__(self, *, durability: Durability = "power-cut") -> None:
        self.durability = durability
        self.is_full = False
        self.calls_left: int | None = None  # None: as long as it lives
        self._files: dict[str, _File] = {}
        self._flushed_files: dict[str, _File] = {}
        self._renamed: list[tuple[str, _File | None]] = []  # names made and removed (None)
        self._life = 0
        self._number = next(_VFS.numbers)
        self._store: SqliteStore | None = None
        _VFS.disks[self._number] = self

    # --- what the world does with it

    def open(self) -> SqliteStore:
        """Return a store on what is there; one opened before is dead, as if killed."""
        self._end_process()
        self._store = SqliteStore(
            Path(f"/{self._number}/{self._life}/{_DATABASE}"),
            durability=self.durability,
            key=_ANY_DISK_KEY,
            vfs=_ENCRYPTED_VFS_NAME,
        )
        return self._store

    def kill(self) -> None:
        """End the process: what it wrote is there, flushed or not; its store is dead."""
        self._end_process()
        self.calls_left = None

    def _end_process(self) -> None:
        self._life += 1
        if self._store is not None:
            with contextlib.suppress(apsw.Error):  # it cannot write its journal back any more
                self._store.close()
            self._store = None

    def cut_power(self, rng: Random) -> None:
        """End the process, and lose or tear what was not flushed."""
        self.kill()
        for file in self._every_file():
            file.lose_power(rng)
        for name, made in self._renamed:
            if rng.random() < 0.5:
                _name(self._flushed_files, name, made)
        self._renamed.clear()
        self._files = dict(self._flushed_files)

    def die_after(self, calls: int) -> None:
        """Stop the machine so many writes, syncs and removals later, until `kill`."""
        self.calls_left = calls

    def fill(self, is_full: bool) -> None:
        """Let writes fail for want of room, or end that."""
        self.is_full = is_full

    def flip_bit(self, rng: Random) -> bool:
        """Flip one bit that is stored, where that can be told; return whether there was any.

        In a journal not among the last commits: damage there looks like a torn write.
        """
        sizes = {name: _size_to_flip(name, file) for name, file in self._files.items()}
        at = rng.randrange(8 * sum(sizes.values()) or 1)
        for name in sorted(sizes):
            byte = at // 8
            if byte < sizes[name]:
                for data in (self._files[name].data, self._files[name].flushed):
                    if byte < len(data):
                        data[byte] ^= 1 << at % 8
                return True
            at -= sizes[name] * 8
        return False

    def copy(self) -> SqliteDisk:
        """Return another disk that holds the same, all of it flushed."""
        other = SqliteDisk(durability=self.durability)
        for name, file in self._files.items():
            other._files[name] = other._flushed_files[name] = file.copy()
        return other

    def _every_file(self) -> list[_File]:
        names = [*self._files.values(), *self._flushed_files.values()]
        names += [file for _, file in self._renamed if file is not None]
        return list({id(file): file for file in names}.values())

    # --- what SQLite does with it

    def check_alive(self, life: int) -> None:
        """Raise what a process sees that has ended already."""
        if life != self._life:
            raise apsw.IOError("this process has ended")

    def spend(self, life: int) -> None:
        """Count one call that changes the disk; raises when there shall be no more."""
        self.check_alive(life)
        if self.calls_left == 0:
            raise apsw.IOError("the machine stopped here")
        if self.calls_left is not None:
            self.calls_left -= 1

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return name in self._files

    def file(self, name: str) -> _File:
        """Return the file of this name, made if there is none."""
        if name not in self._files:
            self._files[name] = _File()
            self._renamed.append((name, self._files[name]))
        return self._files[name]

    def remove(self, name: str) -> None:
        """Take a name away; who has the file open keeps it."""
        del self._files[name]
        self._renamed.append((name, None))

    def flush_names(self) -> None:
        """Make the folder's list of names survive a power cut."""
        self._flushed_files = dict(self._files)
        self._renamed.clear()


def _size_to_flip(name: str, file: _File) -> int:
    return len(file.data) if name == _DATABASE else min(file.flush_ends, default=0)


def _name(files: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        files.pop(name, None)
    else:
        files[name] = file


class _OpenFile(apsw.VFSFile):
    """One file that one life of a process has open."""

    def __init__(self, disk: SqliteDisk, life: int, file: _File, is_new_journal: bool) -> None:
        self._disk = disk
        self._life = life
        self._file = file
        # SQLite on Unix syncs the folder once, with the first sync of a journal that it made.
        self._wants_name_flushed = is_new_journal

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name for it
        self._disk.check_alive(self._life)
        return bytes(self._file.data[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name for it
        self._disk.spend(self._life)
        if self._disk.is_full:
            self._file.write(data[: len(data) // 2], offset)
            raise apsw.FullError("no room is left")
        self._file.write(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name for it
        self._disk.spend(self._life)
        self._file.resize(size)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name for it
        self._disk.spend(self._life)
        self._file.flush()
        if self._wants_name_flushed:
            self._disk.flush_names()
            self._wants_name_flushed = False

    def xFileSize(self) -> int:  # noqa: N802 - SQLite's name for it
        return len(self._file.data)

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802 - SQLite's name for it
        return False

    def xSectorSize(self) -> int:  # noqa: N802 - SQLite's name for it
        return 4_096  # what SQLite says on Unix

    def xDeviceCharacteristics(self) -> int:  # noqa: N802 - SQLite's name for it
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE  # what SQLite says on Unix

    # A disk has one store at a time, so there is nobody to lock out.

    def xLock(self, level: int) -> None:  # noqa: N802 - SQLite's name for it
        pass

    def xUnlock(self, level: int) -> None:  # noqa: N802 - SQLite's name for it
        pass

    def xCheckReservedLock(self) -> bool:  # noqa: N802 - SQLite's name for it
        return False

    def xClose(self) -> None:  # noqa: N802 - SQLite's name for it
        pass


class _VirtualFileSystem(apsw.VFS):
    """Finds the disk and the life of its process by the path: `/disk/life/name`.

    One for all disks: the layer that encrypts stays above it until the process ends.
    """

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.disks: WeakValueDictionary[int, SqliteDisk] = WeakValueDictionary()
        super().__init__(_VFS_NAME)

    def _find(self, path: str) -> tuple[SqliteDisk, int, str]:
        _, number, life, name = path.split("/")
        try:
            return self.disks[int(number)], int(life), name
        except KeyError:
            raise apsw.CantOpenError(f"the disk of {path} is gone") from None

    def xOpen(  # noqa: N802 - SQLite's name for it
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> _OpenFile:
        assert name is not None, "the store keeps temporary files in memory"
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        disk, life, filename = self._find(path)
        disk.check_alive(life)
        is_new = not disk.has(filename)
        if is_new and not flags[0] & apsw.SQLITE_OPEN_CREATE:
            raise apsw.CantOpenError(f"there is no {path}")
        flags[1] = flags[0]
        is_new_journal = is_new and bool(flags[0] & _JOURNAL_KINDS)
        return _OpenFile(disk, life, disk.file(filename), is_new_journal)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name for it
        disk, life, name = self._find(filename)
        disk.spend(life)
        if disk.has(name):
            disk.remove(name)
        if syncdir:
            disk.flush_names()

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802 - SQLite's name for it
        disk, life, name = self._find(pathname)
        disk.check_alive(life)
        return disk.has(name)

    def xFullPathname(self, name: str) -> str:  # noqa: N802 - SQLite's name for it
        return name

    def xSleep(self, microseconds: int) -> int:  # noqa: N802 - SQLite's name for it
        return microseconds

    def xGetLastError(self) -> tuple[int, str]:  # noqa: N802 - SQLite's name for it
        return 0, ""

    def xCurrentTimeInt64(self) -> int:  # noqa: N802 - SQLite's name for it
        return 0


_VFS: Final = _VirtualFileSystem()
