"""Words, passphrases, locking and wiping, as a person meets them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import keyring.backends.fail
import pytest

from p2pvalue.keyfile import Cost, seal_with_passphrase
from p2pvalue.keystore import FILE_NAME, Keystore
from p2pvalue.words import entropy_of
from p2pvalue_cli import failures
from tests.api.daemons import Daemon, started
from tests.cli.conftest import Person
from tests.cli.terminal import typed

RUN = ("-m", "p2pvalue_cli", "run")
CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
PASSPHRASE = "a passphrase like no other"
OTHERS = "zoo " * 23 + "vote"


@pytest.fixture
def ben(tmp_path: Path) -> Person:
    """A person without a network, whose keys are under a passphrase that is cheap to try."""
    folder = tmp_path / "ben"
    Keystore.create(folder, "Ben", seal=seal_with_passphrase(PASSPHRASE, os.urandom, CHEAP))
    (folder / "config.toml").write_text("[network]\nlisten = []\n")
    return Person(folder)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A file with the passphrase, for who cannot be asked."""
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    return path


@pytest.fixture
def locked(ben: Person) -> Iterator[Daemon]:
    """Her daemon, started where nobody can be asked."""
    with started(*RUN, "--debug", P2PVALUE_DATA_DIR=str(ben.folder)) as daemon:
        daemon.wait_until_ready()
        yield daemon


# --- init


