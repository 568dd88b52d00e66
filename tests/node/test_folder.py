"""What is written beside others on a machine is its owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from p2pvalue.folder import new_file


def test_a_new_file_is_its_owners_alone_from_its_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opens it before its mode is set goes on reading."""
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    before = os.umask(0)
    try:
        with new_file(tmp_path / "fence.proof") as file:
            file.write(b"words")
            [part] = tmp_path.iterdir()
            assert part.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert (tmp_path / "fence.proof").read_bytes() == b"words"
