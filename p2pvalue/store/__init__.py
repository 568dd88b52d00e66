"""The store room: what a node keeps of its communities, in SQLite or in memory."""

from p2pvalue.store.chunks import ChunkDamaged, ChunkStore, KeptChunk
from p2pvalue.store.interface import (
    Base,
    Durability,
    Entry,
    Fault,
    Figures,
    Progress,
    Snapshot,
    Store,
    StoreFailed,
    VerifyReport,
)
from p2pvalue.store.memory import MemoryStore
from p2pvalue.store.refold import fold_waiting
from p2pvalue.store.sqlite import SqliteStore

__all__ = [
    "Base",
    "ChunkDamaged",
    "ChunkStore",
    "Durability",
    "Entry",
    "Fault",
    "Figures",
    "KeptChunk",
    "MemoryStore",
    "Progress",
    "Snapshot",
    "SqliteStore",
    "Store",
    "StoreFailed",
    "VerifyReport",
    "fold_waiting",
]
