"""Kind 49, notice: what is said about a removal, and for how long it is meant (spec: kinds/notice).

Auth operations hold no text, so that they can be kept for ever. The words stand here, beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from p2pvalue_protocol.kind import Placed, StateKind, no_group, object_subject
from p2pvalue_protocol.payload_form import U53, PayloadForm, text_problem

NUMBER: Final = 49
TEXT_BYTES_MAX: Final = 1_024


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole notice: the newest replaces those before it."""

    text: str = ""
    until_ms: U53 = 0  # 0: no term


class NoticeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands beside an auth operation; `author` is the root key of who wrote it last."""

    author: bytes
    text: str = ""
    until_ms: int = 0


def _problem(notice: Notice) -> str | None:
    return text_problem("reason", notice.text, TEXT_BYTES_MAX)


_form = PayloadForm(Notice, _problem)


def encode_notice(text: str, until_ms: int = 0) -> bytes:
    """Return the payload of a notice; `until_ms` 0 sets no term. Raises LocalProtocolError."""
    return _form.encode(Notice(text, until_ms))


def _fold(operations: Sequence[Placed]) -> NoticeState | None:
    about = [placed for placed in operations if not placed.creates]
    if not about:
        return None
    last = about[-1]
    notice: Notice = last.payload
    return NoticeState(author=last.member, text=notice.text, until_ms=notice.until_ms)


NOTICE = StateKind(
    number=NUMBER,
    name="notice",
    decode=_form.decode,
    subject=object_subject,
    fold=_fold,
    group=no_group,
)
