"""What is told about needs and pledges, and where they stand."""

from __future__ import annotations

from typing import Literal

import msgspec

from p2pvalue.types import LineKind, MessageView, Value

Trigger = Literal["all", "any", "none"]
NeedStateName = Literal[
    "draft",
    "open",
    "triggered",
    "in-progress",
    "claimed",
    "confirmed",
    "disputed",
    "settled",
    "lapsed",
    "dropped",
]
PledgeStateName = Literal[
    "offered",
    "outdated",
    "withdrawn",
    "early",
    "late",
    "expired",
    "unmet",
    "void",
    "binding",
    "released",
    "claimed",
    "confirmed",
    "disputed",
    "settled",
]
HappeningName = Literal[
    "made",
    "changed",
    "dropped",
    "opened",
    "offered",
    "taken-over",
    "withdrawn",
    "released",
    "claimed",
    "confirmed",
    "disputed",
    "settled",
    "closed",
]


class PersonView(Value, frozen=True, kw_only=True):
    """A member, and what she is called; `is_out`: she was one, and left or was put out."""

    member: str
    name: str
    is_out: bool = False


class LineView(Value, frozen=True, kw_only=True):
    """A need's line. Units: minutes, cents, pieces, people.

    `pledged` is what stands or binds, of so many `pledgers`; `delivered` what others confirmed.
    """

    kind: LineKind
    unit: str
    minimum: int
    optimum: int
    pledged: int = 0
    pledgers: int = 0
    delivered: int = 0


class ClosingView(Value, frozen=True, kw_only=True):
    """A CLOSE that counts; `changed` if it changed who is in, or whether the need came about."""

    member: str
    name: str
    time: int
    changed: bool


class NeedView(Value, frozen=True, kw_only=True):
    """Something the community wants done, and where it stands; times in ms, 0: none.

    `is_met`: what the trigger asks for stands. `missing` operations that were counted wait here
    for a key: nothing is final before. `estimate` is in minutes. `origin` is the message that it
    came of, where one need is told and it is among the newest.
    """

    need: str
    title: str
    body: str = ""
    state: NeedStateName
    is_met: bool = False
    is_closed: bool = False
    lines: list[LineView]
    trigger: Trigger = "all"
    opens: int = 0
    closes: int = 0
    deadline: int = 0
    estimate: int = 0
    class_name: str = msgspec.field(default="", name="class")
    skills: list[str]
    acceptance: str = ""
    gives_back: str = ""
    project: str = ""
    project_title: str = ""
    message: str = ""
    origin: MessageView | None = None
    depends: list[str]
    stewards: list[PersonView]
    confirmers: list[PersonView]
    closings: list[ClosingView]
    missing: int = 0
    wants: int = 0  # so many members say that they need it, too
    is_wanted: bool = False  # by this node's person
    is_mine: bool = False  # this node's person asked for it, is its steward, or pledged to it
    member: str
    name: str
    created: int
    time: int


