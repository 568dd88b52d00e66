"""What is told about what members did, and about the thanks they got."""

from __future__ import annotations

import msgspec

from p2pvalue.need_types import PersonView
from p2pvalue.types import LineKind, Value


class ContributionView(Value, frozen=True, kw_only=True):
    """What a member did: as she wrote it down, or, with `is_pledge`, as others confirmed it.

    `contribution` is then the id of the pledge. `quantity` is in minutes, hundredths of the
    currency, or pieces. `day` (ms) is when it was done or, of a pledge, confirmed.
    """

    contribution: str
    is_pledge: bool = False
    title: str
    kind: LineKind
    unit: str
    quantity: int
    class_name: str = msgspec.field(default="", name="class")
    need: str = ""
    need_title: str = ""
    source: str = ""
    witnesses: list[PersonView]
    day: int
    member: str
    name: str


class ThanksView(Value, frozen=True, kw_only=True):
    """A word of a member to another; `about` is a need, a contribution or a pledge."""

    thanks: str
    to: str
    to_name: str
    text: str
    about: str = ""
    about_title: str = ""
    member: str
    name: str
    time: int


class SuggestionView(Value, frozen=True, kw_only=True):
    """Care that the person at this node did and did not write down; nobody else is told.

    `why` says what was noticed, `day` when (ms). `suggestion` is the id to name it by, `need` the
    need that it was for, if there is one.
    """

    suggestion: str
    source: str
    title: str
    why: str
    day: int
    need: str = ""
