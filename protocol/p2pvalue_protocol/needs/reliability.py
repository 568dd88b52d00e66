"""How a member kept her word: one rate that fades, and never a list (spec: needs#reliability).

Nobody is asked for it and nobody signs it: each device computes it from what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from p2pvalue_protocol.kinds.need import NeedState
from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding

DAY_MS: Final = 24 * 3_600_000
GRACE_MS: Final = 14 * DAY_MS
"""Who says nothing for so long after the day by which it was to be done broke her word."""
FADES_DAYS: Final = 180
WORDS_MIN: Final = 5
"""Of fewer words nothing is said."""
MILLION: Final = 1_000_000


class Ending(NamedTuple):
    """One word that was kept or broken: when (ms), and the millionths that were delivered."""

    time: int
    millionths: int


class Reliability(NamedTuple):
    """Which share of her word a member kept, in whole percent, by so many words."""

    percent: int
    words: int


def endings_of(
    need: NeedState, changed_ms: int, standing: NeedStanding, member: bytes, as_of_ms: int
) -> Iterator[Ending]:
    """Yield the words of a member to one need that came to an end; `changed_ms`: of the need.

    A word that was released, disputed or answered in part is none of them, whatever its time.
    """
    closed_ms = max((closing.order.time for closing in standing.closings), default=0)
    for pledge in standing.pledges:
        if pledge.offer.member == member:
            due_ms = max(need.deadline, changed_ms, closed_ms, pledge.offer.act.order.time)
            broken_ms = due_ms + GRACE_MS if need.deadline else as_of_ms
            yield from _ending(pledge, broken_ms, as_of_ms)


def reliability(endings: Iterable[Ending], as_of_ms: int) -> Reliability | None:
    """Return the rate by words that ended, each weighed by the days until it fades; None: too few.

    >>> kept, broken = Ending(0, MILLION), Ending(90 * DAY_MS, 0)
    >>> reliability([kept] * 4 + [broken], as_of_ms=90 * DAY_MS)
    Reliability(percent=66, words=5)
    >>> reliability([kept] * 4, as_of_ms=90 * DAY_MS)
    """
    words = weights = weighed = 0
    for ending in endings:
        weight = FADES_DAYS - max(0, as_of_ms - ending.time) // DAY_MS
        if weight > 0:
            words += 1
            weights += weight
            weighed += weight * ending.millionths
    if words < WORDS_MIN:
        return None
    return Reliability(100 * weighed // (weights * MILLION), words)


def _ending(pledge: PledgeStanding, broken_ms: int, as_of_ms: int) -> Iterator[Ending]:
    word = pledge.word
    if word is None or not word.bound or pledge.state == "void":
        return
    if word.delivered and word.state in ("confirmed", "settled"):
        yield Ending(word.delivered_ms, MILLION * word.delivered // word.bound)
        return
    is_answered = word.state != "binding" or word.claimed or word.delivered
    if not is_answered and broken_ms < as_of_ms:
        yield Ending(broken_ms, 0)
