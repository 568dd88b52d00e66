"""A shared file that is under way survives what happens to daemons and lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.system.person import Person, gathered, people, until_equal

SIZE = 32 * 1024 * 1024 + 5


@pytest.fixture
def two(tmp_path: Path, rng: random.Random) -> Iterator[tuple[Person, Person]]:
    """Ana, who shared a large file, and ben, who knows of it."""
    (tmp_path / "film.bin").write_bytes(rng.randbytes(SIZE))
    with people(tmp_path, "Ana", "Ben") as (ana, ben):
        gathered(ana, ben)
        list(ana.lines("/blobs", source=str(tmp_path / "film.bin")))
        until_equal(ana, ben)
        yield ana, ben


def got(ben: Person, target: Path) -> Iterator[Any]:
    return ben.lines("/blobs/film.bin/get", target=str(target))


def test_a_fetch_goes_on_after_the_daemon_was_killed_in_the_middle_of_it(
    two: tuple[Person, Person], tmp_path: Path
) -> None:
    _, ben = two
    steps = (line.get("done", SIZE) for line in got(ben, tmp_path / "copy"))
    done = next(step for step in steps if step)
    ben.kill()
    assert 0 < done < SIZE
    assert not (tmp_path / "copy").exists()
    ben.start()
    ben.until_up()
    [view] = ben.ask("GET", "/blobs")
    assert view["state"] == "partly"
    first, *_, last = got(ben, tmp_path / "copy")
    assert done <= first["done"] < SIZE
    assert last["blob"]["state"] == "here"
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "film.bin").read_bytes()


def test_a_fetch_waits_for_a_line_that_was_cut_and_goes_on(
    two: tuple[Person, Person], tmp_path: Path
) -> None:
    ana, ben = two
    was_cut = False
    steps: list[int] = []
    for line in got(ben, tmp_path / "copy"):
        steps.append(line.get("done", SIZE))
        if not was_cut and 0 < steps[-1] < SIZE:
            was_cut = True
            for person in (ana, ben):
                person.cable.pull()
            for person in (ana, ben):
                person.cable.plug_in()
    assert was_cut
    assert all(before <= after for before, after in pairwise(steps))
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "film.bin").read_bytes()


def test_what_somebody_says_does_not_wait_for_a_file_that_is_under_way(
    two: tuple[Person, Person], tmp_path: Path
) -> None:
    ana, ben = two
    steps = (line.get("done", SIZE) for line in got(ben, tmp_path / "copy"))
    assert 0 < next(step for step in steps if step) < SIZE
    ana.post("before the film is here")
    assert next(step for step in steps if "before the film is here" in ben.texts()) < SIZE
    assert list(steps)[-1] == SIZE
