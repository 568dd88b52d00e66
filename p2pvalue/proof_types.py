"""What is told about a file that proves what became of a need."""

from __future__ import annotations

from p2pvalue.need_types import NeedView, PersonView, PledgeView
from p2pvalue.types import LineKind, Value


class DoneView(Value, frozen=True, kw_only=True):
    """What a member delivered, in the unit of its line, and who said that she did."""

    pledge: str
    member: str
    name: str
    quantity: int
    unit: str
    kind: LineKind
    witnesses: list[PersonView]
    time: int


class NotShownView(Value, frozen=True, kw_only=True):
    """What a proof points to and does not show; all but `pledges` would be about this very need.

    `changes` are operations of the need, `named` is what was counted at its end, `kept` what says
    whether somebody who was put out counts. `pledges`, CLOSEs included, may be to any need.
    """

    changes: list[str]
    named: int
    kept: int
    pledges: int


class ProofView(Value, frozen=True, kw_only=True):
    """What a file proves: who signed what about a need, and what became of it by the rules.

    `is_whole`: nothing is missing that the file itself points to. `as_of` is the newest time in it;
    `digest` is equal in files that show the same words. What was said later may be left out.
    """

    community: str
    founders: list[PersonView]
    need: NeedView
    pledges: list[PledgeView]
    done: list[DoneView]
    is_whole: bool
    not_shown: NotShownView
    operations: int
    as_of: int
    digest: str
