"""What a person promised in all her communities, beside what she can do.

Computed on her own machine, and never sent: nobody else knows all her communities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from p2pvalue import need_types as nt
from p2pvalue.amounts import counted

if TYPE_CHECKING:
    from p2pvalue.node.community import Community

_OWED: Final = frozenset(("offered", "binding", "claimed", "disputed"))
_HELPED: Final = frozenset(("open", "triggered", "in-progress"))
_WEEK_MS: Final = 7 * 24 * 3_600_000
_WEEKS: Final = 4
FIRST_MINUTES_MAX: Final = 120
FIRST_TIME: Final = "first time"
"""The skill that says that none is needed: whoever may change a need can call it so."""


class Capacity:
    """The promises and abilities of a person, over the communities of her node."""

    def __init__(
        self, communities: Callable[[], Iterable[Community]], clock_ms: Callable[[], int]
    ) -> None:
        self._communities = communities
        self._clock_ms = clock_ms

    # --- what she can

    def offers(self) -> nt.OffersView:
        """Return what she said of herself, in any community."""
        found = [profile for c in self._communities() if (profile := c.my_profile()) is not None]
        return nt.OffersView(
            skills=sorted({skill for profile in found for skill in profile.skills}),
            interests=sorted({name for profile in found for name in profile.interests}),
            hours_per_week=max((profile.hours_per_week or 0 for profile in found), default=0),
        )

    async def set_offers(
        self,
        *,
        skills: Sequence[str] | None = None,
        interests: Sequence[str] | None = None,
        hours_per_week: int | None = None,
    ) -> nt.OffersView:
        """Say in every community what is given, and keep the rest; no hours are 0."""
        before = self.offers()
        for community in self._communities():
            await community.set_my_offers(
                before.skills if skills is None else skills,
                before.interests if interests is None else interests,
                before.hours_per_week if hours_per_week is None else hours_per_week,
            )
        return self.offers()

    # --- what she promised

    async def plan(self) -> nt.PlanView:
        """Return what she owes, and whether it is more than she said she has."""
        promises = sorted(await self._promises(), key=lambda p: (p.due == 0, p.due, p.pledge))
        until_ms = self._clock_ms() + _WEEKS * _WEEK_MS
        due = sum(p.minutes for p in promises if p.due <= until_ms)
        hours = self.offers().hours_per_week
        warning = ""
        if hours and due > hours * 60 * _WEEKS:
            warning = (
                f"you have promised {counted(due // 60, 'hour')} of the next {_WEEKS} weeks, and"
                f" said that you have {hours} a week: release or withdraw what you cannot keep"
            )
        return nt.PlanView(
            promises=promises,
            minutes=sum(promise.minutes for promise in promises),
            minutes_due=due,
            hours_per_week=hours,
            warning=warning,
        )

    async def _promises(self) -> list[nt.PromiseView]:
        found: list[nt.PromiseView] = []
        for community in self._communities():
            needs = {need.need: need for need in await community.needs.all()}
            for pledge in await community.pledges.all(mine=True):
                left = (pledge.bound or pledge.quantity) - pledge.delivered
                need = needs.get(pledge.need)  # none: it came meanwhile
                is_owed = pledge.kind == "hours" and pledge.state in _OWED and left > 0
                if is_owed and need is not None:
                    found.append(
                        nt.PromiseView(
                            community=community.name,
                            pledge=pledge.pledge,
                            need_title=pledge.need_title,
                            state=pledge.state,
                            minutes=left,
                            due=need.deadline or need.closes,
                            is_deadline=need.deadline > 0,
                        )
                    )
        return found

    # --- what she could do now

    async def fitting(self, minutes: int) -> list[nt.FittingView]:
        """Return what so many minutes would help, what asks for her skills first."""
        skills = {skill.casefold() for skill in self.offers().skills}
        found: list[nt.FittingView] = []
        for community in self._communities():
            for need in await community.needs.all():
                lacking = _lacking_minutes(need)
                if (
                    not lacking
                    or not self._takes_pledges(need)
                    or need.estimate > minutes
                    or (need.state not in _HELPED)
                ):
                    continue
                matching = [skill for skill in need.skills if skill.casefold() in skills]
                found.append(
                    nt.FittingView(
                        community=community.name,
                        need=need.need,
                        title=need.title,
                        minutes=min(minutes, lacking),
                        skills=matching,
                    )
                )
        return sorted(found, key=lambda fit: (-len(fit.skills), -fit.minutes, fit.need))

    def _takes_pledges(self, need: nt.NeedView) -> bool:
        """Return whether the time to pledge to a need has begun and is not over."""
        now_ms = self._clock_ms()
        is_over = need.is_closed or 0 < need.closes < now_ms
        return need.opens <= now_ms and not is_over

    # --- what a newcomer could begin with

    async def featured(self, community: str = "") -> list[nt.FittingView]:
        """Return what is good to begin with, in one community, by its whole id, or in all.

        What somebody who knows it calls good for a first time comes first, then what asks for a
        skill that we have, then the smallest.
        """
        skills = {skill.casefold() for skill in self.offers().skills}
        found = [
            fit
            for one in self._communities()
            if community in ("", one.id.hex())
            for need in await one.needs.all()
            if self._takes_pledges(need)
            and (fit := _first_step(need, skills, one.name)) is not None
        ]
        return sorted(
            found, key=lambda fit: (not fit.is_first, -len(fit.skills), fit.minutes, fit.need)
        )


def _first_step(need: nt.NeedView, skills: set[str], community: str) -> nt.FittingView | None:
    """Return what somebody new could do for a need: at most two hours, with no rare skill."""
    lacking = _lacking_minutes(need)
    if need.state != "open" or not lacking:
        return None
    asked = {skill.casefold(): skill for skill in need.skills}
    is_first = asked.pop(FIRST_TIME, None) is not None
    matching = [skill for folded, skill in asked.items() if folded in skills]
    people = any(line.kind == "skill" and line.pledged < line.minimum for line in need.lines)
    is_small = (need.estimate or lacking) <= FIRST_MINUTES_MAX
    needs_no_other = len(matching) == len(asked) and not people
    if not is_first and not (is_small and needs_no_other):
        return None
    return nt.FittingView(
        community=community,
        need=need.need,
        title=need.title,
        minutes=min(lacking, FIRST_MINUTES_MAX),
        skills=matching,
        is_first=is_first,
    )


def _lacking_minutes(need: nt.NeedView) -> int:
    return sum(max(line.optimum - line.pledged, 0) for line in need.lines if line.kind == "hours")
