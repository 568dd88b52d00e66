"""A file that was made from a document brings back what was changed in it, and nothing else."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from p2pvalue_cli import bases, failures
from tests.api.daemons import Daemon, fake_daemon
from tests.cli.conftest import Person

FIRST = "one\ntwo\nthree\n"


@pytest.fixture
def minutes(ana: Person) -> Person:
    """A person with a document."""
    ana.sees("document", "create", "Minutes", "--from", "-", stdin=FIRST)
    return ana


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the document is written to."""
    return tmp_path / "minutes.md"


def shown(person: Person) -> str:
    return str(person.gets("document", "show", "Minutes")["text"])


def others_write(person: Person, text: str) -> None:
    """What somebody writes who knows nothing of the file."""
    person.sees("document", "edit", "Minutes", "--replace", "--from", "-", stdin=text)


def change(file: Path, before: str, after: str) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def save(person: Person, file: Path, *words: str) -> tuple[int, str]:
    result = person.type("document", "edit", "Minutes", "--from", str(file), *words)
    return result.exit_code, result.output


def into_by_option(person: Person, file: Path) -> None:
    assert str(file) in person.sees("document", "show", "Minutes", "--to", str(file))


def into_by_shell(person: Person, file: Path) -> None:
    with file.open("wb") as target:
        subprocess.run(
            [sys.executable, "-m", "p2pvalue_cli", "document", "show", "Minutes"],
            stdout=target,
            env={**os.environ, "P2PVALUE_DATA_DIR": str(person.folder)},
            check=True,
        )


def into_by_version(person: Person, file: Path) -> None:
    [edit] = person.gets("document", "history", "Minutes")["edits"]
    person.sees("document", "at", "Minutes", edit["version"], "--to", str(file))


@pytest.mark.parametrize("write", [into_by_option, into_by_shell, into_by_version])
def test_what_others_wrote_since_the_file_was_made_stays(
    minutes: Person, file: Path, write: object
) -> None:
    assert callable(write)
    write(minutes, file)
    assert file.read_text(encoding="utf-8") == FIRST
    others_write(minutes, "one\ntwo\nthree\ntheirs\n")
    change(file, "one", "ONE")
    assert save(minutes, file)[0] == 0
    assert shown(minutes) == "ONE\ntwo\nthree\ntheirs\n"


def test_a_file_is_edited_on_and_on_beside_others(minutes: Person, file: Path) -> None:
    into_by_option(minutes, file)
    for number, (before, after) in enumerate((("one", "1"), ("two", "2"), ("three", "3"))):
        others_write(minutes, f"{shown(minutes)}theirs {number}\n")
        change(file, before, after)
        assert save(minutes, file)[0] == 0
    assert shown(minutes) == "1\n2\n3\ntheirs 0\ntheirs 1\ntheirs 2\n"
    assert file.read_text(encoding="utf-8") == "1\n2\n3\n"


def test_a_document_that_was_made_from_a_file_is_edited_by_it(ana: Person, file: Path) -> None:
    file.write_text(FIRST, encoding="utf-8")
    ana.sees("document", "create", "Minutes", "--from", str(file))
    others_write(ana, "zero\none\ntwo\nthree\n")
    change(file, "two\n", "")
    assert save(ana, file)[0] == 0
    assert shown(ana) == "zero\none\nthree\n"


def test_no_copy_of_the_text_is_kept_while_the_file_says_what_was_saved(
    minutes: Person, file: Path
) -> None:
    into_by_option(minutes, file)
    change(file, "one", "secret")
    save(minutes, file)
    kept = [path.read_text(encoding="utf-8") for path in (minutes.folder / bases.FOLDER).iterdir()]
    assert [("secret" in text, "three" in text) for text in kept] == [(False, False)]


def test_a_file_of_which_nothing_is_known_takes_nothing_away(minutes: Person, file: Path) -> None:
    file.write_text("one\nthree\n", encoding="utf-8")
    code, said = save(minutes, file)
    assert (code, shown(minutes)) == (failures.FAILED, FIRST)
    for word in ("3 letters", "--base", "--replace", "document history"):
        assert word in said
    file.write_text(f"{FIRST}four\n", encoding="utf-8")
    assert save(minutes, file)[0] == 0
    assert shown(minutes) == f"{FIRST}four\n"


def test_the_version_that_a_file_was_made_from_can_be_named(minutes: Person, file: Path) -> None:
    [edit] = minutes.gets("document", "history", "Minutes")["edits"]
    as_shown = minutes.gets("document", "show", "Minutes")["version"]
    for version, line in ((edit["version"][:8], "one"), (as_shown, "three")):
        others_write(minutes, f"{shown(minutes)}theirs\n")
        file.write_text(FIRST.replace(f"{line}\n", ""), encoding="utf-8")
        assert save(minutes, file, "--base", version)[0] == 0
    assert shown(minutes) == "two\ntheirs\ntheirs\n"
    code, said = save(minutes, file, "--base", "ffffffff")
    assert (code, "version" in said) == (failures.NOT_FOUND, True)


