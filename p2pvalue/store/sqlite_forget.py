"""Removing one community from the database, so that nothing of it can be read on the disk."""

from __future__ import annotations

from typing import Final

import apsw

from p2pvalue.store.sqlite_names import ENTRIES_OF_COMMUNITY, SEQ_BITS

_TABLES_BY_COMMUNITY: Final = (
    *("frontiers", "tips", "reconsidered", "proven", "addresses", "subject_operations", "states"),
    *("epochs", "sealed", "epoch_secrets", "prekeys", "snapshots"),
)


def forget_community(connection: apsw.Connection, community: bytes, number: int) -> None:
    """Delete every row of a community, within a transaction; costs a pass over the lists of all.

    Keys of members that are in no other community go, too, and the node's own values that name it.
    """
    delete = connection.execute
    sql = "SELECT number << ?2, (number + 1) << ?2 FROM logs WHERE community = ?1"
    for places in delete(sql, (number, SEQ_BITS)).fetchall():
        delete("DELETE FROM operations WHERE place >= ? AND place < ?", places)
    delete(f"DELETE FROM entries WHERE {ENTRIES_OF_COMMUNITY}", (number,))
    of_chunks = "SELECT number FROM chunks WHERE community = ?"
    delete(f"DELETE FROM chunk_bytes WHERE number IN ({of_chunks})", (number,))
    for table in (*_TABLES_BY_COMMUNITY, "lists", "logs", "chunks"):
        delete(f"DELETE FROM {table} WHERE community = ?", (number,))
    delete(
        "DELETE FROM members WHERE number NOT IN (SELECT member FROM entries)"
        " AND number NOT IN (SELECT member FROM subject_operations)"
    )
    delete("DELETE FROM meta WHERE key LIKE '%:' || ?", (community.hex(),))
    delete("DELETE FROM communities WHERE number = ?", (number,))
