"""Epochs of one community and our keys to them, in SQLite."""

from __future__ import annotations

import apsw

from p2pvalue_protocol.past import Batch

_REPLACE_SEALED = (
    "INSERT OR REPLACE INTO sealed (community, epoch, log, first_seq, count) VALUES (?, ?, ?, ?, ?)"
)


def write_epochs(connection: apsw.Connection, community: int, batch: Batch) -> None:
    """Apply what a batch says of epochs, inside a transaction that the caller opened."""
    if batch.epochs:
        connection.executemany(
            "INSERT OR REPLACE INTO epochs (community, epoch, record) VALUES (?, ?, ?)",
            [(community, epoch, record) for epoch, record in batch.epochs],
        )
    if batch.sealed:
        connection.executemany(_REPLACE_SEALED, [(community, *row) for row in batch.sealed])
    if batch.sealed_gone:
        connection.executemany(
            "DELETE FROM sealed WHERE community = ? AND epoch = ?",
            [(community, epoch) for epoch in batch.sealed_gone],
        )
    if batch.epoch_secrets:
        connection.executemany(
            "INSERT OR REPLACE INTO epoch_secrets (community, epoch, secret) VALUES (?, ?, ?)",
            [(community, epoch, secret) for epoch, secret in batch.epoch_secrets],
        )
    if batch.prekeys is not None:
        connection.execute("DELETE FROM prekeys WHERE community = ?", (community,))
        connection.executemany(
            "INSERT INTO prekeys (community, number, public, private) VALUES (?, ?, ?, ?)",
            [(community, number, *pair) for number, pair in enumerate(batch.prekeys)],
        )
