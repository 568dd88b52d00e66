"""Who wants her need to stand higher than it should: what she does, and what it gains her.

A village of sixty people with a hundred and twenty needs, drawn from one seed, and one need more,
whose author cheats. Each attack is tried with each formula alone and with the default weights. What
it gains is how many needs of others it overtakes. Makes the table of docs/ranking.md:

    python -m tests.bench.ranking_attacks
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

from p2pvalue_protocol.needs.parts import DAY_MS, Line, Offer, Ranked, Voice, Weights
from p2pvalue_protocol.needs.ranking import rank
from tests.bench.cost_page import with_tables
from tests.tidy.tree import ROOT

PAGE = ROOT / "docs" / "ranking.md"
BEGIN = "<!-- made by python -m tests.bench.ranking_attacks: begin -->"
AS_OF_MS = 20_000 * DAY_MS
SEED = 1
PEOPLE, NEEDS = 60, 120
MEMBER, GUEST = 2, 3
FORMULAS = ("voices", "hours", "quadratic", "closeness", "urgency", "age")
MINE = b"\x80" * 16  # in the middle, so that ties neither help nor harm

Attack = Callable[[Ranked], list[Ranked]]
"""From her need as it is to her needs with which she tries it."""


def person(number: int) -> bytes:
    return number.to_bytes(32)


def offer(number: int, minutes: int, *, days: int = 0, rank_: int = MEMBER, line: int = 0) -> Offer:
    return Offer(person(number), rank_, line, minutes, AS_OF_MS - days * DAY_MS)


def village() -> list[Ranked]:
    """What honest people need: a few that many want, many that few want, some pledged to."""
    rng = Random(SEED)
    found = []
    for _ in range(NEEDS):
        wanted = min(PEOPLE, int(rng.paretovariate(1.0)))
        pledgers = rng.sample(range(PEOPLE), rng.choice([0, 0, 1, 1, 2, 3, 5, 8]))
        found.append(
            Ranked(
                need=rng.randbytes(16),
                created_ms=AS_OF_MS - rng.randint(0, 200) * DAY_MS,
                lines=(Line("hours", rng.randint(4, 40) * 60),),
                voices=tuple(Voice(person(n), MEMBER) for n in rng.sample(range(PEOPLE), wanted)),
                offers=tuple(
                    offer(n, rng.randint(1, 6) * 30, days=rng.randint(0, 80)) for n in pledgers
                ),
                class_name=rng.choice(["build"] * 8 + ["learn", "care"]),
                deadline_ms=rng.choice([0, 0, AS_OF_MS + rng.randint(1, 60) * DAY_MS]),
            )
        )
    return found


def her_need() -> Ranked:
    """Ten hours are asked for and one is pledged; she and a friend want it."""
    return Ranked(
        need=MINE,
        created_ms=AS_OF_MS - 10 * DAY_MS,
        lines=(Line("hours", 600), Line("money", 10_000)),
        voices=(Voice(person(100), MEMBER), Voice(person(101), MEMBER)),
        offers=(offer(101, 60),),
        class_name="build",
    )


def with_offers(need: Ranked, *offers: Offer) -> Ranked:
    return msgspec.structs.replace(need, offers=(*need.offers, *offers))


def with_people(need: Ranked, count: int, rank_: int, minutes: int = 0) -> Ranked:
    """A need that so many more want, who each pledge some minutes."""
    numbers = range(200, 200 + count)
    voices = tuple(Voice(person(number), rank_) for number in numbers)
    offers = [offer(number, minutes, rank_=rank_) for number in numbers if minutes]
    return msgspec.structs.replace(with_offers(need, *offers), voices=(*need.voices, *voices))


def copies(need: Ranked, count: int) -> list[Ranked]:
    """Needs alike under other names, as near in a tie."""
    names = [MINE[:-1] + bytes([number]) for number in range(count)]
    return [msgspec.structs.replace(need, need=name) for name in names]


def ring(need: Ranked, count: int) -> list[Ranked]:
    """Six friends pledge two hours each to so many needs, and to nothing else."""
    return copies(with_offers(need, *(offer(number, 120) for number in range(300, 306))), count)


def split(need: Ranked, count: int) -> list[Ranked]:
    """A need in so many pieces: each has its share of the hours asked for and pledged."""
    hours, money = need.lines
    small = msgspec.structs.replace(
        need,
        lines=(hours._replace(goal=hours.goal // count), money),
        offers=tuple(one._replace(quantity=one.quantity // count) for one in need.offers),
    )
    return copies(small, count)


def gathered(need: Ranked, count: int) -> list[Ranked]:
    """A need in so many pieces, and all that is pledged goes to the first."""
    first, *others = split(need, count)
    return [
        msgspec.structs.replace(first, offers=need.offers),
        *(msgspec.structs.replace(other, offers=()) for other in others),
    ]


ATTACKS: dict[str, Attack] = {
    "20 guests want it and pledge two hours each": (
        lambda need: [with_people(need, 20, GUEST, 120)]
    ),
    "the same 20 are let in as members": lambda need: [with_people(need, 20, MEMBER, 120)],
    "10 members give their voice in one minute": lambda need: [with_people(need, 10, MEMBER)],
    "6 friends pledge two hours each": lambda need: ring(need, 1),
    "the same 6 do so at 12 needs, always together": lambda need: ring(need, 12),
    "it is split in two": lambda need: split(need, 2),
    "it is split in ten": lambda need: split(need, 10),
    "it is split in ten, and one piece has all pledges": lambda need: gathered(need, 10),
    "10 pledge two hours each, 91 days ago": (
        lambda need: [with_offers(need, *(offer(n, 120, days=91) for n in range(200, 210)))]
    ),
    "one member pledges a hundred hours": lambda need: [with_offers(need, offer(200, 6_000))],
    "a rich member pledges money": lambda need: [with_offers(need, offer(200, 10**12, line=1))],
    "it says that tomorrow is the deadline": (
        lambda need: [msgspec.structs.replace(need, deadline_ms=AS_OF_MS + DAY_MS)]
    ),
    "it says that it was made a year ago": (
        lambda need: [msgspec.structs.replace(need, created_ms=AS_OF_MS - 365 * DAY_MS)]
    ),
    "it says that it is care": lambda need: [msgspec.structs.replace(need, class_name="care")],
    "she pledged to a need that was made to lapse": (
        lambda need: [msgspec.structs.replace(need, has_credit=True)]
    ),
}


def ways() -> dict[str, Weights]:
    """Each formula alone, and the default."""
    nothing = dict.fromkeys((*FORMULAS, "floor"), 0)
    alone = {formula: Weights(**{**nothing, formula: 1_000}) for formula in FORMULAS}
    return alone | {"default": Weights()}


def above(hers: list[Ranked], weights: Weights) -> int:
    """How many needs of others stand above the best of hers."""
    names = {need.need for need in hers}
    places = rank([*village(), *hers], weights, AS_OF_MS)
    return next(index for index, place in enumerate(places) if place.need in names)


def gains(attack: Attack) -> dict[str, int]:
    """How many needs of others an attack overtakes, by formula."""
    return {
        way: above([her_need()], weights) - above(attack(her_need()), weights)
        for way, weights in ways().items()
    }


def table() -> str:
    """Return the table of all attacks."""
    lines = [
        "| needs of others overtaken | " + " | ".join(ways()) + " |",
        "|---" * (len(ways()) + 1) + "|",
        "| *above it before* | "
        + " | ".join(f"*{above([her_need()], weights)}*" for weights in ways().values())
        + " |",
    ]
    for name, attack in ATTACKS.items():
        lines.append(f"| {name} | " + " | ".join(map(str, gains(attack).values())) + " |")
    return "\n".join(lines)


def page() -> str:
    """Return the page with the table as it is now."""
    return with_tables(PAGE.read_text("utf-8"), table(), BEGIN)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
