"""Kind 45, thanks: a word of a member to another (spec: kinds/thanks)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from p2pvalue_protocol.kind import NO_SUBJECT, Placed, StateKind, object_subject
from p2pvalue_protocol.payload_form import (
    PayloadForm,
    RootKey,
    Subject,
    first_problem,
    text_problem,
)

NUMBER: Final = 45
TEXT_BYTES_MAX: Final = 500


class Thanks(msgspec.Struct, frozen=True, omit_defaults=True):
    """Thanks a member (to and text at least), or takes that back (`withdrawn` alone)."""

    to: RootKey | None = None
    text: str | None = None
    about: Subject | None = None
    withdrawn: bool = False


class ThanksState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Thanks as they stand; `author` and `to` are root keys, `about` is empty where nothing is.

    `time` (ms) is when they were said. A withdrawal is final, and leaves no text.
    """

    author: bytes
    time: int
    to: bytes
    text: str
    about: bytes = b""
    withdrawn: bool = False


def _problem(thanks: Thanks) -> str | None:
    if thanks.withdrawn:
        is_alone = (thanks.to, thanks.text, thanks.about) == (None, None, None)
        return None if is_alone else "a withdrawal says nothing else: leave the other fields out"
    if thanks.to is None or thanks.text is None:
        return "thanks go to a member and say something: give both"
    return first_problem(
        None if thanks.text.strip(" \t\n") else "the thanks are empty: say what for",
        text_problem("thanks", thanks.text, TEXT_BYTES_MAX),
    )


_form = PayloadForm(Thanks, _problem)


def encode_thanks(to: bytes, text: str, about: bytes | None = None) -> bytes:
    """Return the payload that thanks a member; raises LocalProtocolError."""
    return _form.encode(Thanks(to, text, about))


def encode_thanks_withdrawal() -> bytes:
    """Return the payload that takes back one's own thanks."""
    return _form.encode(Thanks(withdrawn=True))


def _fold(operations: Sequence[Placed]) -> ThanksState | None:
    state: ThanksState | None = None
    for placed in operations:
        thanks: Thanks = placed.payload
        if placed.creates:
            state = _said(placed, thanks)
        elif state is not None and thanks.withdrawn and placed.member == state.author:
            state = msgspec.structs.replace(state, withdrawn=True, text="")
    return state


def _said(placed: Placed, thanks: Thanks) -> ThanksState | None:
    if thanks.to is None or thanks.text is None or thanks.to == placed.member:
        return None
    about = thanks.about or b""
    return ThanksState(placed.member, placed.order.time, thanks.to, thanks.text, about)


def _group(state: msgspec.Struct) -> bytes:
    assert isinstance(state, ThanksState)
    return state.about or NO_SUBJECT


THANKS = StateKind(
    number=NUMBER,
    name="thanks",
    decode=_form.decode,
    subject=object_subject,
    fold=_fold,
    group=_group,
)
