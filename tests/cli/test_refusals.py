"""What is refused is told in words, with what to do instead."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from p2pvalue.api.app import BODY_BYTES_MAX
from p2pvalue.config import SOCKET_NAME
from p2pvalue.node.documents.document_shapes import TEXT_BYTES_MAX
from p2pvalue_cli import failures
from tests.cli.conftest import Person


@pytest.fixture(scope="module")
def author(settled: Person) -> Person:
    """A person with a document."""
    settled.sees("document", "create", "Minutes", "--from", "-", stdin="one\n")
    return settled


@pytest.mark.parametrize("letter", ["\n", "🍵"])
def test_what_can_be_made_can_be_edited(author: Person, tmp_path: Path, letter: str) -> None:
    file = tmp_path / "text"
    file.write_text(letter * (TEXT_BYTES_MAX // len(letter.encode()) - 1), encoding="utf-8")
    author.sees("document", "create", f"All {letter!r}", "--from", str(file))
    file.write_text("a" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert "saved" in author.sees("document", "edit", f"All {letter!r}", "--from", str(file))


@pytest.mark.parametrize("size", [TEXT_BYTES_MAX + 1, BODY_BYTES_MAX + 10_000_000])
def test_a_text_that_is_too_long_is_refused_with_the_limit(
    author: Person, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "text"
    file.write_bytes(b"x" * size)
    for words in (("create", "Novel"), ("edit", "Minutes", "--replace")):
        refused = author.type("document", *words, "--from", str(file))
        assert (refused.exit_code, "4 MiB" in refused.stderr) == (failures.FAILED, True)
        assert "stopped" not in refused.stderr
    assert author.sees("document", "show", "Minutes") == "one\n"


def test_a_daemon_that_goes_while_it_is_asked_has_stopped(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / SOCKET_NAME))
        listening.listen()

        def go() -> None:
            listening.accept()[0].close()

        leaving = threading.Thread(target=go)
        leaving.start()
        refused = Person(tmp_path).type(
            "document", "create", "Novel", "--from", "-", stdin="x" * 4_000_000
        )
        leaving.join()
    assert (refused.exit_code, "stopped before" in refused.stderr) == (failures.FAILED, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("attach", "Minutes", "--origin", "nonsense"), "http://localhost:5173"),
        (("attach", "Minutes", "--schema", "0"), "--schema"),
        (("at", "Minutes", ""), "document history"),
        (("at", "Minutes", "abcd+"), "document history"),
        (("blame", "Minutes", "--at", "zz"), "document history"),
        (("restore", "Minutes", "no version"), "document history"),
    ],
)
def test_what_a_command_cannot_read_is_told_in_words(
    author: Person, words: tuple[str, ...], told: str
) -> None:
    refused = author.type("document", *words)
    assert refused.exit_code in (failures.FAILED, failures.USAGE)
    assert told in refused.stderr
    assert "$" not in refused.stderr.replace("$VISUAL", "")


def test_restoring_what_is_there_says_that_nothing_changed(author: Person) -> None:
    author.sees("document", "create", "Plan", "--from", "-", stdin="one")
    [first] = author.gets("document", "history", "Plan")["edits"]
    assert author.sees("document", "restore", "Plan", first["version"]) == "nothing changed\n"


def test_an_editor_is_detached_by_what_attach_said(author: Person) -> None:
    said = author.sees("document", "attach", "Minutes")
    *words, session = said.splitlines()[-1].partition(": p2pvalue ")[2].split()
    assert author.sees(*words, session) == "detached\n"


def test_visual_comes_before_editor_as_elsewhere(author: Person) -> None:
    edit = ("document", "edit", "Minutes")
    told = author.type(*edit, VISUAL="no-visual", EDITOR="no-editor").stderr
    assert ("no-visual" in told, "VISUAL" in told) == (True, True)
    assert "no-editor" in author.type(*edit, VISUAL="", EDITOR="no-editor").stderr
    assert "VISUAL" in author.type(*edit, VISUAL="nano '").stderr
