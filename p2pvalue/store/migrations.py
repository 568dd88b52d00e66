"""How an older database becomes one of today.

A new file gets `schema.sql`. A file of version n gets `STEPS[n]`, `STEPS[n + 1]` and so on, all in
one transaction with the new version number: it is wholly old or wholly new, also after a power cut.
"""

from __future__ import annotations

from collections.abc import Mapping

SCHEMA_VERSION = 4

_HIDDEN_UPDATES = """
-- Hidden updates of documents were not listed: every log of content that may have some is judged
-- again, and finds them. The list of (log, seq) is MessagePack, each number in eight bytes.
INSERT OR REPLACE INTO reconsidered (community, logs)
SELECT community, unhex(
    printf('dd%08x', count(*)) || group_concat(printf('92cf%016xcf%016x', log, first_seq), '')
)
FROM logs WHERE log_class = 1 AND community IN (SELECT community FROM lists WHERE kind = 33)
GROUP BY community;
-- What was made of the lists did not know them.
DELETE FROM snapshots;
"""

_CHUNKS = """
-- Sealed pieces of shared files, and since when no blob names them (ms; 0: one does).
CREATE TABLE chunks (
    community INTEGER NOT NULL,
    chunk BLOB NOT NULL,
    size INTEGER NOT NULL,
    unnamed_since INTEGER NOT NULL DEFAULT 0,
    number INTEGER NOT NULL,
    PRIMARY KEY (community, chunk)
) WITHOUT ROWID;
CREATE TABLE chunk_bytes (
    number INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
);
"""

_NEEDS = """
-- A need came to keep its terms, and what is said of a pledge became an item of its need's list.
DELETE FROM states WHERE kind IN (37, 38);
DELETE FROM subject_operations WHERE kind IN (37, 38);
-- Newer nodes may have given us kinds that had no meaning here: all content is judged again.
INSERT OR REPLACE INTO reconsidered (community, logs)
SELECT community, unhex(
    printf('dd%08x', count(*)) || group_concat(printf('92cf%016xcf%016x', log, first_seq), '')
)
FROM logs WHERE log_class = 1 GROUP BY community;
"""

STEPS: Mapping[int, str] = {1: _HIDDEN_UPDATES, 2: _CHUNKS, 3: _NEEDS}
"""SQL that takes a database from the version that is the key to the next one."""
