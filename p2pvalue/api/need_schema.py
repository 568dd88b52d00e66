"""What can be asked about needs and pledges."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from p2pvalue import need_types as nt
from p2pvalue import types as t
from p2pvalue.api.schema import Count, InCommunity, Question, Reference

Time = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""Milliseconds since 1970; 0 is none."""

Amount = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class AddLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a need, in minutes, cents, pieces or people; no optimum means the minimum."""

    kind: t.LineKind
    unit: str
    minimum: Amount
    optimum: Amount | None = None


class AddNeed(InCommunity, frozen=True, kw_only=True):
    """A need; `stewards` and `confirmers` are members, `depends` other needs.

    `message` is the message that it comes of, by its first line or id: without `title` and `body`
    these are its first line and the rest.
    """

    title: str | None = None
    body: str | None = None
    lines: list[AddLine] | None = None
    trigger: nt.Trigger | None = None
    opens: Time | None = None
    closes: Time | None = None
    deadline: Time | None = None
    estimate: Amount | None = None
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


class OfNeed(InCommunity, frozen=True, kw_only=True):
    """A question about one need."""

    need: Reference


class ProveNeed(OfNeed, frozen=True, kw_only=True):
    """A need, and the absolute path of a file that is not there yet, if one is to stay."""

    target: str | None = None


class ReadProof(Question, frozen=True, kw_only=True):
    """The absolute path of a file about a need."""

    path: str


class ChangeNeed(AddNeed, frozen=True, kw_only=True):
    """What is given of a need is changed, and nothing else."""

    need: Reference


class ListPledges(InCommunity, frozen=True, kw_only=True):
    """All pledges, those to one need, or one's own."""

    need: str = ""
    mine: bool = False


class MakePledge(OfNeed, frozen=True, kw_only=True):
    """`line` counts the need's lines from 0; `takes` is a released pledge to take over."""

    quantity: Count
    line: Annotated[int, msgspec.Meta(ge=0)] = 0
    when: str = ""
    where: str = ""
    conditions: list[nt.ConditionView] = msgspec.field(default_factory=list)
    takes: str = ""


class OfPledge(InCommunity, frozen=True, kw_only=True):
    """A question about one pledge."""

    pledge: Reference


class WithdrawPledge(OfPledge, frozen=True, kw_only=True):
    """Why it is withdrawn or released, and to whom it is handed."""

    reason: str = ""
    to: str = ""


class DeliverPledge(OfPledge, frozen=True, kw_only=True):
    """How much was delivered in all, in the unit of the line; null: all of it, or all claimed."""

    quantity: Amount | None = None
    note: str = ""


class DisputePledge(OfPledge, frozen=True, kw_only=True):
    """Why it is disputed."""

    reason: Annotated[str, msgspec.Meta(min_length=1)]


class SettlePledge(OfPledge, frozen=True, kw_only=True):
    """What counts as delivered, and why."""

    quantity: Amount
    reason: str = ""


class WantNeed(OfNeed, frozen=True, kw_only=True):
    """Whether one needs it, too."""

    wants: bool = True


class AsOf(InCommunity, frozen=True, kw_only=True):
    """The time as of which needs are ordered; 0: the last midnight, UTC."""

    as_of: Time = 0


class ExplainNeed(OfNeed, frozen=True, kw_only=True):
    """One need, and the time as of which needs are ordered."""

    as_of: Time = 0


Weight = Annotated[int, msgspec.Meta(ge=0, le=1_000)]


class SetWeights(InCommunity, frozen=True, kw_only=True):
    """The weights to be changed; `floor` first places are kept for care and maintenance."""

    voices: Weight | None = None
    hours: Weight | None = None
    quadratic: Weight | None = None
    closeness: Weight | None = None
    urgency: Weight | None = None
    age: Weight | None = None
    floor: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None


class SetOffers(Question, frozen=True, kw_only=True):
    """What one can and likes to do, in every community; 0 hours: not said."""

    skills: list[str] | None = None
    interests: list[str] | None = None
    hours_per_week: Annotated[int, msgspec.Meta(ge=0, le=168)] | None = None


class Fitting(Question, frozen=True, kw_only=True):
    """How many minutes one has."""

    minutes: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
