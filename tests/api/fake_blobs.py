"""Shared files in a dictionary, for a node of straw."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import trio

from p2pvalue import types as t
from p2pvalue_protocol.errors import ConfigError, NotFound


class FakeBlobs:
    """Fulfils BlobsInterface; what ends in `.far` is brought by two peers."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[t.BlobView, bytes]] = {}
        self.waited_s = 0.0

    def all(self) -> list[t.BlobView]:
        return [view for view, _ in self.held.values()]

    async def add(
        self, path: Path, progress: Callable[[int, int], None], *, name: str = ""
    ) -> t.BlobView:
        await trio.lowlevel.checkpoint()
        if not path.is_file():
            raise ConfigError(f"{path} is no file: give the path of one")
        data, called = path.read_bytes(), name or path.name
        progress(len(data), len(data))
        view = t.BlobView(
            blob=sha256(data).hexdigest()[:32],
            file=called,
            media="image/png" if called.endswith(".png") else "text/plain",
            bytes=len(data),
            member="a" * 64,
            name="Ana",
            time=1,
            state="here",
        )
        self.held[called] = (view, data)
        return view

    async def get(
        self,
        reference: str,
        target: Path,
        progress: Callable[[int, int], None],
        *,
        wait_s: float,
    ) -> tuple[t.BlobView, int]:
        await trio.lowlevel.checkpoint()
        self.waited_s = wait_s
        view, data = self._held(reference)
        if target.exists():
            raise ConfigError(f"{target} exists already: name another file")
        if not target.parent.is_dir():
            raise ConfigError(f"there is no folder {target.parent}: make it first")
        progress(len(data), len(data))
        target.write_bytes(data)
        return view, 2 if view.file.endswith(".far") else 0

    async def remove(self, reference: str) -> t.BlobView:
        await trio.lowlevel.checkpoint()
        view, _ = self._held(reference)
        del self.held[view.file]
        return view

    def _held(self, reference: str) -> tuple[t.BlobView, bytes]:
        for view, data in self.held.values():
            if reference == view.file or view.blob.startswith(reference):
                return view, data
        raise NotFound(f'there is no file "{reference}" here')
