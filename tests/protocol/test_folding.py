"""A subject's state comes from the operations of its own kind, whatever others name it in."""

from __future__ import annotations

from p2pvalue_protocol.folding import fold_subject
from p2pvalue_protocol.kinds import decode_state
from p2pvalue_protocol.kinds.card import CARD, encode_card
from p2pvalue_protocol.kinds.need import NEED, NeedLine, encode_need
from p2pvalue_protocol.kinds.profile import PROFILE, ProfileState, encode_profile, profile_subject
from p2pvalue_protocol.past import SubjectOperationRow

MEMBER = bytes(32)
SUBJECT = profile_subject(MEMBER)
CARDS = encode_card("the garden")
OTHER = encode_need("rides", [NeedLine("hours", "minute", 0, 60)])


def row(time: int, kind: int) -> SubjectOperationRow:
    op_id = bytes([time]) * 32
    return SubjectOperationRow(SUBJECT, time, MEMBER, time, op_id, kind, MEMBER, 2, 1)


def test_what_is_of_another_kind_or_forgotten_ends_no_subjects_history() -> None:
    rows: list[tuple[SubjectOperationRow, bytes | None]] = [
        (row(1, NEED.number), OTHER),
        (row(2, PROFILE.number), encode_profile("Ana")),
        (row(3, PROFILE.number), None),
        (row(4, NEED.number), OTHER),
        (row(5, PROFILE.number), encode_profile("Bo")),
        (row(6, CARD.number), CARDS),
    ]
    folded = fold_subject(SUBJECT, rows)
    assert folded is not None
    assert (folded.kind, folded.time) == (PROFILE.number, 5)
    state = decode_state(folded.kind, folded.state)
    assert isinstance(state, ProfileState)
    assert state.name == "Bo"


def test_what_only_others_name_is_no_subject() -> None:
    assert fold_subject(SUBJECT, [(row(1, NEED.number), OTHER)]) is None
