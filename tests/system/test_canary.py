"""Whatever a person writes here, no byte of it can be found in her folder without her passphrase.

A daemon whose keys are under a passphrase is used for everything, with words that occur nowhere
else. Then every file in its folder is searched for them and for its secret keys, in every form in
which they might have been written down: while it runs, when it is locked and when it has ended.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from p2pvalue.keyfile import Cost, seal_open, seal_with_passphrase
from p2pvalue.keystore import Keystore
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.words import words_of
from tests.system.person import Person

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
PASSPHRASE = "canary of the passphrase"
CODINGS = ("utf-8", "utf-16-le", "utf-16-be")
NAME = "Canary Nightingale"
SAID = {
    "name": "canary of the community",
    "description": "canary of the description",
    "message": "canary of the chat, with an ñ",
    "title": "canary of the title",
    "text": "canary of the document\n",
    "edit": "canary of the edit\n",
    "need": "canary of the need",
    "body": "canary of its body",
    "unit": "canary-of-the-unit",
    "acceptance": "canary of when it is done",
    "where": "canary of the place",
    "skill": "canary-of-the-skill",
    "contribution": "canary of what was done",
    "reason": "canary of the reason",
    "device": "canary of the device",
}


class Used:
    """A person who has used everything, and what must not be found of it."""

    def __init__(self, folder: Path) -> None:
        self.ana = Person(NAME, folder)
        keystore = Keystore.open(folder)
        assert keystore.entropy is not None
        keystore.reseal(seal_with_passphrase(PASSPHRASE, os.urandom, CHEAP))
        self.words = words_of(keystore.entropy)
        self.links: list[str] = []

    def start(self) -> None:
        self.ana.start()
        self.ana.until(lambda: self.ana.status()["state"] == "locked", "the locked daemon")
        self.ana.ask("POST", "/unlock", passphrase=PASSPHRASE)
        self.ana.until_up()

    def use(self, read: str) -> None:
        """Say everything once, in a community of its own."""
        ask, of = self.ana.ask, {"community": f"{read} {SAID['name']}"}
        ask(
            "POST",
            "/communities",
            name=of["community"],
            read=read,
            description=SAID["description"],
        )
        self.links.append(ask("POST", "/invites", uses=3, **of)["link"])
        ask("POST", "/messages", text=SAID["message"], **of)
        ask("POST", "/documents", title=SAID["title"], text=SAID["text"], **of)
        path = f"/documents/{SAID['title'].replace(' ', '%20')}"
        ask("PUT", path, text=SAID["text"] + SAID["edit"], base_text=SAID["text"], **of)
        line = {"kind": "material", "unit": SAID["unit"], "minimum": 1}
        need = {"title": SAID["need"], "body": SAID["body"], "acceptance": SAID["acceptance"]}
        ask("POST", "/needs", lines=[line], **need, **of)
        promised = ask(
            "POST", "/pledges", need=need["title"], quantity=1, where=SAID["where"], **of
        )
        pledge = promised["pledge"]
        ask("POST", f"/pledges/{pledge}/withdraw", reason=SAID["reason"], **of)
        ask("POST", "/contributions", title=SAID["contribution"], quantity=5, **of)
        ask("PUT", "/offers", skills=[SAID["skill"]])

    def name_device(self) -> None:
        """Give this device a name, as when another one is to be linked."""
        self.ana.ask("POST", "/devices/link", label=SAID["device"])
        self.ana.ask("POST", "/devices/link/cancel")

    def type(self, *words: str) -> None:
        """Type a command that must succeed."""
        command = [sys.executable, "-m", "p2pvalue_cli", "--data-dir", str(self.ana.folder)]
        subprocess.run([*command, *words], check=True, capture_output=True)

    def texts(self) -> dict[str, str]:
        """What she said, by what it is."""
        secret = {"passphrase": PASSPHRASE, "person": NAME, "words": " ".join(self.words)}
        links = {f"link {n}": link.partition("#")[2] for n, link in enumerate(self.links)}
        return {**SAID, **secret, **links}

    def keys(self) -> dict[str, bytes]:
        """Her secret keys, by what they are."""
        keystore = Keystore.open(self.ana.folder, passphrase=PASSPHRASE)
        assert keystore.entropy is not None
        found = {
            "entropy": keystore.entropy,
            "database key": keystore.database_key,
            "backup key": keystore.backup_key,
            "transport seed": keystore.transport_seed,
        }
        for community in keystore.communities():
            keys = keystore.keys(community)
            assert keys is not None
            found[f"device {community.hex()[:8]}"] = keys.device_seed
            found[f"prekey {community.hex()[:8]}"] = keys.prekey_private
        return found


def forms(secret: bytes) -> Iterator[bytes]:
    """Every way in which bytes might stand in a file."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for shift in range(3):  # inside a longer text in base64, where its first letter is not aligned
        coded = base64.b64encode(bytes(shift) + secret)
        inner = coded[4 if shift else 0 :].rstrip(b"=")[:-2]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def found_in(folder: Path, texts: dict[str, str], keys: dict[str, bytes]) -> set[str]:
    """What of all this stands somewhere in a folder, in whatever form."""
    encoded = {
        name: {form for coding in CODINGS for form in forms(text.encode(coding))}
        for name, text in texts.items()
    }
    encoded |= {name: set(forms(key)) for name, key in keys.items()}
    data = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    assert data
    return {
        name
        for name, those in encoded.items()
        if any(form in file for form in those for file in data)
    }


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    used = Used(tmp_path_factory.mktemp("canary") / "data")
    try:
        used.start()
        for read in ("members", "public"):
            used.use(read)
        used.name_device()
        yield used
    finally:
        used.ana.close()


def test_nothing_is_found_while_it_runs_when_it_is_locked_and_when_it_has_ended(
    used: Used,
) -> None:
    ana, texts, keys = used.ana, used.texts(), used.keys()
    assert found_in(ana.folder, texts, keys) == set()
    used.type("backup", str(ana.folder / "garden.backup"))
    used.type("verify")
    assert found_in(ana.folder, texts, keys) == set()
    ana.ask("POST", "/lock")
    ana.until(lambda: ana.status()["state"] == "locked", "the locked daemon")
    assert found_in(ana.folder, texts, keys) == set()
    ana.ask("POST", "/unlock", passphrase=PASSPHRASE)
    ana.until_up()
    assert len(ana.ask("GET", "/communities")) == 2
    assert ana.stop() == 0
    assert found_in(ana.folder, texts, keys) == set()


def test_without_encryption_the_same_search_finds_it(used: Used, tmp_path: Path) -> None:
    if used.ana.is_alive:
        assert used.ana.stop() == 0
    texts, keys = used.texts(), used.keys()
    folder = tmp_path / "open"
    shutil.copytree(used.ana.folder, folder)
    keystore = Keystore.open(folder, passphrase=PASSPHRASE)
    database = apsw.Connection(str(folder / DATABASE_NAME))
    database.pragma("key", f"raw:{keystore.database_key.hex()}")
    database.pragma("journal_mode", "delete")
    database.pragma("rekey", "")
    database.close()
    assert set(SAID) <= (found := found_in(folder, texts, keys)), set(SAID) - found
    assert found.isdisjoint(keys)
    keystore.reseal(seal_open())
    assert set(keys) | {"person"} <= found_in(folder, texts, keys)
