"""A schema after today's. There is none yet, so tests of migration take this one."""

from __future__ import annotations

from p2pvalue.store.migrations import SCHEMA_VERSION

VERSION_TO_COME = SCHEMA_VERSION + 1
STEPS_TO_COME = {
    SCHEMA_VERSION: "ALTER TABLE operations ADD COLUMN note TEXT; "
    "UPDATE operations SET note = 'at ' || place; "
    "CREATE TABLE later (number INTEGER PRIMARY KEY)"
}
"""Writes every operation anew and adds a table."""