def test_at_a_terminal_init_asks_for_a_passphrase_and_shows_the_words_once(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    code, shown = typed(
        ["--data-dir", str(folder), "init"],
        ("What do others call you?", "Ana"),
        ("A passphrase for your keys", ""),
        ("A passphrase for your keys", PASSPHRASE),
        ("The same again", "something else"),
        ("A passphrase for your keys", PASSPHRASE),
        ("The same again", PASSPHRASE),
    )
    assert code == 0, shown
    assert "--protect none" in shown, "what an empty passphrase means"
    assert "two different ones" in shown
    assert PASSPHRASE not in shown, "no echo"
    numbered = {int(place): word for place, word in re.findall(r"(\d+)\. ([a-z]+)", shown)}
    keystore = Keystore.open(folder, passphrase=PASSPHRASE)
    assert entropy_of(" ".join(numbered[place] for place in range(1, 25))) == keystore.entropy
    assert keystore.are_words_shown


def test_for_a_program_init_asks_nothing_and_says_that_the_keys_lie_open(tmp_path: Path) -> None:
    person = Person(tmp_path / "new")
    shown = person.sees("init", "--name", "Ana")
    assert "its keys lie open" in shown
    assert "passphrase change" in shown
    keystore = Keystore.open(person.folder)
    assert keystore.is_left_open
    assert not keystore.are_words_shown
    chosen = Person(tmp_path / "chosen")
    assert "lie open" not in chosen.sees("init", "--name", "Ana", "--protect", "none")
    assert not Keystore.open(chosen.folder).is_left_open


def test_in_json_the_words_are_a_field(tmp_path: Path) -> None:
    answer = Person(tmp_path / "new").gets("init", "--name", "Ana")
    keystore = Keystore.open(tmp_path / "new")
    assert entropy_of(" ".join(answer["words"])) == keystore.entropy
    assert answer["protection"] == "none"
    assert keystore.are_words_shown


def test_a_passphrase_comes_from_a_file_or_the_environment_and_never_from_arguments(
    tmp_path: Path, paper: Path
) -> None:
    given = {
        "option": (["--passphrase-file", str(paper)], None, {}),
        "stdin": (["--passphrase-file", "-"], PASSPHRASE, {}),
        "environment": ([], None, {"P2PVALUE_PASSPHRASE_FILE": str(paper)}),
    }
    for way, (words, stdin, environment) in given.items():
        person = Person(tmp_path / way)
        assert "lie open" not in person.sees(
            "init", "--name", "Ana", *words, stdin=stdin, **environment
        )
        data = (person.folder / FILE_NAME).read_bytes()
        assert json.loads(data)["cost"]["memory_kib"] == 65_536
    assert Keystore.open(person.folder, passphrase=PASSPHRASE).name == "Ana"


@pytest.mark.parametrize(
    ("words", "stdin", "says"),
    [
        (["--protect", "passphrase"], None, "nobody can be asked"),
        (["--passphrase-file", "-"], "", "the passphrase is empty"),
        (["--protect", "none", "--passphrase-file", "-"], "x", "does not go with"),
        (["--recover"], None, "nobody can be asked"),
        (["--recover", "--words-file", "-"], OTHERS.replace("vote", "zoo"), "checksum"),
        (["--recover", "--words-file", "-"], "zoo", "1 words and not 24"),
        (["--words-file", "-"], OTHERS, "--recover"),
    ],
)
def test_init_that_cannot_be_done_makes_nothing(
    tmp_path: Path, words: list[str], stdin: str | None, says: str
) -> None:
    person = Person(tmp_path / "new")
    refused = person.type("init", "--name", "Ana", *words, stdin=stdin)
    assert refused.exit_code in (failures.FAILED, failures.USAGE)
    assert says in refused.stderr
    assert not (person.folder / FILE_NAME).exists()


def test_a_machine_without_a_keyring_is_told_to_take_a_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = keyring.backends.fail.Keyring()  # type: ignore[no-untyped-call]  # the library's
    monkeypatch.setattr("keyring.core._keyring_backend", none)
    person = Person(tmp_path / "new")
    refused = person.type("init", "--name", "Ana", "--protect", "keyring")
    assert (refused.exit_code, "use a passphrase" in refused.stderr) == (failures.FAILED, True)
    assert not person.folder.exists()


def test_words_bring_the_person_back_on_a_new_machine(tmp_path: Path) -> None:
    person = Person(tmp_path / "new")
    answer = json.loads(
        person.sees("init", "--name", "Z", "--recover", "--words-file", "-", "--json", stdin=OTHERS)
    )
    assert "words" not in answer
    assert Keystore.open(person.folder).entropy == entropy_of(OTHERS)
    again = ["init", "--name", "Z", "--recover", "--protect", "none"]
    code, shown = typed(["--data-dir", str(tmp_path / "again"), *again], ("Your 24 words", OTHERS))
    assert (code, "zoo" in shown) == (0, False), shown
    assert Keystore.open(tmp_path / "again").entropy == entropy_of(OTHERS)


# --- words, with a node of straw


def test_words_are_shown_once_checked_and_forgotten(ana: Person) -> None:
    assert "--json" in ana.type("words", "show").stderr, "never into a pipe unasked"
    words = " ".join(ana.gets("words", "show")["words"])
    again = ana.type("words", "show", "--json")
    assert (again.exit_code, "shown once" in again.stderr) == (failures.FAILED, True)
    assert ana.sees("words", "check", "--words-file", "-", stdin=words) == "these are your words\n"
    others = ana.type("words", "check", "--words-file", "-", stdin=OTHERS)
    assert (others.exit_code, others.stdout) == (failures.FAILED, "these are not yours\n")
    assert ana.type("words", "forget").exit_code == failures.FAILED
    ana.sees("words", "forget", "--yes")
    needed = ana.type("community", "create", "Workshop")
    assert (needed.exit_code, "24 words" in needed.stderr) == (failures.FAILED, True)
    ana.sees("community", "create", "Workshop", "--words-file", "-", stdin=words)


def test_the_passphrase_is_changed_with_the_old_one(ana: Person, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("old one")
    new.write_text("new one")
    change = ("passphrase", "change", "--new-passphrase-file")
    assert "passphrase" in ana.sees(*change, str(old))
    wrong = ana.type(*change, str(new), "--passphrase-file", str(new))
    assert wrong.exit_code == failures.NOT_ALLOWED
    assert "nothing was changed" in wrong.stderr
    ana.sees(*change, str(new), "--passphrase-file", str(old))
    assert ana.gets("status")["protection"] == "passphrase"
    ana.sees("passphrase", "change", "--protect", "none", "--passphrase-file", str(new))
    assert ana.gets("status")["protection"] == "none"


# --- a locked daemon


def test_without_a_terminal_the_daemon_starts_locked_and_unlock_opens_it(
    ben: Person, locked: Daemon, paper: Path
) -> None:
    view = ben.gets("status")
    assert (view["state"], view["pid"]) == ("locked", locked.process.pid)
    assert "waiting for" in ben.sees("status")
    refused = ben.type("chat", "list")
    assert (refused.exit_code, "p2pvalue unlock" in refused.stderr) == (failures.LOCKED, True)
    wrong = ben.type("unlock", "--passphrase-file", "-", stdin="another")
    assert wrong.exit_code == failures.NOT_ALLOWED
    assert ben.sees("unlock", "--passphrase-file", str(paper)) == "open\n"
    assert ben.sees("unlock", "--passphrase-file", "-", stdin="of an open door") == "open\n"
    ben.sees("community", "create", "Garden")
    assert locked.interrupt() == 0
    assert PASSPHRASE not in locked.log
    assert "another" not in locked.log


def memory_holds(process: int, *secrets: bytes) -> list[bool]:
    """Whether each secret stands anywhere in what a process has written to its memory."""
    found = [False] * len(secrets)
    maps = Path(f"/proc/{process}/maps").read_text().splitlines()
    try:
        memory = open(f"/proc/{process}/mem", "rb", buffering=0)  # noqa: SIM115, PTH123  # below
    except PermissionError:
        pytest.skip("this system lets nobody look into a process's memory")
    with memory:
        for line in maps:
            addresses, rights, *_ = line.split()
            if not rights.startswith("rw") or "[v" in line:
                continue
            start, end = (int(address, 16) for address in addresses.split("-"))
            memory.seek(start)
            try:
                data = memory.read(end - start)
            except OSError:
                continue  # a page that was never there
            found = [held or secret in data for held, secret in zip(found, secrets, strict=True)]
    return found


def test_lock_leaves_no_key_in_the_memory_of_the_process(
    ben: Person, locked: Daemon, paper: Path
) -> None:
    keystore = Keystore.open(ben.folder, passphrase=PASSPHRASE)
    assert keystore.entropy is not None
    sentence = b"a sentence like no other"
    secrets = (keystore.entropy, keystore.database_key, keystore.transport_seed, sentence)
    ben.sees("unlock", "--passphrase-file", str(paper))
    ben.sees("community", "create", "Garden")
    ben.sees("chat", "post", sentence.decode())
    assert memory_holds(locked.process.pid, *secrets) == [True] * 4, "or the test sees nothing"
    ben.sees("lock")
    view = ben.gets("status")
    assert (view["state"], view["pid"]) == ("locked", locked.process.pid)
    assert memory_holds(locked.process.pid, *secrets, PASSPHRASE.encode()) == [False] * 5
    assert ben.type("chat", "list").exit_code == failures.LOCKED
    ben.sees("lock")
    ben.sees("unlock", "--passphrase-file", str(paper))
    assert [m["text"] for m in ben.gets("chat", "list")] == [sentence.decode()]
    assert locked.interrupt() == 0
    assert "Traceback" not in locked.log


def test_a_file_with_the_passphrase_opens_it_at_the_start(ben: Person, paper: Path) -> None:
    environment = {
        "P2PVALUE_DATA_DIR": str(ben.folder),
        "P2PVALUE_PASSPHRASE_FILE": str(paper),
    }
    with started(*RUN, **environment) as daemon:
        daemon.wait_until_ready()
        assert ben.gets("status")["state"] == "running"
        assert daemon.interrupt() == 0
    paper.write_text("another")
    with started(*RUN, **environment) as daemon:
        assert daemon.wait() == failures.NOT_ALLOWED
    assert "this passphrase does not open the keys" in daemon.log
    assert "Traceback" not in daemon.log


def test_at_a_terminal_the_daemon_asks(ben: Person) -> None:
    run = ["--data-dir", str(ben.folder), "run"]
    code, shown = typed(run, ("Passphrase", "another"))
    assert code == failures.NOT_ALLOWED
    assert "does not open the keys" in shown
    code, shown = typed(run, ("Passphrase", PASSPHRASE), ("running as process", "\x03"))
    assert (code, PASSPHRASE in shown) == (0, False), shown


# --- wipe


def test_wipe_ends_the_daemon_and_leaves_nothing(ben: Person, locked: Daemon, paper: Path) -> None:
    ben.sees("unlock", "--passphrase-file", str(paper))
    ben.sees("community", "create", "Garden")
    assert "--yes" in ben.type("wipe").stderr
    assert ben.folder.exists()
    wrong = typed(["--data-dir", str(ben.folder), "wipe"], ("Type ben", "Ben's"))
    assert (wrong[0], "nothing was wiped" in wrong[1]) == (failures.FAILED, True)
    code, shown = typed(["--data-dir", str(ben.folder), "wipe"], ("Type ben", "ben"))
    assert code == 0, shown
    assert "the keys are gone" in shown
    assert not ben.folder.exists()
    assert locked.wait() == 0
    assert "holds no node" in ben.type("wipe", "--yes").stderr


def test_a_unit_for_systemd_comes_with_the_word_on_how_to_open_it(ben: Person) -> None:
    shown = ben.sees("service", "--install", XDG_CONFIG_HOME=str(ben.folder))
    assert "after each start: p2pvalue unlock" in shown


def test_wipe_in_json_says_each_step(ben: Person) -> None:
    steps = ben.gets("wipe", "--yes")["steps"]
    assert steps[0].startswith("the keys are gone")
    assert not ben.folder.exists()
