"""Deliberate faults, one rule bent or removed each: `make mutants` shows which check catches which.

A fault replaces a piece of text that stands once in a module of the core. Its `rule` begins with
the names of the rules that it breaks, as `tests/mutants/rules.py` reads them from the pages, and
says in words what no longer holds. Its `check` is the cheapest that notices: a test, or the search
through random histories of authority (`DAGS`).
"""

from __future__ import annotations

from typing import NamedTuple

DAGS = "dags"


class Mutant(NamedTuple):
    """One rule bent: a text that stands once in a module, what it becomes, and what notices."""

    name: str
    rule: str
    module: str
    text: str
    becomes: str
    check: str

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that are broken."""
        return tuple(self.rule.partition(": ")[0].split(", "))
