"""Bits that flip in a real folder are told with a next step; what they spoilt reaches nobody."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import WAIT_S
from tests.system.person import Person, Refused, people

PAGE_BYTES = 4_096
RESTORE = "`p2pvalue restore`"
# Long ones: most of the file is pages that hold nothing but a part of one message.
TEXTS = [f"message {number} " + "x" * 8_000 for number in range(30)]


@pytest.fixture
def ana(tmp_path: Path) -> Iterator[Person]:
    """A founder who has said something, on a daemon that has stopped."""
    with people(tmp_path, "Ana") as (person,):
        person.found("Garden")
        for text in TEXTS:
            person.post(text)
        assert person.stop() == 0
        yield person


def flip(path: Path, place: int) -> None:
    """Flip one bit, as a disk does that forgets."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))


def refusal(person: Person) -> str:
    """What a daemon says that does not start."""
    assert person.process is not None
    assert person.process.wait(WAIT_S) == 1
    return person.log.splitlines()[-1]


def test_a_damaged_journal_keeps_the_daemon_from_starting_on_less_than_it_said(
    ana: Person, rng: random.Random
) -> None:
    ana.start()
    ana.until_up()
    for number in range(10):
        ana.post(f"after the start {number}")
    ana.kill()
    journal = ana.folder / "p2pvalue.db-wal"
    flip(journal, rng.randrange(journal.stat().st_size // 2))
    before = journal.read_bytes()
    for _ in range(2):
        ana.start()
        told = refusal(ana)
        assert "p2pvalue.db-wal) is damaged" in told
        assert RESTORE in told
        assert journal.read_bytes() == before


def test_a_damaged_beginning_keeps_the_daemon_from_starting(ana: Person) -> None:
    flip(ana.folder / "p2pvalue.db", 2_000)
    ana.start()
    told = refusal(ana)
    assert "the file is damaged" in told
    assert RESTORE in told


def test_a_damaged_message_reaches_neither_its_author_nor_a_peer(
    ana: Person, tmp_path: Path
) -> None:
    database = ana.folder / "p2pvalue.db"
    pages = database.stat().st_size // PAGE_BYTES
    flip(database, pages // 2 * PAGE_BYTES + 2_000)
    ana.start()
    ana.until_up()
    with pytest.raises(Refused, match=r"the file is damaged.*p2pvalue restore"):
        ana.texts()
    with people(tmp_path / "elsewhere", "Ben") as (ben,):
        ben.join(ana.invite())
        ana.until(lambda: not ana.checks()["data can be read"]["is_ok"], "the failure to be told")
        assert set(ben.texts()) < set(TEXTS)
        assert "damaged" in ana.checks()["data can be read"]["detail"]
    assert ana.is_alive
    assert "a defect" not in ana.log
    assert RESTORE in ana.log


def test_a_key_file_in_which_a_bit_flipped_is_not_used(ana: Person) -> None:
    keys = ana.folder / "keys.json"
    place = keys.read_bytes().index(b"device_seed") + 20
    flip(keys, place)
    ana.start()
    told = refusal(ana)
    assert "keys.json" in told
    assert "24 words" in told
