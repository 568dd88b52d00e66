"""What callers can ask about what was done, and about thanks: the rooms of a community, by name."""

from __future__ import annotations

from typing import Protocol

from p2pvalue import fact_types as ft


class ContributionsInterface(Protocol):
    """What members did, written by hand or confirmed by others."""

    def all(
        self, *, member: str = "", class_name: str = "", need: str = "", since: int = 0
    ) -> list[ft.ContributionView]:
        """Return what was done, by its day, from `since` (ms) on."""
        ...

    async def add(
        self,
        title: str,
        quantity: int,
        *,
        unit: str = "minute",
        class_name: str = "",
        need: str = "",
        day: int = 0,
    ) -> ft.ContributionView:
        """Write down what we did on a day (ms; 0: now)."""
        ...

    async def witness(self, reference: str) -> ft.ContributionView:
        """Say that we saw what another did."""
        ...

    async def withdraw(self, reference: str) -> ft.ContributionView: ...
    def suggested(self) -> list[ft.SuggestionView]:
        """Return the care of ours that nobody wrote down; told to nobody else."""
        ...

    async def accept(self, reference: str, minutes: int) -> ft.ContributionView: ...
    def dismiss(self, reference: str) -> ft.SuggestionView: ...


class ThanksInterface(Protocol):
    """The thanks of a community."""

    def all(self, *, mine: bool = False) -> list[ft.ThanksView]:
        """Return all thanks, oldest first, or those by us and to us."""
        ...

    async def give(self, member: str, text: str, *, about: str = "") -> ft.ThanksView: ...
    async def withdraw(self, reference: str) -> ft.ThanksView: ...
