"""The key file is closed as its person chose, whatever happens to its bytes or to the machine."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest

from p2pvalue.keyfile import (
    COST,
    Cost,
    KeysLocked,
    Seal,
    WrongPassphrase,
    open_file,
    seal_open,
    seal_with_keyring,
    seal_with_passphrase,
)
from p2pvalue.keystore import FILE_NAME, Keystore, protection_of
from p2pvalue_protocol.errors import ConfigError

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
PASSPHRASE = "four words of hers"


def sealed(passphrase: str = PASSPHRASE) -> Seal:
    return seal_with_passphrase(passphrase, os.urandom, CHEAP)


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring as a desktop has one, without the desktop."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library types its methods only
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("it is not there")


@pytest.fixture
def desktop() -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def headless() -> Iterator[None]:
    before = keyring.get_keyring()
    none = keyring.backends.fail.Keyring()  # type: ignore[no-untyped-call]  # as above
    keyring.set_keyring(none)
    yield
    keyring.set_keyring(before)


# --- under a passphrase


def test_the_passphrase_opens_it_and_no_other_does(tmp_path: Path) -> None:
    created = Keystore.create(tmp_path, "Ana", seal=sealed())
    before = (tmp_path / FILE_NAME).read_bytes()
    opened = Keystore.open(tmp_path, passphrase=PASSPHRASE)
    assert (opened.entropy, opened.protection) == (created.entropy, "passphrase")
    assert protection_of(tmp_path) == "passphrase"
    with pytest.raises(KeysLocked, match="p2pvalue unlock"):
        Keystore.open(tmp_path)
    for wrong in ("", PASSPHRASE + " ", PASSPHRASE.upper(), "x" * 1_000):
        with pytest.raises(ConfigError):
            Keystore.open(tmp_path, passphrase=wrong)
    with pytest.raises(WrongPassphrase, match="nothing was changed"):
        Keystore.open(tmp_path, passphrase="another")
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_passphrase_is_the_same_however_its_letters_were_composed() -> None:
    seal = sealed("caf\u00e9 con le\u00f1a")
    assert seal.fits("cafe\u0301 con len\u0303a")
    assert not seal.fits("cafe con lena")


def test_an_empty_passphrase_is_told_what_it_would_mean() -> None:
    with pytest.raises(ConfigError, match="--protect none"):
        sealed("")
    with pytest.raises(ConfigError, match="shorten"):
        sealed("x" * 2_000)


def test_what_is_kept_later_is_closed_in_the_same_way(tmp_path: Path) -> None:
    keystore = Keystore.create(tmp_path, "Ana", seal=sealed())
    keystore.set_name("a name like no other")
    data = (tmp_path / FILE_NAME).read_bytes()
    assert b"no other" not in data
    assert Keystore.open(tmp_path, passphrase=PASSPHRASE).name == "a name like no other"
    keystore.set_name("Ana")
    again = (tmp_path / FILE_NAME).read_bytes()
    assert json.loads(again)["nonce"] != json.loads(data)["nonce"]


def test_no_secret_is_in_the_file_or_in_what_is_printed(tmp_path: Path) -> None:
    keystore = Keystore.create(tmp_path, "Ana", seal=sealed())
    keystore.put(b"\x07" * 32, keystore.new_keys(nonce=b"n" * 32))
    keys = keystore.keys(b"\x07" * 32)
    assert keys is not None
    assert keystore.entropy is not None
    data = (tmp_path / FILE_NAME).read_bytes()
    shown = repr(keys) + repr(keystore._contents) + repr(keystore._seal)
    for secret in (keystore.entropy, keystore.database_key, keys.device_seed, keystore.backup_key):
        assert secret not in data
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


@pytest.mark.parametrize("seed", range(40))
def test_a_changed_byte_is_refused_with_a_next_step(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    Keystore.create(tmp_path, "Ana", seal=sealed())
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(7)
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"keys\.json|does not open the keys"):
        Keystore.open(tmp_path, passphrase=PASSPHRASE)


@pytest.mark.parametrize(
    "cost",
    [
        {"memory_kib": 2**31, "iterations": 3, "lanes": 4},
        {"memory_kib": 65_536, "iterations": 2**31, "lanes": 4},
        {"memory_kib": 65_536, "iterations": 3, "lanes": 2**20},
        {"memory_kib": 0, "iterations": 0, "lanes": 0},
    ],
)
def test_a_forged_file_cannot_ask_for_all_the_memory_or_time(
    tmp_path: Path, cost: dict[str, int]
) -> None:
    Keystore.create(tmp_path, "Ana", seal=sealed())
    path = tmp_path / FILE_NAME
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"cost": cost}))
    with pytest.raises(ConfigError, match="damaged"):
        Keystore.open(tmp_path, passphrase=PASSPHRASE)


def test_a_cheaper_cost_in_the_header_opens_nothing(tmp_path: Path) -> None:
    Keystore.create(tmp_path, "Ana", seal=sealed())
    path = tmp_path / FILE_NAME
    weaker = {"memory_kib": 128, "iterations": 1, "lanes": 1}
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"cost": weaker}))
    with pytest.raises(WrongPassphrase):
        Keystore.open(tmp_path, passphrase=PASSPHRASE)


def test_people_get_the_second_choice_of_the_standard() -> None:
    assert (COST.memory_kib, COST.iterations, COST.lanes) == (65_536, 3, 4)


# --- changing how it is closed


def test_the_old_passphrase_opens_nothing_after_a_change(tmp_path: Path) -> None:
    keystore = Keystore.create(tmp_path, "Ana", seal=sealed())
    keystore.reseal(sealed("a new one"))
    with pytest.raises(WrongPassphrase):
        Keystore.open(tmp_path, passphrase=PASSPHRASE)
    assert Keystore.open(tmp_path, passphrase="a new one").entropy == keystore.entropy
    keystore.reseal(seal_open(is_chosen=True))
    assert Keystore.open(tmp_path).entropy == keystore.entropy


def test_a_change_that_the_disk_refuses_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keystore = Keystore.create(tmp_path, "Ana", seal=sealed())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="is as it was"):
            keystore.reseal(sealed("a new one"))
    keystore.set_name("Eva")
    assert Keystore.open(tmp_path, passphrase=PASSPHRASE).name == "Eva"


CHANGING = """
import os, sys
from pathlib import Path
from p2pvalue.keyfile import Cost, seal_with_passphrase
from p2pvalue.keystore import Keystore

