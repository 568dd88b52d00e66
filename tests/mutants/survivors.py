"""Reads the page of survivors: which mutants it judges, and which of them to be equivalent.

A line of the page that begins with a mutant's words judges it. Under the heading `EQUIVALENT` it
says that no test of behaviour could see it, which takes it out of the score; under another, that it
is known and could be noticed.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.mutants.mutations import Mutation, mutated, source_file
from tests.mutants.tree_copy import ROOT

JUDGED_PAGE = Path("docs") / "survivors.md"
EQUIVALENT = "## Equivalent"
_ENTRY = "- `"


class Page(NamedTuple):
    """The mutants that the page judges, in the words of `shown`."""

    equivalent: frozenset[str]
    noticeable: frozenset[str]

    def says_of(self, words: str) -> str:
        """Return "equivalent", "noticeable", or "" of what it does not judge."""
        return (words in self.equivalent and "equivalent") or (
            (words in self.noticeable and "noticeable") or ""
        )


def read_page(file: Path) -> Page:
    """Return what a page judges; nothing if there is none. Raise ValueError if it does so twice."""
    found: dict[bool, list[str]] = {True: [], False: []}
    is_equivalent = False
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        if line.startswith("## "):
            is_equivalent = line == EQUIVALENT
        elif line.startswith(_ENTRY):
            found[is_equivalent].append(_words_of(line))
    equivalent, noticeable = frozenset(found[True]), frozenset(found[False])
    every = [*found[True], *found[False]]
    twice = sorted({words for words in every if every.count(words) > 1})
    if twice:
        raise ValueError(f"judged twice: {twice}")
    return Page(equivalent, noticeable)


def _words_of(entry: str) -> str:
    """Return the mutant's words of an entry: all but the reason that follows them."""
    words = entry.removeprefix("- ")
    old, arrow, new = words.partition("` → `")
    return old + arrow + new[: new.find("`")] + "`" if arrow else words


def shown(mutation: Mutation) -> str:
    """Return a mutant as the page of survivors has it: module, a line, and what it becomes.

    A line that stands in a module more than once is named with its function, and if that has it
    more than once, with which it is.
    """
    file = source_file(ROOT, mutation.module)
    text = file.read_text(encoding="utf-8")
    source = text.splitlines()
    becomes = (mutated(ROOT, mutation) or "").splitlines()
    pairs = zip(source, becomes, strict=False)
    at, (old, new) = next((at, pair) for at, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    place = place_of(text, at)
    return f"`{mutation.module}`{place}: `{' '.join(old.split())}` → `{' '.join(new.split())}`"


def place_of(text: str, at: int) -> str:
    """Return where a line stands, as `shown` names it: nothing of one that is there once."""
    source = text.splitlines()
    words = source[at - 1].split()
    same = [number for number, line in enumerate(source, 1) if line.split() == words]
    function = _function_at(text, at)
    within = [number for number in same if _function_at(text, number) == function]
    place = f" in `{function}`" if len(same) > 1 else ""
    return place + (f" ({within.index(at) + 1})" if len(within) > 1 else "")


def _function_at(source: str, line: int) -> str:
    """Return the name of the class and function around a line, as `Class.function`."""
    return ".".join(name for first, last, name in _functions(source) if first <= line <= last)


@cache
def _functions(source: str) -> list[tuple[int, int, str]]:
    """Return the classes and functions of a module by their first line, with their last."""
    return sorted(
        (
            min([node.lineno, *(one.lineno for one in node.decorator_list)]),
            node.end_lineno or 0,
            node.name,
        )
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    )
