"""What is written beside others on a machine is its owner's alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from p2pvalue import folder
from p2pvalue.folder import make_private, new_file
from p2pvalue_protocol.errors import ConfigError


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


def write(path: Path) -> None:
    with new_file(path) as file:
        file.write(b"words")


def test_a_file_of_somebody_elses_beside_a_new_one_stays(tmp_path: Path) -> None:
    """Whatever it is called: a browser or another program may be writing it."""
    other = tmp_path / "fence.proof.part"
    other.write_bytes(b"half of a film")
    write(tmp_path / "fence.proof")
    assert other.read_bytes() == b"half of a film"
    assert (tmp_path / "fence.proof").read_bytes() == b"words"


def test_a_new_file_neither_takes_nor_removes_what_lies_where_it_would_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "taken.part"
    other.symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(folder, "part_of", lambda _: other)
    with pytest.raises(FileExistsError):
        write(tmp_path / "fence.proof")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.part"]


def test_of_a_new_file_that_is_not_whole_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "fence.proof"):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_new_file_may_have_the_longest_name_that_there_is(tmp_path: Path) -> None:
    longest = tmp_path / ("f" * 255)
    write(longest)
    assert [path.name for path in tmp_path.iterdir()] == [longest.name]


def test_the_folder_of_another_user_is_refused_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "data"
    other.mkdir()
    other.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: other.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="another user"):
        make_private(other)
    assert stat.S_IMODE(other.stat().st_mode) == 0o755