folder, cost = Path(sys.argv[1]), Cost(memory_kib=64, iterations=1, lanes=1)
keystore = Keystore.create(folder, "Ana", seal=seal_with_passphrase("0", os.urandom, cost))
seals = [seal_with_passphrase(str(n), os.urandom, cost) for n in range(10)]
print(keystore.entropy.hex(), flush=True)
while True:
    for number in range(10):
        keystore.reseal(seals[number])
        print(number, flush=True)
"""


@pytest.mark.parametrize("changes", [1, 7, 40])
def test_a_kill_at_any_moment_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, changes: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CHANGING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    entropy = process.stdout.readline().strip()
    for _ in range(changes):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    opening = []
    for number in range(10):
        try:
            opened = Keystore.open(tmp_path, passphrase=str(number))
        except WrongPassphrase:
            continue
        assert opened.entropy is not None
        assert opened.entropy.hex() == entropy
        opening.append(number)
    print(f"told {last}, found {opening}")
    assert len(opening) == 1


# --- in the system's keyring


def test_a_key_in_the_keyring_opens_it_without_a_question(
    tmp_path: Path, desktop: MemoryKeyring
) -> None:
    created = Keystore.create(tmp_path, "Ana", seal=seal_with_keyring(os.urandom))
    assert len(desktop.entries) == 1
    opened = Keystore.open(tmp_path)
    assert (opened.entropy, opened.protection) == (created.entropy, "keyring")
    assert protection_of(tmp_path) == "keyring"
    desktop.entries.clear()
    with pytest.raises(ConfigError, match=r"has no entry p2pvalue/.*24 words"):
        Keystore.open(tmp_path)


def test_changing_to_a_passphrase_takes_the_key_out_of_the_keyring(
    tmp_path: Path, desktop: MemoryKeyring
) -> None:
    keystore = Keystore.create(tmp_path, "Ana", seal=seal_with_keyring(os.urandom))
    keystore.reseal(sealed())
    assert desktop.entries == {}
    assert Keystore.open(tmp_path, passphrase=PASSPHRASE).entropy == keystore.entropy


@pytest.mark.parametrize("text", ["no base64 at all!", "AAAA", ""])
def test_a_foreign_entry_in_the_keyring_is_told(
    tmp_path: Path, desktop: MemoryKeyring, text: str
) -> None:
    Keystore.create(tmp_path, "Ana", seal=seal_with_keyring(os.urandom))
    desktop.entries = dict.fromkeys(desktop.entries, text)
    with pytest.raises(ConfigError, match=r"keys\.json cannot be used"):
        Keystore.open(tmp_path)


@pytest.mark.usefixtures("headless")
def test_a_machine_without_a_keyring_is_told_to_use_a_passphrase() -> None:
    with pytest.raises(ConfigError, match="use a passphrase"):
        seal_with_keyring(os.urandom)


def test_an_installation_without_the_package_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"pip install 'p2pvalue\[keyring\]'"):
        seal_with_keyring(os.urandom)


# --- left open


def test_a_bit_that_flips_in_an_open_file_makes_no_other_keys(tmp_path: Path) -> None:
    keystore = Keystore.create(tmp_path, "Ana", seal=seal_open())
    keystore.put(bytes(32), keystore.new_keys(nonce=bytes(range(32))))
    path = tmp_path / FILE_NAME
    before = path.read_bytes()
    same, told = 0, set()
    for bit in range(len(before) * 8):
        data = bytearray(before)
        data[bit // 8] ^= 1 << bit % 8
        try:
            _, contents = open_file(bytes(data), None)
        except ConfigError as error:
            told.add("damaged" in str(error) or "newer" in str(error))
            continue
        assert contents == open_file(before, None)[1], f"bit {bit}"
        same += 1  # a bit that no letter of the check value needs
    assert told == {True}
    assert same < 8


def test_an_open_file_of_the_first_version_has_no_check_value_and_gets_one(tmp_path: Path) -> None:
    keystore = Keystore.create(tmp_path, "Ana", seal=seal_open(is_chosen=True))
    path = tmp_path / FILE_NAME
    form = json.loads(path.read_bytes())
    del form["check"]
    path.write_text(json.dumps(form | {"version": 1}))
    opened = Keystore.open(tmp_path)
    assert opened.database_key == keystore.database_key
    opened.set_name("Anna")
    written = json.loads(path.read_bytes())
    assert (written["version"], written["is_chosen"], bool(written["check"])) == (2, True, True)
    assert Keystore.open(tmp_path).name == "Anna"


def test_a_file_that_nobody_chose_to_leave_open_is_known_as_such(tmp_path: Path) -> None:
    assert Keystore.create(tmp_path / "a", "Ana").is_left_open
    chosen = Keystore.create(tmp_path / "b", "Ana", seal=seal_open(is_chosen=True))
    assert not chosen.is_left_open
    assert Keystore.open(tmp_path / "a").is_left_open
    assert not Keystore.open(tmp_path / "b").is_left_open
