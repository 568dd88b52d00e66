"""A daemon whose disk is full says so, keeps what it has, and goes on once there is room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.person import Person, Refused, is_root, people, until_equal

DISK_BYTES = 6 * 1024 * 1024
RSS_GROWTH_BYTES_MAX = 32 * 1024 * 1024


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own with little room; skips the test where none can be mounted."""
    if not is_root():
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write a file until there is no room left."""
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 512):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def post_until_full(person: Person) -> str:
    """Post until the daemon refuses; return what it says then."""
    for _ in range(10_000):
        try:
            person.post("x" * 8_000)
        except Refused as refused:
            return f"{refused.kind}: {refused}"
    raise AssertionError("the disk never became full")


def test_a_full_disk_is_told_and_survived(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, people(disk, "Ana") as (ana,):
        with people(tmp_path / "elsewhere", "Ben") as (ben,):
            ana.found("Garden")
            ben.join(ana.invite())
            ben.until_member()
            ana.post("before")
            ben.until_reads("before")
            rss_bytes = ana.rss_bytes()
            ballast = disk / "ballast"
            fill(ballast)
            told = post_until_full(ana)
            assert "disk" in told or "full" in told, told
            assert "before" in ana.texts()
            # What others write cannot be stored either; it must not end or swell the daemon.
            for number in range(30):
                ben.post(f"ben {number} " + "y" * 8_000)
            for _ in range(20):
                assert "disk" in (answer := post_until_full(ana)) or "full" in answer
            assert ana.rss_bytes() - rss_bytes < RSS_GROWTH_BYTES_MAX
            assert not ana.checks()["disk has room"]["is_ok"]
            ballast.unlink()
            ana.until(lambda: has_room(ana), "room")
            ana.until(lambda: any("ben 29" in t for t in ana.texts()), "what Ben wrote meanwhile")
            ben.until_reads("after")
            until_equal(ana, ben)
            assert ana.stop() == 0


def test_a_full_disk_stops_a_rebuild_and_a_start_and_costs_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, people(disk, "Ana") as (ana,):
        ana.found("Garden")
        for number in range(50):
            ana.post(f"kept {number} " + "x" * 500)
        before = ana.digest()
        fill(disk / "ballast")
        post_until_full(ana)
        refused = rebuilt(ana)
        assert refused.returncode != 0
        assert "the disk is full; free some space" in refused.stderr
        assert ana.texts()[-1].startswith("kept 49")
        ana.kill()
        fill(disk / "more ballast")
        ana.start()
        told = start_or_refusal(ana)
        assert told == "up" or "the disk is full" in told or "No space left" in told
        for name in ("ballast", "more ballast"):
            (disk / name).unlink()
        ana.kill()
        ana.start()
        ana.until_answering()
        assert ana.digest() == before
        assert rebuilt(ana).returncode == 0
        assert ana.digest() == before
        ana.post("after")


def rebuilt(person: Person) -> subprocess.CompletedProcess[str]:
    """What came of making all views anew."""
    command = [sys.executable, "-m", "p2pvalue_cli", "--data-dir", str(person.folder), "rebuild"]
    return subprocess.run(command, capture_output=True, text=True)


def start_or_refusal(person: Person) -> str:
    """`up` once the daemon answers, or the last line of one that did not start."""
    try:
        person.until_answering()
    except AssertionError:
        return person.log.splitlines()[-1]
    return "up"


def has_room(person: Person) -> bool:
    try:
        person.post("after")
    except Refused:
        return False
    return True
