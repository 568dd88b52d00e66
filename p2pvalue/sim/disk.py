"""Where a simulated machine keeps what outlives it, and what can befall that.

`MemoryDisk` is for most worlds: it is fast, and a commit is there wholly or not at all. What lies
between those two is the business of `virtual_disk`, which has the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import Protocol

from p2pvalue.store import MemoryStore, Store, StoreFailed
from p2pvalue_protocol.past import Batch


class Disk(Protocol):
    """What a machine's store is kept on."""

    def open(self) -> Store:
        """Return a store on what is durable; the one opened before must not be used any more."""
        ...

    def cut_power(self, rng: Random) -> None:
        """Lose, or leave torn, what was not flushed."""
        ...

    def kill(self) -> None:
        """End the process that uses the disk; what it wrote is there."""
        ...

    def fill(self, is_full: bool) -> None:
        """Let every commit raise StoreFailed from now on, or end that."""
        ...

    def flip_bit(self, rng: Random) -> bool:
        """Change one stored bit; return whether there is any that can be changed."""
        ...

    def copy(self) -> Disk:
        """Return another disk with what is on this one: a backup, or a copied data folder."""
        ...


class _KeptStore(MemoryStore):
    """A store in memory that can be full, and dead."""

    is_full = False
    is_dead = False

    def commit(self, batches: Sequence[Batch]) -> None:
        """Apply all batches, or raise StoreFailed and apply none."""
        assert not self.is_dead, "a process that was ended writes no more"
        if self.is_full:
            raise StoreFailed("nothing was stored: the disk is full; make room")
        super().commit(batches)


class MemoryDisk:
    """A disk on which every commit is whole and flushed; it has no bits to flip."""

    def __init__(self) -> None:
        self._store = _KeptStore()

    def open(self) -> Store:
        """Return a store on what was committed; the one opened before is dead."""
        former, self._store = self._store, _KeptStore()
        self._store.__dict__.update(former.__dict__)
        former.is_dead = True
        return self._store

    def cut_power(self, rng: Random) -> None:
        """Lose nothing: what was committed is flushed."""
        self.kill()

    def kill(self) -> None:
        """End the process that uses the disk."""
        self.open()

    def fill(self, is_full: bool) -> None:
        """Let every commit raise StoreFailed from now on, or end that."""
        self._store.is_full = is_full

    def flip_bit(self, rng: Random) -> bool:
        """Return False: nothing here has bits."""
        return False

    def copy(self) -> MemoryDisk:
        """Return another disk with what is on this one."""
        other = MemoryDisk()
        other._store = deepcopy(self._store)
        other._store.is_full = False
        return other
