"""Kind 50, ranking: by what a community orders its needs (spec: kinds/ranking)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kind import Placed, StateKind, no_group
from p2pvalue_protocol.payload_form import PayloadForm

NUMBER: Final = 50
WEIGHT_MAX: Final = 1_000
FLOOR_MAX: Final = 20
RANK_MAY_RANK_MAX: Final = 1  # founders and admins
RANKING_SUBJECT: Final = tagged_hash("ranking", b"")[:16]

Weight = Annotated[int, msgspec.Meta(ge=0, le=WEIGHT_MAX)]
Floor = Annotated[int, msgspec.Meta(ge=0, le=FLOOR_MAX)]


class Weights(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much each measure of a need weighs; only their proportions matter."""

    voices: Weight = 0
    hours: Weight = 0
    quadratic: Weight = 0
    closeness: Weight = 0
    urgency: Weight = 0
    age: Weight = 0


class Ranking(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole ranking: the newest replaces those before it."""

    weights: Weights
    floor: Floor = 0  # top places that are kept for needs of care and maintenance


class RankingState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ranking that a community chose; `author` is the root key of who wrote it down."""

    author: bytes
    weights: Weights
    floor: int = 0


DEFAULT: Final = Ranking(
    Weights(voices=400, hours=150, closeness=150, urgency=150, age=150), floor=2
)
"""The ranking of a community that chose none."""


def _problem(ranking: Ranking) -> str | None:
    is_any = any(msgspec.structs.astuple(ranking.weights))
    return None if is_any else "no measure weighs anything: give one a weight of at least 1"


_form = PayloadForm(Ranking, _problem)


def encode_ranking(weights: Weights, floor: int = 0) -> bytes:
    """Return the payload that chooses a ranking; raises LocalProtocolError."""
    return _form.encode(Ranking(weights, floor))


def _fold(operations: Sequence[Placed]) -> RankingState | None:
    counting = [placed for placed in operations if placed.rank <= RANK_MAY_RANK_MAX]
    if not counting:
        return None
    ranking: Ranking = counting[-1].payload
    return RankingState(counting[-1].member, ranking.weights, ranking.floor)


RANKING = StateKind(
    number=NUMBER,
    name="ranking",
    decode=_form.decode,
    subject=lambda payload, subject, op_id, member: RANKING_SUBJECT,
    fold=_fold,
    group=no_group,
)
