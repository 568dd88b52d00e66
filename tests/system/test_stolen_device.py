"""A device is stolen: it is put out by one that came before, or by the words alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from p2pvalue.words import words_of
from tests.system.person import Person, Refused, gathered, people, until_equal

ENTROPY = sha256(b"Ana's words").digest()
WORDS = " ".join(words_of(ENTROPY))


@contextmanager
def ana_on_two_devices(root: Path) -> Iterator[tuple[Person, Person, Person]]:
    """Ana's laptop and the phone that it brought in, and Ben; all in one community."""
    laptop = Person("Ana", root / "laptop", entropy=ENTROPY, durability="kill")
    phone = Person("phone", root / "phone", entropy=None, durability="kill")
    with people(root, "Ben", durability="kill") as (ben,):
        try:
            for device in (laptop, phone):
                device.start()
            for device in (laptop, phone):
                device.until_up()
            gathered(laptop, ben)
            shown = phone.ask("POST", "/devices/link", label="phone")
            assert laptop.ask("POST", "/devices/add", code=shown["code"])["state"] == "linked"
            phone.until_member()
            phone.until(lambda: said(phone, "from the phone"), "being able to write")
            for other in (laptop, ben):
                other.until_reads("from the phone")
            yield laptop, phone, ben
        finally:
            laptop.close()
            phone.close()


def said(person: Person, text: str) -> bool:
    """Whether a person could write now."""
    try:
        person.post(text)
    except Refused:
        return False
    return True


def states(person: Person) -> dict[str, str]:
    """How each device of a person's stands, by its beginning."""
    return {view["device"][:8]: view["state"] for view in person.ask("GET", "/devices")}


def test_a_stolen_phone_is_put_out_by_the_laptop(tmp_path: Path) -> None:
    with ana_on_two_devices(tmp_path) as (laptop, phone, ben):
        for person in (laptop, phone, ben):
            person.cable.pull()
        phone.until(lambda: not phone.peers_in_touch(), "being alone")
        phone.post("by the thief, out of reach")
        assert phone.stop() == 0
        for person in (laptop, phone, ben):
            person.cable.plug_in()
        (gone,) = laptop.ask("POST", "/devices/phone/revoke")
        assert gone["state"] == "revoked"
        laptop.post("the phone is stolen")
        ben.until_reads("the phone is stolen")
        phone.start()
        phone.until(lambda: "revoked" in states(phone).values(), "the phone to learn of it")
        with pytest.raises(Refused, match="removed"):
            phone.post("by the thief, again")
        until_equal(laptop, ben)
        assert ben.texts() == ["from the phone", "the phone is stolen"]


def test_a_thief_with_the_oldest_device_is_put_out_by_words(tmp_path: Path) -> None:
    with ana_on_two_devices(tmp_path) as (stolen, phone, ben):
        stolen.ask("POST", "/devices/phone/revoke")
        phone.until(lambda: "revoked" in states(phone).values(), "the phone to be put out")
        oldest = stolen.ask("GET", "/community")["device"]
        link = ben.ask("GET", "/link")["link"]
        anew = Person("Ana", tmp_path / "new", entropy=ENTROPY, durability="kill")
        try:
            anew.start()
            anew.until_up()
            anew.ask("POST", "/communities/recover", link=link)
            anew.until_member()
            with pytest.raises(Refused):
                anew.ask("POST", f"/devices/{oldest[:8]}/revoke")
            anew.ask("POST", f"/devices/{oldest[:8]}/revoke", words=WORDS)
            anew.until(lambda: said(anew, "it is me, on a new machine"), "being able to write")
            ben.until_reads("it is me, on a new machine")
            stolen.until(
                lambda: states(stolen)[oldest[:8]] == "revoked", "the thief to learn of it"
            )
            assert not said(stolen, "by the thief")
            until_equal(anew, ben)
        finally:
            anew.close()


def test_words_of_nobody_there_bring_nobody_in_and_say_so(tmp_path: Path) -> None:
    with people(tmp_path, "Ben", durability="kill") as (ben,):
        garden = ben.found("Garden")
        link = ben.ask("GET", "/link")["link"]
        stranger = Person("Sam", tmp_path / "sam", durability="kill")
        try:
            stranger.start()
            stranger.until_up()
            stranger.ask("POST", "/communities/recover", link=link)

            def waiting() -> bool:
                [view] = stranger.ask("GET", "/communities")
                return "your words are those of nobody" in view["waiting_for"]

            stranger.until(waiting, "the refusal")
            [view] = stranger.ask("GET", "/communities")
            assert (view["community"], view["state"], view["members"]) == (garden, "joining", 0)
        finally:
            stranger.close()
