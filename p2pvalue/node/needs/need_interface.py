"""What callers can ask about needs and pledges: the rooms of a community, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from p2pvalue import need_types as nt
from p2pvalue.proof_types import ProofView


class NeedsInterface(Protocol):
    """The needs of a community."""

    async def all(self) -> list[nt.NeedView]: ...
    def named(self, reference: str) -> nt.NeedView: ...
    def timeline(self, reference: str) -> list[nt.HappeningView]:
        """Return what happened to a need and its pledges, in order."""
        ...

    def steps(self, reference: str) -> list[nt.StepView]: ...
    async def add(self, draft: nt.NeedDraft) -> nt.NeedView: ...
    async def change(self, reference: str, draft: nt.NeedDraft) -> nt.NeedView:
        """Change what is given; pledges made under other terms must be renewed to count."""
        ...

    async def close(self, reference: str) -> nt.NeedView:
        """Close a need, with every offer and withdrawal held here that was in time."""
        ...

    async def prove(self, reference: str, target: Path | None = None) -> ProofView:
        """Make the file that proves what became of a need; return what a stranger reads in it.

        It is written to `target`, if that is given, and else let go.
        """
        ...


class PledgesInterface(Protocol):
    """The pledges of a community."""

    async def all(self, *, need: str = "", mine: bool = False) -> list[nt.PledgeView]: ...
    def named(self, reference: str) -> nt.PledgeView: ...
    def about(self, reference: str) -> nt.AboutView:
        """Return how a member keeps her word, and what she says of herself; to members."""
        ...

    async def make(
        self,
        reference: str,
        quantity: int,
        *,
        line: int = 0,
        when: str = "",
        where: str = "",
        conditions: Sequence[nt.ConditionView] = (),
        takes: str = "",
    ) -> nt.PledgeView:
        """Promise `quantity` to one line of a need, under its terms of now."""
        ...

    async def renew(self, reference: str) -> nt.PledgeView: ...
    async def withdraw(self, reference: str, *, reason: str = "", to: str = "") -> nt.PledgeView:
        """Take back a pledge, or release what binds and hand it to somebody."""
        ...

    async def claim(
        self, reference: str, *, quantity: int | None = None, note: str = ""
    ) -> nt.PledgeView: ...
    async def confirm(
        self, reference: str, *, quantity: int | None = None, note: str = ""
    ) -> nt.PledgeView: ...
    async def dispute(self, reference: str, *, reason: str) -> nt.PledgeView: ...
    async def settle(self, reference: str, quantity: int, *, reason: str = "") -> nt.PledgeView: ...


class OrderInterface(Protocol):
    """The order of work of a community; times in ms, 0: the last midnight, UTC."""

    async def want(self, reference: str, *, wants: bool = True) -> nt.NeedView:
        """Say that one needs it, too, or no more."""
        ...

    async def all(self, *, as_of: int = 0) -> nt.OrderView: ...
    async def explain(self, reference: str, *, as_of: int = 0) -> nt.ExplanationView:
        """Return why a need stands where it does, and the smallest changes that would lift it."""
        ...

    def weights(self) -> nt.WeightsView: ...
    async def set_weights(self, given: dict[str, int]) -> nt.WeightsView:
        """Change the weights that are given and keep the rest."""
        ...


class CapacityInterface(Protocol):
    """What a person can do and promised, over all communities; told to nobody."""

    def offers(self) -> nt.OffersView: ...
    async def set_offers(
        self,
        *,
        skills: Sequence[str] | None = None,
        interests: Sequence[str] | None = None,
        hours_per_week: int | None = None,
    ) -> nt.OffersView:
        """Say in every community what is given, and keep the rest."""
        ...

    async def plan(self) -> nt.PlanView: ...
    async def fitting(self, minutes: int) -> list[nt.FittingView]: ...
    async def featured(self, community: str = "") -> list[nt.FittingView]:
        """Return what is good to begin with, in one community, by its whole id, or in all."""
        ...