def test_a_file_is_taken_as_the_whole_text_if_that_is_said(minutes: Person, file: Path) -> None:
    into_by_option(minutes, file)
    others_write(minutes, f"{FIRST}theirs\n")
    file.write_text("mine alone\n", encoding="utf-8")
    assert save(minutes, file, "--replace")[0] == 0
    assert shown(minutes) == "mine alone\n"
    for wrong in (("--replace", "--base", "1234"), ("--base", "")):
        assert save(minutes, file, *wrong)[0] == failures.USAGE
    for option in (("--replace",), ("--base", "1234")):
        assert minutes.type("document", "edit", "Minutes", *option).exit_code == failures.USAGE


def test_a_document_is_not_emptied_by_a_program_that_failed(minutes: Person, file: Path) -> None:
    into_by_option(minutes, file)
    file.write_text(" \n", encoding="utf-8")
    code, said = save(minutes, file)
    assert (code, "--empty" in said, shown(minutes)) == (failures.FAILED, True, FIRST)
    result = minutes.type("document", "edit", "Minutes", "--from", "-", "--replace", stdin="")
    assert (result.exit_code, shown(minutes)) == (failures.FAILED, FIRST)
    assert save(minutes, file, "--empty")[0] == 0
    assert shown(minutes).strip() == ""


def test_a_text_that_is_there_already_is_not_saved_again(minutes: Person, file: Path) -> None:
    file.write_text(FIRST, encoding="utf-8")
    assert "nothing changed" in save(minutes, file)[1]
    assert minutes.gets("document", "show", "Minutes")["version"] == f"{1:032x}"


def test_a_file_with_words_that_are_not_saved_is_not_written_over(
    minutes: Person, file: Path
) -> None:
    into_by_option(minutes, file)
    others_write(minutes, f"{FIRST}theirs\n")
    into_by_option(minutes, file)
    assert file.read_text(encoding="utf-8") == f"{FIRST}theirs\n"
    change(file, "one", "mine")
    result = minutes.type("document", "show", "Minutes", "--to", str(file))
    assert (result.exit_code, "--force" in result.stderr) == (failures.FAILED, True)
    assert "mine" in file.read_text(encoding="utf-8")
    minutes.sees("document", "show", "Minutes", "--to", str(file), "--force")
    assert file.read_text(encoding="utf-8") == f"{FIRST}theirs\n"
    missing = minutes.type("document", "show", "Minutes", "--to", str(file.parent / "no" / "x"))
    assert (missing.exit_code, "no folder" in missing.stderr) == (failures.FAILED, True)


def test_what_was_known_of_files_does_not_grow_without_end(
    minutes: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "FILES_MAX", 3)
    for number in range(5):
        into_by_option(minutes, tmp_path / f"copy {number}")
    assert len(list((minutes.folder / bases.FOLDER).iterdir())) == 3
    others_write(minutes, f"{FIRST}theirs\n")
    (tmp_path / "copy 4").write_text("two\nthree\n", encoding="utf-8")
    assert save(minutes, tmp_path / "copy 4")[0] == 0
    assert shown(minutes) == "two\nthree\ntheirs\n"


def test_a_version_that_is_known_no_more_is_told_with_the_way_on(
    minutes: Person, file: Path, daemon: Daemon
) -> None:
    others_write(minutes, f"{FIRST}theirs\n")
    into_by_option(minutes, file)
    assert daemon.interrupt() == 0
    with fake_daemon(minutes.folder):  # which begins anew, as one whose past was changed
        minutes.sees("community", "create", "Garden")
        minutes.sees("document", "create", "Minutes", "--from", "-", stdin=FIRST)
        change(file, "one", "ONE")
        code, said = save(minutes, file)
        assert (code, shown(minutes)) == (failures.FAILED, FIRST)
        for word in ("--base", "--replace", "document history"):
            assert word in said


def test_what_was_asked_for_is_in_the_command_that_saves_a_draft(
    minutes: Person, daemon: Daemon
) -> None:
    assert daemon.interrupt() == 0
    edit = ("document", "edit", "Minutes", "--from", "-")
    for options in (("--replace",), ("--base", "1234abcd"), ("--replace", "--empty")):
        said = minutes.type(*edit, *options, stdin="text").stderr
        hint = shlex.split(said.partition("save it with: ")[2])
        assert tuple(hint[6:]) == options
