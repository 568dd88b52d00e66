"""Pages point at things that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT, pages, python_files, shown

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A path named in prose or in a docstring, from the project's root.
NAMED_PATH = re.compile(
    r"\b(?:docs|protocol|cli|tests|requirements)/[\w./-]*\w\.(?:md|py|txt|json|sh)\b"
)
NAMED_MODULE = re.compile(r"\bp2pvalue/[\w/]*\w\.py\b")  # on a page; tests name some that are not
RECORD_LINES_MAX = 80


@pytest.mark.parametrize("page", pages(), ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(_prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        if not goal.exists() or (anchor and anchor not in _anchors(goal)):
            broken.append(target)
    assert broken == []


def test_every_page_is_found_from_the_first() -> None:
    found: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in found:
            continue
        found.add(page)
        paths = [target.partition("#")[0] for target in LINK.findall(_prose(page))]
        goals = [(page.parent / path).resolve() for path in paths if not re.match(r"[a-z]+:", path)]
        folders = [inner for goal in goals if goal.is_dir() for inner in goal.glob("*.md")]
        ahead += [goal for goal in goals if goal.suffix == ".md"] + folders
    assert [shown(page) for page in pages() if page not in found] == []


@pytest.mark.parametrize("path", [*pages(), *python_files()], ids=shown)
def test_every_named_file_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    modules = NAMED_MODULE.findall(text) if path.suffix == ".md" else []
    named = {*NAMED_PATH.findall(text), *modules}
    # A page inside a room may name its furniture from the room's own door.
    rooms = (ROOT, path.parent, *path.parents[: len(path.relative_to(ROOT).parts)])
    assert sorted(n for n in named if not any((room / n).exists() for room in rooms)) == []


def test_decision_records_are_numbered_once_and_short() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [record.name[:4] for record in records]
    assert numbers
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)
    assert len(numbers) == len(set(numbers))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert "\n## Decision\n" in text, record.name
        assert "\n## Consequences\n" in text, record.name
        assert len(text.splitlines()) <= RECORD_LINES_MAX, record.name


def _prose(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+?) *$", _prose(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
