"""The page of survivors is read as it says: only what stands under "Equivalent" is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import survivors
from tests.mutants.mutations import Mutation, mutations_of, source_file
from tests.mutants.survivors import EQUIVALENT, JUDGED_PAGE, place_of, read_page, shown
from tests.mutants.tree_copy import ROOT

PAGE = """# What survives

- `m`: `before = 1` → `before = 2`: nothing says what this is

## Equivalent

### By another way

- `m`: `a = 1` → `a = 2`: no reason why not: `a` is nowhere
- `m` in `f`: `b = 1` → `b = 2`

## Known and noticeable

- `m`: `c = 1` → `c = 2`: costs more

## Not noticed yet

`m` 7
"""

SOURCE = """WIDTH = 2


def double(value):
    if value:
        return value + value
    return value + value


class Shape:
    def area(self):
        side = 3
        return side * side
"""


def _read(folder: Path, text: str) -> survivors.Page:
    file = folder / "page.md"
    file.write_text(text, encoding="utf-8")
    return read_page(file)


def test_only_what_stands_under_equivalent_is_left_out_of_the_score(tmp_path: Path) -> None:
    page = _read(tmp_path, PAGE)
    assert page.equivalent == {"`m`: `a = 1` → `a = 2`", "`m` in `f`: `b = 1` → `b = 2`"}
    assert page.noticeable == {"`m`: `before = 1` → `before = 2`", "`m`: `c = 1` → `c = 2`"}
    said = [page.says_of(f"`m`: `{name} = 1` → `{name} = 2`") for name in "acd"]
    assert said == ["equivalent", "noticeable", ""]


def test_nothing_is_judged_where_there_is_no_page(tmp_path: Path) -> None:
    assert read_page(tmp_path / "none.md") == (frozenset(), frozenset())


def test_a_page_that_judges_a_mutant_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="judged twice"):
        _read(tmp_path, PAGE + "- `m`: `a = 1` → `a = 2`: or is it?\n")


def test_the_page_of_this_project_names_what_is_equivalent_and_what_is_not() -> None:
    page = read_page(ROOT / JUDGED_PAGE)
    assert EQUIVALENT in (ROOT / JUDGED_PAGE).read_text(encoding="utf-8").splitlines()
    assert page.equivalent
    assert page.noticeable


def test_the_page_of_this_project_judges_only_lines_that_stand_in_the_core() -> None:
    page = read_page(ROOT / JUDGED_PAGE)
    gone = [words for words in page.equivalent | page.noticeable if not _stands(words)]
    assert gone == [], "delete what is said of lines that are gone, and judge the new ones"


def _stands(words: str) -> bool:
    place, _, bent = words.partition(": `")
    module, old = place.split("`")[1], bent.partition("` → `")[0]
    text = source_file(ROOT, module).read_text(encoding="utf-8")
    lines = (at for at, line in enumerate(text.splitlines(), 1) if line.split() == old.split())
    return any(f"`{module}`{place_of(text, at)}" == place for at in lines)


def test_a_mutant_on_one_of_several_like_lines_is_named_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cosmic_ray", reason="only long proofs need the tool")
    monkeypatch.setattr(survivors, "ROOT", tmp_path)
    file = source_file(tmp_path, "m")
    file.parent.mkdir(parents=True)
    file.write_text(SOURCE)
    found: dict[int, list[Mutation]] = {}
    for mutation in mutations_of(tmp_path, "m"):
        found.setdefault(mutation.line, []).append(mutation)
    places = {line: shown(of_line[0]).partition(": ")[0] for line, of_line in found.items()}
    assert {line: places[line] for line in (1, 6, 7, 12)} == {
        1: "`m`",
        6: "`m` in `double` (1)",
        7: "`m` in `double` (2)",
        12: "`m`",
    }
