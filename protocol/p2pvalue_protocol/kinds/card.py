"""Kind 46, community card: what the community says about itself (spec: kinds/card)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kind import Placed, StateKind, no_group
from p2pvalue_protocol.payload_form import PayloadForm, first_problem, line_problem, text_problem

NUMBER: Final = 46
NAME_BYTES_MAX: Final = 200
DESCRIPTION_BYTES_MAX: Final = 4_096
CARD_SUBJECT: Final = tagged_hash("card", b"")[:16]


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole card: the newest replaces those before it."""

    name: str
    description: str = ""


class CardState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The community's name and what it says about itself."""

    name: str
    description: str = ""


def _problem(card: Card) -> str | None:
    return first_problem(
        line_problem("name", card.name, NAME_BYTES_MAX),
        text_problem("description", card.description, DESCRIPTION_BYTES_MAX),
    )


_form = PayloadForm(Card, _problem)


def encode_card(name: str, description: str = "") -> bytes:
    """Return the payload of a community card; raises LocalProtocolError."""
    return _form.encode(Card(name, description))


def _fold(operations: Sequence[Placed]) -> CardState | None:
    if not operations:
        return None
    card: Card = operations[-1].payload
    return CardState(card.name, card.description)


CARD = StateKind(
    number=NUMBER,
    name="card",
    decode=_form.decode,
    subject=lambda payload, subject, op_id, member: CARD_SUBJECT,
    fold=_fold,
    group=no_group,
)
