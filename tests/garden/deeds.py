"""What the cast does, as it stands in `half-a-year.txt`: who, in which words, and when."""

from __future__ import annotations

import datetime
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from p2pvalue import need_types as nt
from p2pvalue.node.community import Community
from p2pvalue_cli.amounts import parse_amount

YEAR: Final = 2027
_WHEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


@dataclass(frozen=True)
class Deed:
    """One thing that one person does; `is_away`, nobody hears of it before she is back."""

    name: str
    words: str
    is_away: bool = False


@dataclass(frozen=True)
class Meeting:
    """What happens at one time, one thing after the other."""

    time_ms: int
    deeds: list[Deed] = field(default_factory=list)

    def names(self) -> set[str]:
        """Who has to be in touch for it."""
        return {deed.name for deed in self.deeds if not deed.is_away and deed.words != "join"}


def read_meetings(text: str) -> list[Meeting]:
    """Read `half-a-year.txt`: lines with a time, and below each what people do then."""
    found: list[Meeting] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if _WHEN.fullmatch(line):
            found.append(Meeting(time_ms(line)))
        else:
            found[-1].deeds.extend(_deeds(line.strip()))
    return found


def time_ms(text: str) -> int:
    """A time like `2027-03-01 10:00`, UTC, in ms since 1970."""
    moment = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
    return int(moment.timestamp() * 1000)


def _deeds(line: str) -> list[Deed]:
    """`Ida, Jon: want A pond`: the same of each; `Emil, away: …` is without a network."""
    people, _, words = line.partition(": ")
    names = people.split(", ")
    is_away = names[-1] == "away"
    return [Deed(name, words, is_away) for name in names[: len(names) - is_away]]


async def do(deed: Deed, community: Community) -> None:
    """Let somebody do what the words say; raises AssertionError for words that mean nothing."""
    for form, act in _FORMS.items():
        if found := re.fullmatch(form, deed.words):
            await act(community, deed.name, **found.groupdict())
            return
    raise AssertionError(f"nobody knows how to {deed.words!r}")


async def _pledge(
    community: Community, _: str, amount: str, need: str, others: str | None, when: str | None
) -> None:
    quantity, unit = parse_amount(amount)
    lines = community.needs.named(need).lines
    conditions = [nt.ConditionView(others=int(others))] if others else []
    number = next(number for number, line in enumerate(lines) if line.unit == unit)
    await community.pledges.make(
        need, quantity, line=number, when=when or "", conditions=conditions
    )


async def _withdraw(community: Community, name: str, need: str, reason: str) -> None:
    await community.pledges.withdraw(await _of(community, name, need), reason=reason)


async def _claim(community: Community, name: str, amount: str | None, need: str) -> None:
    given: dict[str, Any] = {"quantity": parse_amount(amount)[0]} if amount else {}
    await community.pledges.claim(await _of(community, name, need), **given)


async def _confirm(community: Community, _: str, other: str, need: str) -> None:
    for made in await community.pledges.all(need=need):
        if made.name == other and made.state == "claimed":
            await community.pledges.confirm(made.pledge)


async def _take(community: Community, _: str, other: str, need: str) -> None:
    released = community.pledges.named(await _of(community, other, need))
    rest = released.quantity - released.bound
    await community.pledges.make(need, rest, line=released.line, takes=released.pledge)


async def _want(community: Community, _: str, need: str) -> None:
    await community.order.want(need)


async def _did(community: Community, _: str, amount: str, title: str, kind: str) -> None:
    quantity, unit = parse_amount(amount)
    await community.contributions.add(title, quantity, unit=unit, class_name=kind)


async def _saw(community: Community, _: str, title: str) -> None:
    await community.contributions.witness(title)


async def _thank(community: Community, _: str, other: str, text: str) -> None:
    await community.thanks.give(other, text)


async def _say(community: Community, _: str, text: str) -> None:
    await community.post(text)


_FORMS: Final[dict[str, Callable[..., Awaitable[None]]]] = {
    r"pledge (?P<amount>.+?) to (?P<need>.+?)"
    r"(, if (?P<others>\d+) others do)?(, (?P<when>on .+))?": _pledge,
    r"withdraw from (?P<need>.+?), (?P<reason>.+)": _withdraw,
    r"claim ((?P<amount>\d\S*) of )?(?P<need>.+)": _claim,
    r"confirm (?P<other>\w+) for (?P<need>.+)": _confirm,
    r"take over from (?P<other>\w+) for (?P<need>.+)": _take,
    r"want (?P<need>.+)": _want,
    r"did (?P<amount>\S+) of (?P<title>.+), (?P<kind>\w+)": _did,
    r"saw (?P<title>.+)": _saw,
    r"thank (?P<other>\w+) (?P<text>.+)": _thank,
    r"say (?P<text>.+)": _say,
}


async def _of(community: Community, name: str, need: str) -> str:
    """The last pledge of somebody to a need."""
    found = [made for made in await community.pledges.all(need=need) if made.name == name]
    return found[-1].pledge
