"""The page and the code say the same."""

from __future__ import annotations

from pathlib import Path

from p2pvalue.api.reference import reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "api.md"


def test_the_reference_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "write it anew: python -m p2pvalue.api.reference > docs/reference/api.md"
    )


def test_every_endpoint_says_what_it_does() -> None:
    sections = reference().partition("## Values")[0].split("### ")[1:]
    silent = [section.splitlines()[0] for section in sections if not section.splitlines()[2]]
    assert (len(sections) > 20, silent) == (True, [])
