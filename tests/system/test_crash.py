"""A daemon that is killed at any moment keeps its word."""

from __future__ import annotations

from pathlib import Path

from tests.system.crash import kill_many

KILLS = 9


def test_what_was_answered_is_there_after_every_kill_and_reaches_others(
    tmp_path: Path, seed: int
) -> None:
    result = kill_many(tmp_path, KILLS, str(seed))
    print(result)
    assert int(result["acknowledged"]) > 0