class ConditionView(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One condition of a pledge: so many others, that member, or after a time."""

    others: int | None = None
    member: str | None = None
    after: int | None = None


class PledgeView(Value, frozen=True, kw_only=True):
    """What a member offered towards one line of a need, and what became of it.

    `bound` is what binds her, `claimed` what she says she delivered, `delivered` what others
    confirmed. `takes` names the pledge that it took over; `to` whom a released one is handed to.
    `judges` are who settled it, or who dispute it; `renewed_by` is said under the terms of later.
    `is_left`: it binds somebody who is no member any more.
    """

    pledge: str
    need: str
    need_title: str
    line: int
    kind: LineKind | None
    unit: str
    quantity: int
    state: PledgeStateName
    reason: str = ""
    bound: int = 0
    claimed: int = 0
    delivered: int = 0
    when: str = ""
    where: str = ""
    conditions: list[ConditionView]
    takes: str = ""
    to: str = ""
    to_name: str = ""
    judges: list[PersonView]
    renewed_by: str = ""
    is_left: bool = False
    member: str
    name: str
    time: int


class HappeningView(Value, frozen=True, kw_only=True):
    """One thing that somebody did to a need or to a pledge to it, at a time (ms).

    `fields` are what a change of the need gave anew, `was` what the days among them were (ms). Of a
    pledge: `quantity` in the unit of its line, `text` why, `to` whom it is handed to. Of a CLOSE:
    whether it changed the outcome.
    """

    act: HappeningName
    time: int
    member: str
    name: str
    fields: list[str]
    was: dict[str, int] = msgspec.field(default_factory=dict)
    pledge: str = ""
    pledged_by: str = ""
    quantity: int | None = None
    kind: LineKind | None = None
    unit: str = ""
    text: str = ""
    to: str = ""
    is_outcome_changed: bool = False


class NeedDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller says of a need, new or changed; None leaves a field as it is."""

    title: str | None = None
    body: str | None = None
    lines: list[LineView] | None = None
    trigger: Trigger | None = None
    opens: int | None = None
    closes: int | None = None
    deadline: int | None = None
    estimate: int | None = None
    class_name: str | None = msgspec.field(default=None, name="class")
    skills: list[str] | None = None
    acceptance: str | None = None
    gives_back: str | None = None
    project: str | None = None
    message: str | None = None
    depends: list[str] | None = None
    stewards: list[str] | None = None
    confirmers: list[str] | None = None
    status: Literal["draft", "open", "dropped"] | None = None


Step = Literal["claim", "confirm", "settle", "take", "renew", "close"]


class StepView(Value, frozen=True, kw_only=True):
    """What the person at this node may do next about a need, and so much of which pledge.

    `is_left`: it binds somebody who is no member any more, so nobody else can do anything about it.
    """

    act: Step
    pledge: str = ""  # empty to close the need
    name: str = ""  # of who pledged
    kind: LineKind | None = None
    unit: str = ""
    quantity: int = 0
    is_left: bool = False


class WeightsView(Value, frozen=True, kw_only=True):
    """How much each part counts in the order of needs; `floor` first places are kept for care."""

    voices: int
    hours: int
    quadratic: int
    closeness: int
    urgency: int
    age: int
    floor: int
    credit: int = 0  # a tenth of the others together, chosen by nobody
    is_default: bool = False  # nobody chose others


class PlaceView(Value, frozen=True, kw_only=True):
    """Where a need stands in the order of work.

    `score` is in millionths of a point. `lifted` is what brought it among the first places: "floor"
    for care and maintenance, "turn" for what waits long; `by_score` is its place without.
    """

    place: int
    need: str
    title: str
    state: NeedStateName
    score: int
    by_score: int
    lifted: Literal["", "floor", "turn"] = ""


class OrderView(Value, frozen=True, kw_only=True):
    """The order of work as of a time (ms), equal on all nodes that hold the same."""

    as_of: int
    weights: WeightsView
    needs: list[PlaceView]


class ReasonView(Value, frozen=True, kw_only=True):
    """One part of a score: millionths, times its weight, are its points."""

    part: str
    millionths: int
    weight: int
    points: int


class LiftView(Value, frozen=True, kw_only=True):
    """The smallest change of its kind that lifts a need, by so many voices, minutes, members."""

    kind: Literal["voices", "minutes", "members"]
    count: int
    place: int


class ExplanationView(Value, frozen=True, kw_only=True):
    """Why a need stands where it does, of so many."""

    as_of: int
    of: int
    place: PlaceView
    reasons: list[ReasonView]
    lifts: list[LiftView]
    lines: list[str]  # the same in words


class OffersView(Value, frozen=True, kw_only=True):
    """What a person says she can and likes to do; all optional. Hours are a week's, 0: not said."""

    skills: list[str]
    interests: list[str]
    hours_per_week: int


class AboutView(Value, frozen=True, kw_only=True):
    """What a member says of herself, and how she kept her word as of a time (ms).

    `kept_percent` is null where fewer than five words ended lately: `kept_words` is 0 then.
    """

    member: str
    name: str
    skills: list[str]
    interests: list[str]
    hours_per_week: int
    kept_percent: int | None
    kept_words: int
    as_of: int


class PromiseView(Value, frozen=True, kw_only=True):
    """Working time that one promised and that is not delivered; `due` in ms, 0: no date.

    `is_deadline`: by then it is to be done; else `due` is the last day to pledge.
    """

    community: str
    pledge: str
    need_title: str
    state: PledgeStateName
    minutes: int
    due: int
    is_deadline: bool


class PlanView(Value, frozen=True, kw_only=True):
    """All that one promised in all communities of this node, the first due first.

    Computed here and told to nobody. `warning` is empty unless it is more than her week allows.
    """

    promises: list[PromiseView]
    minutes: int
    minutes_due: int  # within four weeks, or without a date
    hours_per_week: int
    warning: str


class FittingView(Value, frozen=True, kw_only=True):
    """A need that one could do something for in the time that one has.

    `is_first`: who knows it says that it is good for a first time.
    """

    community: str
    need: str
    title: str
    minutes: int  # that would help
    skills: list[str]  # of hers, that it asks for
    is_first: bool = False
