"""The command that every campaign of kills is started by."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

KillMany = Callable[[Path, int, str], Mapping[str, int | str]]
"""Kills so many times in an empty folder, as a seed decides; returns what happened."""


def kill_command(kill_many: KillMany, what: str) -> None:
    """Read the arguments, kill, and print what happened as one line of JSON."""
    parser = argparse.ArgumentParser(description=f"kill {what}, again and again")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", default="1")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    print(json.dumps(kill_many(asked.folder, asked.kills, asked.seed)))
