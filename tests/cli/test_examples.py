"""The pages that show how it is used do what they say, on real daemons."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.transcript import Step, Transcript, steps

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "cli" / "examples").glob("*.md"))
PAGES = [*EXAMPLES, ROOT / "docs" / "tutorial.md", ROOT / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_prints_what_it_says(page: Path, tmp_path: Path) -> None:
    Transcript(tmp_path).run(page.read_text(encoding="utf-8"))
    assert list(tmp_path.iterdir())


def block(*lines: str) -> str:
    return "\n".join(("Some prose.", "```console", *lines, "```", ""))


def test_a_page_that_says_something_else_is_found(tmp_path: Path) -> None:
    Transcript(tmp_path).run(block("$ echo one two", "one [..]", "$ (exit 4)", "[code 4]"))
    for wrong in (["$ echo one", "two"], ["$ echo one"], ["$ false"], ["$ true", "[code 1]"]):
        with pytest.raises(AssertionError, match="the page says"):
            Transcript(tmp_path).run(block(*wrong))


def test_what_a_word_stood_for_is_typed_later(tmp_path: Path) -> None:
    Transcript(tmp_path).run(block("$ echo code:7f3", "code:[secret]", "bob$ echo [secret]", "7f3"))
    with pytest.raises(AssertionError, match="the page says"):
        Transcript(tmp_path).run(block("$ echo code:7f3", "code:[secret]", "$ echo [secret]", "8"))


def test_each_person_has_a_folder(tmp_path: Path) -> None:
    assert steps(block("alice$ a", "x", "bob$ b")) == [
        Step("alice", "a", 3, ["x"]),
        Step("bob", "b", 5),
    ]
    Transcript(tmp_path).run(
        block(
            "alice$ basename $P2PVALUE_DATA_DIR",
            "alice",
            "bob$ echo $P2PVALUE_DATA_DIR",
            "[..]/bob",
        )
    )
    assert {path.name for path in tmp_path.iterdir()} == {"alice", "bob"}
