"""A data folder is copied and run twice: everybody is told, and nobody else loses a word."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.system.person import Person, Refused, gathered, people, until_equal


@contextmanager
def cloned(person: Person, folder: Path) -> Iterator[Person]:
    """Run a copy of a person's folder as well, at a port of its own."""
    assert person.stop() == 0
    twin = Person(f"{person.name}'s copy", folder)
    shutil.rmtree(folder)
    shutil.copytree(person.folder, folder, ignore=shutil.ignore_patterns("api.sock", "*.lock"))
    twin.configure()
    try:
        yield twin
    finally:
        twin.close()


def fork_warnings(person: Person) -> list[str]:
    return [text for text in person.status()["warnings"] if "wrote two histories" in text]


def test_a_copied_folder_is_found_out_and_costs_nobody_else_anything(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben", "Cleo", durability="kill") as (ana, ben, cleo):
        gathered(ana, ben, cleo)
        ben.post("before the copy")
        for other in (ana, cleo):
            other.until_reads("before the copy")
        with cloned(ben, tmp_path / "twin") as twin:
            ana_said = ["by Ana", "by Ana again"]
            for copy, text in ((ben, "by the first"), (twin, "by the copy")):
                with cables_pulled(copy, ana, cleo):
                    copy.start()
                    copy.until_answering()
                    copy.post(text)
                    assert copy.stop() == 0
            ana.post(ana_said[0])
            ben.start()
            ana.until_reads("by the first")
            assert ben.stop() == 0
            twin.start()
            for honest in (ana, cleo):
                honest.until(partial(fork_warnings, honest), "the warning")
                assert "a device of Ben" in fork_warnings(honest)[0]
                assert "nobody else's work is touched" in fork_warnings(honest)[0]
                assert not honest.checks()["devices in Garden"]["is_ok"]
            twin.until(lambda: fork_warnings(twin), "the warning at the copy")
            assert "this device" in fork_warnings(twin)[0]
            with pytest.raises(Refused, match=r"device link|doctor"):
                twin.post("one more")
            ana.post(ana_said[1])
            cleo.until_reads("before the copy", "by the first", *ana_said)
            until_equal(ana, cleo)
            assert twin.stop() == 0
            ben.start()
            ben.until(lambda: fork_warnings(ben), "the warning at the first")
            assert {"before the copy", "by the first"} <= set(ben.texts())


def test_a_forked_folder_gets_a_new_device_and_loses_nothing(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben", durability="kill") as (ana, ben):
        gathered(ana, ben)
        ben.post("before the copy")
        ana.until_reads("before the copy")
        with cloned(ben, tmp_path / "twin") as twin:
            twin.start()
            twin.until_up()
            twin.post("by the copy")
            ana.until_reads("by the copy")
            assert twin.stop() == 0
            with cables_pulled(ben, ana):
                ben.start()
                ben.until_answering()
                ben.post("by the first")
            ben.until(lambda: fork_warnings(ben), "the warning")
            former = ben.ask("GET", "/community")["device"]
            link = ana.ask("GET", "/link")["link"]
            ben.ask("POST", "/communities/recover", link=link)
            ben.until(lambda: ben.ask("GET", "/community")["device"] != former, "a new device")
            ben.until_member()
            ben.until(lambda: said(ben, "by a new device"), "being able to write")
            ana.until_reads("before the copy", "by the copy", "by a new device")
            ana.until(lambda: not fork_warnings(ana), "the device being out")
            until_equal(ana, ben)
            states = {view["device"]: view["state"] for view in ben.ask("GET", "/devices")}
            assert states[former] == "forked"


@contextmanager
def cables_pulled(*persons: Person) -> Iterator[None]:
    """Keep everybody apart: who calls and who is called each need a cable."""
    for person in persons:
        person.cable.pull()
    yield
    for person in persons:
        person.cable.plug_in()


def said(person: Person, text: str) -> bool:
    """Whether a person could write now."""
    try:
        person.post(text)
    except Refused:
        return False
    return True
