"""The past of a document at the terminal."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from p2pvalue_cli import failures
from p2pvalue_cli.commands import document_history
from p2pvalue_cli.main import cli
from tests.cli.conftest import Person


@pytest.fixture
def written(ana: Person) -> Person:
    """A person with a document of two versions."""
    ana.sees("document", "create", "Minutes", "--from", "-", stdin="שלום 日本\n")
    ana.sees("document", "edit", "Minutes", "--replace", "--from", "-", stdin="tea 🍵\n")
    return ana


def versions(person: Person) -> list[str]:
    return [edit["version"] for edit in person.gets("document", "history", "Minutes")["edits"]]


def test_edits_are_listed_newest_last_with_how_many_are_earlier(written: Person) -> None:
    lines = written.sees("document", "history", "Minutes").splitlines()
    assert [line.split()[-2:] for line in lines] == [["BY", "LETTERS"], ["+8", "-0"], ["+6", "-8"]]
    assert [line.split()[0] for line in lines[1:]] == [v[:8] for v in versions(written)]
    lines = written.sees("document", "history", "Minutes", "--limit", "1").splitlines()
    assert (len(lines), lines[2]) == (3, "1 earlier: --limit 2")
    written.sees("document", "create", "Empty")
    assert "nobody has written" in written.sees("document", "history", "Empty")


def test_a_version_is_printed_and_brought_back(written: Person) -> None:
    first = versions(written)[0]
    assert written.sees("document", "at", "Minutes", first[:8]) == "שלום 日本\n"
    assert written.gets("document", "at", "Minutes", first)["version"] == first
    assert written.sees("document", "restore", "Minutes", first) == "restored Minutes\n"
    assert written.sees("document", "show", "Minutes") == "שלום 日本\n"
    missing = written.type("document", "at", "Minutes", "ffffffff")
    assert (missing.exit_code, "version" in missing.output) == (failures.NOT_FOUND, True)


def test_what_is_taken_back_is_said_and_when_nothing_is_left(written: Person) -> None:
    assert "took back your edit of" in written.sees("document", "undo", "Minutes")
    assert written.sees("document", "show", "Minutes") == "שלום 日本\n"
    assert "did again your edit of" in written.sees("document", "redo", "Minutes")
    assert written.gets("document", "show", "Minutes")["text"] == "tea 🍵\n"
    refused = written.type("document", "redo", "Minutes")
    assert (refused.exit_code, "nothing" in refused.stderr) == (failures.FAILED, True)
    written.sees("document", "create", "Empty")
    refused = written.type("document", "undo", "Empty", "--json")
    assert refused.exit_code == failures.FAILED


def test_blame_names_who_wrote_and_who_deleted(written: Person) -> None:
    first, second = (version[:8] for version in versions(written))
    shown = written.sees("document", "blame", "Minutes").splitlines()
    assert [line.split(maxsplit=1)[1] for line in shown] == [f"{second}  tea 🍵"]
    everything = written.sees("document", "blame", "Minutes", "--deleted").splitlines()
    who = everything[0].split()[0]
    assert everything[0] == f"{who}  {first}  שלום 日本  (deleted by {who})"
    then = written.gets("document", "blame", "Minutes", "--at", first)
    assert [run["text"] for run in then["runs"]] == ["שלום 日本\n"]


def test_authors_have_colours_on_a_terminal_only(written: Person) -> None:
    words = ["document", "blame", "Minutes", "--data-dir", str(written.folder)]
    assert "\x1b[" in CliRunner().invoke(cli, words, color=True).output
    assert "\x1b[" not in CliRunner().invoke(cli, words).output


def test_lines_of_several_authors_are_told_apart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_history, "_names", lambda community: str.title)

    def run(text: str, member: str, deleted_by: str = "") -> dict[str, str]:
        return {"text": text, "member": member, "version": "12345678", "deleted_by": deleted_by}

    runs = [
        run("one\ntw", "ana"),
        run("-gone\n", "ana", "eva"),
        run("o\n\nthree", "eva"),
        run("\n\x1b[2J", "ana"),
    ]
    document_history.write_runs(runs, None)
    assert capsys.readouterr().out.splitlines() == [
        "Ana  12345678  one",
        "Ana  12345678  tw",
        "Ana  12345678  -gone  (deleted by Eva)",
        "Eva  12345678  o",
        "Eva  12345678",
        "Eva  12345678  three",
        "Ana  12345678  \N{REPLACEMENT CHARACTER}[2J",
    ]
