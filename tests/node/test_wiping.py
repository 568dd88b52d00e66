"""A wiped folder cannot be read from the first step on, wherever the wiping was cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from p2pvalue.folder import locked
from p2pvalue.keystore import FILE_NAME, Keystore
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.node.wiping import is_ours, wipe
from p2pvalue.store import SqliteStore, StoreFailed
from p2pvalue_protocol.errors import ConfigError

SECRET = "what nobody may read afterwards"
WIPING = """
import sys
from pathlib import Path
from p2pvalue.folder import locked
from p2pvalue.node.wiping import wipe

folder = Path(sys.argv[1])
with locked(folder):
    for step in wipe(folder):
        print(step, flush=True)
        sys.stdin.readline()
"""
STEPS = 8


def used(folder: Path) -> Path:
    """A data folder with keys, a database and what else a node leaves there."""
    keystore = Keystore.create(folder, "Ana")
    store = SqliteStore(folder / DATABASE_NAME, key=keystore.database_key)
    store.put_meta("note", SECRET.encode())
    store.close()
    (folder / "config.toml").write_text("")
    (folder / "drafts").mkdir()
    (folder / "drafts" / "letter.md").write_text(SECRET)
    (folder / "verify-abc").mkdir()
    (folder / "get-abc").mkdir()
    return folder


def test_nothing_of_a_node_is_left(tmp_path: Path) -> None:
    folder = used(tmp_path / "data")
    with locked(folder):
        steps = list(wipe(folder))
    assert steps[0].startswith("the keys are gone")
    assert len(steps) == STEPS, steps
    assert not folder.exists()


def test_what_is_not_p2pvalues_stays(tmp_path: Path) -> None:
    folder = used(tmp_path / "data")
    (folder / "photo.jpg").write_bytes(b"hers")
    (folder / "elsewhere").mkdir()
    (folder / "verify-link").symlink_to(folder / "elsewhere")
    with locked(folder):
        steps = list(wipe(folder))
    assert "elsewhere, photo.jpg" in steps[-1]
    assert sorted(path.name for path in folder.iterdir()) == ["elsewhere", "photo.jpg"]
    assert not is_ours(folder)


@pytest.mark.parametrize("steps", range(1, STEPS))
def test_killed_after_any_step_the_data_is_unreadable_and_wiping_goes_on(
    tmp_path: Path, steps: int
) -> None:
    folder = used(tmp_path / "data")
    keys = (folder / FILE_NAME).read_bytes()
    held = os.open(folder / FILE_NAME, os.O_RDONLY)  # as a disk's blocks stay when a name goes
    process = subprocess.Popen(
        [sys.executable, "-c", WIPING, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for number in range(steps):
        if number:
            process.stdin.write("\n")
            process.stdin.flush()
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    overwritten = os.pread(held, len(keys), 0)
    os.close(held)
    assert overwritten != keys
    assert b"database_key" not in overwritten
    assert not (folder / FILE_NAME).exists()
    database = folder / DATABASE_NAME
    if database.exists():
        assert SECRET.encode() not in database.read_bytes()
        for key in (None, bytes(32)):
            with pytest.raises(StoreFailed):
                SqliteStore(database, key=key)
    with pytest.raises(ConfigError, match="holds no keys"):
        Keystore.open(folder)
    if is_ours(folder):
        with locked(folder):
            assert list(wipe(folder))
    assert not folder.exists() or not any(folder.iterdir())


def test_keys_that_cannot_be_overwritten_stop_it_before_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = used(tmp_path / "data")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(ConfigError, match="nothing was wiped"):
            next(wipe(folder))
    for name in (DATABASE_NAME, "config.toml"):
        assert (folder / name).read_bytes() == before[name]
