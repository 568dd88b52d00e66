"""How an older database becomes one of today.

A new file gets `schema.sql`. A file of version n gets `STEPS[n]`, `STEPS[n + 1]` and so on, all in
one transaction with the new version number: it is wholly old or wholly new, also after a power cut.
"""

from __future__ import annotations

from collections.abc import Mapping

SCHEMA_VERSION = 1

STEPS: Mapping[int, str] = {}
"""SQL that takes a database from the version that is the key to the next one."""
