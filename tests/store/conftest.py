"""Each implementation of the store, for the suites that show their common contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pvalue.store import MemoryStore, SqliteStore, Store, sqlite_views


@pytest.fixture(params=["memory", "sqlite", "sqlite, long lists"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    def sqlite() -> Store:
        return SqliteStore(tmp_path / "store.db", durability="kill", key=bytes(32))

    if request.param == "sqlite, long lists":
        monkeypatch.setattr(sqlite_views, "SHORT", 0)
    make: dict[str, Callable[[], Store]] = {
        "memory": MemoryStore,
        "sqlite": sqlite,
        "sqlite, long lists": sqlite,
    }
    opened = make[request.param]()
    yield opened
    opened.close()
