"""A daemon of a version to come, whose database has another schema: `p2pvalue` otherwise."""

from __future__ import annotations

from p2pvalue.store.sqlite_connection import open_connection
from p2pvalue_cli.main import cli
from tests.store.schema_to_come import STEPS_TO_COME, VERSION_TO_COME

defaults = open_connection.__kwdefaults__
assert defaults is not None
defaults |= {"schema_version": VERSION_TO_COME, "steps": STEPS_TO_COME}

if __name__ == "__main__":
    cli(prog_name="p2pvalue")
