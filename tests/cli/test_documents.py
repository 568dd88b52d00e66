"""A text typed in an editor is never lost."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from p2pvalue_cli import connection, failures
from tests.api.daemons import Daemon, fake_daemon
from tests.cli.conftest import Person


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """A program that a test fills with what the person does in the editor."""
    return tmp_path / "editor.py"


def edit(person: Person, editor: Path, does: str) -> tuple[int, str]:
    editor.write_text(
        "import pathlib, sys\npath = pathlib.Path(sys.argv[1])\n" + does, encoding="utf-8"
    )
    result = person.type("document", "edit", "Minutes", EDITOR=f"{sys.executable} {editor}")
    return result.exit_code, result.output


def drafts(person: Person) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in (person.folder / "drafts").iterdir()]


def saving(said: str) -> list[str]:
    """The command that a message names, to save a text that was kept."""
    return shlex.split(said.partition("save it with: p2pvalue ")[2].splitlines()[0])


TYPE = "path.write_text('typed for an hour', encoding='utf-8')\n"


def test_what_was_typed_is_saved_and_no_draft_stays(ana: Person, editor: Path) -> None:
    ana.sees("document", "create", "Minutes")
    assert edit(ana, editor, TYPE)[0] == 0
    assert ana.sees("document", "show", "Minutes") == "typed for an hour"
    assert drafts(ana) == []


def test_an_unchanged_text_is_not_saved(ana: Person, editor: Path) -> None:
    ana.sees("document", "create", "Minutes", "--from", "-", stdin="text")
    for does in ("", "path.write_text('text\\n', encoding='utf-8')\n"):
        assert "nothing changed" in edit(ana, editor, does)[1]
    assert ana.gets("document", "show", "Minutes")["version"] == f"{1:032x}"
    assert drafts(ana) == []


def test_a_draft_is_readable_by_its_owner_only(ana: Person, editor: Path) -> None:
    ana.sees("document", "create", "Minutes")
    code, said = edit(ana, editor, "print(oct(path.stat().st_mode))\nsys.exit(3)")
    assert (code, "code 3" in said) == (failures.FAILED, True)
    assert (ana.folder / "drafts").stat().st_mode & 0o077 == 0


def test_a_text_stays_in_a_named_file_when_the_daemon_is_gone(
    ana: Person, editor: Path, daemon: Daemon
) -> None:
    ana.sees("document", "create", "Minutes")
    kill = f"import os, signal\nos.kill({daemon.process.pid}, signal.SIGKILL)\n"
    code, said = edit(ana, editor, TYPE + kill)
    assert code in (failures.NO_DAEMON, failures.FAILED)
    assert drafts(ana) == ["typed for an hour"]
    assert str(next((ana.folder / "drafts").iterdir())) in said


def test_a_text_stays_when_the_editor_fails_after_saving(ana: Person, editor: Path) -> None:
    ana.sees("document", "create", "Minutes")
    code, said = edit(ana, editor, TYPE + "sys.exit(1)")
    assert (code, drafts(ana)) == (failures.FAILED, ["typed for an hour"])
    assert "kept in" in said


def test_a_text_that_is_not_utf8_stays(ana: Person, editor: Path) -> None:
    ana.sees("document", "create", "Minutes")
    code, said = edit(ana, editor, "path.write_bytes(b'caf\\xe9')")
    assert (code, "UTF-8" in said) == (failures.FAILED, True)
    [draft] = (ana.folder / "drafts").iterdir()
    ana.sees("document", "edit", "Minutes", "--from", "-", stdin="theirs")
    draft.write_bytes(draft.read_bytes().decode("latin-1").encode())
    ana.sees(*saving(said))
    assert sorted(ana.gets("document", "show", "Minutes")["text"]) == sorted("café" + "theirs")
    assert drafts(ana) == []


def test_a_text_that_is_too_long_stays(ana: Person, editor: Path) -> None:
    ana.sees("document", "create", "Minutes")
    code, said = edit(ana, editor, "path.write_text('x' * 4_300_000)")
    assert (code, "kept in" in said) == (failures.FAILED, True)
    assert [len(draft) for draft in drafts(ana)] == [4_300_000]


@pytest.mark.parametrize("minds", [True, False])
def test_ctrl_c_is_the_editors_business_and_costs_no_text(
    ana: Person, editor: Path, minds: bool
) -> None:
    ana.sees("document", "create", "Minutes")
    ignores = "" if minds else "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    editor.write_text(
        f"import os, pathlib, signal, sys\n{ignores}path = pathlib.Path(sys.argv[1])\n"
        f"{TYPE}os.killpg(os.getpgrp(), signal.SIGINT)\n",
        encoding="utf-8",
    )
    ended = subprocess.run(
        [sys.executable, "-m", "p2pvalue_cli", "document", "edit", "Minutes"],
        capture_output=True,
        env={
            **os.environ,
            "P2PVALUE_DATA_DIR": str(ana.folder),
            "EDITOR": f"{sys.executable} {editor}",
        },
        start_new_session=True,
        text=True,
        check=False,
    )
    if minds:
        assert ended.returncode == failures.FAILED
        assert drafts(ana) == ["typed for an hour"]
        assert str(next((ana.folder / "drafts").iterdir())) in ended.stderr
    else:
        assert ended.returncode == 0, ended.stderr
        assert ana.sees("document", "show", "Minutes") == "typed for an hour"


def test_an_editor_that_takes_the_file_away_is_one_sentence(ana: Person, editor: Path) -> None:
    ana.sees("document", "create", "Minutes")
    code, said = edit(ana, editor, "path.unlink()\n")
    assert (code, "nothing saved" in said) == (failures.FAILED, True)


def test_an_editor_that_cannot_be_read_is_one_sentence(ana: Person) -> None:
    ana.sees("document", "create", "Minutes")
    result = ana.type("document", "edit", "Minutes", EDITOR="nano '")
    assert (result.exit_code, "EDITOR" in result.stderr) == (failures.FAILED, True)
    assert drafts(ana) == []


def test_a_program_gets_and_gives_the_text_to_the_byte(ana: Person, editor: Path) -> None:
    text = "one\r\ntwo\x1b[31m"
    source = ana.folder / "text"
    source.write_bytes(text.encode())
    ana.sees("document", "create", "Minutes", "--from", str(source))
    assert ana.type("document", "show", "Minutes").stdout_bytes == text.encode()
    assert edit(ana, editor, "path.write_bytes(path.read_bytes() + b'!')\n")[0] == 0
    assert ana.gets("document", "show", "Minutes")["text"] == text + "!"


def test_a_text_from_a_file_is_not_copied_when_it_cannot_be_saved(
    ana: Person, daemon: Daemon
) -> None:
    source = ana.folder / "text"
    source.write_text("safe where it is", encoding="utf-8")
    assert daemon.interrupt() == 0
    result = ana.type("document", "edit", "Minutes", "--from", str(source))
    assert result.exit_code == failures.NO_DAEMON
    assert not (ana.folder / "drafts").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("chat", "post", "-"),
        ("document", "create", "Minutes", "--from", "-"),
        ("community", "join", "-"),
    ],
)
def test_bytes_that_are_no_text_are_refused_in_a_sentence(
    ana: Person, words: tuple[str, ...]
) -> None:
    result = ana.type(*words, stdin=b"caf\xe9")
    assert (result.exit_code, "UTF-8" in result.stderr) == (failures.FAILED, True)
    assert not isinstance(result.exception, UnicodeError)


def test_a_missing_editor_is_named(ana: Person) -> None:
    ana.sees("document", "create", "Minutes")
    result = ana.type("document", "edit", "Minutes", EDITOR="/no/such/editor")
    assert result.exit_code == failures.FAILED
    assert "/no/such/editor" in result.stderr
    assert drafts(ana) == []


@pytest.mark.parametrize(
    "words",
    [
        ("chat", "post", "-"),
        ("document", "create", "Minutes", "--from", "-"),
        ("document", "edit", "Minutes", "--from", "-"),
    ],
)
def test_what_came_on_standard_input_stays_if_it_cannot_be_saved(
    ana: Person, daemon: Daemon, words: tuple[str, ...]
) -> None:
    assert daemon.interrupt() == 0
    result = ana.type(*words, stdin="dictated, and nowhere else")
    assert result.exit_code == failures.NO_DAEMON
    assert drafts(ana) == ["dictated, and nowhere else"]
    assert str(next((ana.folder / "drafts").iterdir())) in result.stderr


@pytest.mark.parametrize(
    ("words", "look"),
    [
        (
            ("document", "create", "Plan", "--shape", "rich", "--from", "-"),
            ("document", "show", "Plan"),
        ),
        (("document", "edit", "Minutes", "--from", "-"), ("document", "show", "Minutes")),
        (("chat", "post", "-", "-c", "Garden"), ("chat", "list")),
    ],
)
def test_the_command_that_saves_a_kept_text_is_named_and_listed_until_it_is_done(
    ana: Person, daemon: Daemon, words: tuple[str, ...], look: tuple[str, ...]
) -> None:
    assert daemon.interrupt() == 0
    said = ana.type(*words, stdin="dictated").stderr
    [draft] = ana.gets("document", "drafts")
    assert f"save it with: {draft['save']}" in said
    assert draft["save"] in ana.sees("document", "drafts")
    with fake_daemon(ana.folder):
        ana.sees("community", "create", "Garden")
        ana.sees("document", "create", "Minutes")
        assert "1 text waits to be saved" in ana.sees("status")
        subprocess.run(
            draft["save"].replace("p2pvalue", f"{sys.executable} -m p2pvalue_cli", 1),
            shell=True,
            env={**os.environ, "P2PVALUE_DATA_DIR": str(ana.folder)},
            check=True,
        )
        assert "dictated" in ana.sees(*look)
        assert ana.sees("document", "drafts") == "no texts wait to be saved\n"


@pytest.mark.parametrize("presses", [1, 2])
def test_after_ctrl_c_while_saving_it_is_said_whether_the_text_is_there(
    ana: Person, editor: Path, monkeypatch: pytest.MonkeyPatch, presses: int
) -> None:
    ana.sees("document", "create", "Minutes")
    save = connection.put

    def interrupted(path: str, **fields: object) -> object:
        for _ in range(presses):
            signal.raise_signal(signal.SIGINT)
        return save(path, **fields)

    monkeypatch.setattr(connection, "put", interrupted)
    code, said = edit(ana, editor, TYPE)
    assert "still saving" in said
    if presses == 1:
        assert (code, "saved Minutes" in said, drafts(ana)) == (0, True, [])
    else:
        assert (code, "may be saved or not" in said) == (failures.FAILED, True)
        assert (saving(said)[:2], drafts(ana)) == (["document", "edit"], ["typed for an hour"])
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)  # means what it meant before


def test_a_document_has_the_shape_that_its_maker_chose(ana: Person) -> None:
    ana.sees("document", "create", "Minutes")
    ana.sees("document", "create", "Plan", "--shape", "rich", "--from", "-", stdin="# Plan\n")
    assert [made["shape"] for made in ana.gets("document", "list")] == ["markdown", "rich"]
    assert ana.type("document", "create", "Other", "--shape", "poem").exit_code == failures.USAGE


def test_documents_are_listed_with_their_shapes_and_authors(ana: Person) -> None:
    assert "start one with" in ana.sees("document", "list")
    ana.sees("document", "create", "Plan", "--shape", "rich")
    head, row = ana.sees("document", "list").splitlines()
    assert head.split() == ["DOCUMENT", "TITLE", "SHAPE", "BY", "SINCE"]
    assert row.split()[1:4] == ["Plan", "rich", "Ana"]


def test_a_document_is_renamed_deleted_and_brought_back_by_words(ana: Person) -> None:
    ana.sees("document", "create", "Plan", "--from", "-", stdin="tea")
    assert ana.sees("document", "rename", "Plan", "Plan B") == "it is called Plan B now\n"
    said = ana.sees("document", "delete", "Plan B")
    assert ana.gets("document", "list") == []
    assert "Plan B" in ana.sees("document", "list", "--deleted")
    assert ana.type("document", "show", "Plan B").exit_code == failures.NOT_FOUND
    undelete = shlex.split(said.partition("to bring it back: p2pvalue ")[2])
    assert ana.sees(*undelete) == "Plan B is back\n"
    assert ana.sees("document", "show", "Plan B") == "tea"
    assert ana.sees("document", "list", "--deleted") == "no document was deleted\n"


def test_an_editor_is_attached_and_detached_by_words(ana: Person) -> None:
    ana.sees("document", "create", "Minutes")
    attached = ana.sees("document", "attach", "Minutes", "--origin", "http://localhost:5173")
    assert "attached in session 2147483648" in attached
    assert "token  token of the one lease" in attached
    assert "to read" in ana.sees("document", "attach", "Minutes", "--schema", "2")
    assert ana.sees("document", "detach", "Minutes", "2147483648") == "detached\n"
    assert "no editor" in ana.type("document", "detach", "Minutes", "5").output
    assert ana.type("document", "attach", "Minutes", "--origin", "no origin").exit_code != 0
