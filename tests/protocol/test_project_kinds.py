"""Projects, interests, rankings, contributions, thanks: who may say what, and what stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import subject_of, tagged_hash
from p2pvalue_protocol.kind import NO_SUBJECT, StateKind
from p2pvalue_protocol.kinds.contribution import (
    CONTRIBUTION,
    WITNESSES_MAX,
    ContributionState,
    encode_contribution,
    encode_contribution_withdrawal,
    encode_witness,
)
from p2pvalue_protocol.kinds.interest import (
    INTEREST,
    InterestState,
    encode_interest,
    interest_subject,
)
from p2pvalue_protocol.kinds.project import (
    ALSO_MAX,
    PROJECT,
    Elsewhere,
    ProjectState,
    encode_project,
    encode_project_change,
)
from p2pvalue_protocol.kinds.ranking import (
    RANKING,
    RANKING_SUBJECT,
    RankingState,
    Weights,
    encode_ranking,
)
from p2pvalue_protocol.kinds.thanks import (
    THANKS,
    ThanksState,
    encode_thanks,
    encode_thanks_withdrawal,
)
from tests.protocol.folds import fold

ADA, BO = b"a" * 32, b"b" * 32
SUBJECT, OTHER = b"s" * 16, b"t" * 16
THERE = Elsewhere(b"c" * 32, OTHER)


@pytest.mark.parametrize("kind", [PROJECT, CONTRIBUTION, THANKS])
def test_an_object_is_named_after_what_made_it(kind: StateKind) -> None:
    assert kind.subject(None, b"", b"o" * 32, ADA) == subject_of(b"o" * 32)
    assert kind.subject(None, SUBJECT, b"o" * 32, ADA) == SUBJECT


# --- projects


def test_a_project_is_changed_by_its_author_and_admins_in_what_they_give() -> None:
    state = fold(
        PROJECT,
        (ADA, encode_project("Garden", body="Beans", image=SUBJECT, place="here", also=(THERE,))),
        (BO, encode_project_change(title="mine", dropped=True)),
        (BO, encode_project_change(title="The garden"), 1),
        (ADA, encode_project_change(image=b"", place="", dropped=True)),
    )
    assert state == ProjectState(ADA, 1_000, "The garden", "Beans", also=(THERE,), dropped=True)
    assert PROJECT.group(state) == NO_SUBJECT


def test_a_project_that_was_dropped_may_be_taken_up_again() -> None:
    state = fold(
        PROJECT,
        (ADA, encode_project("G", dropped=True)),
        (ADA, encode_project_change(dropped=False)),
    )
    assert state == ProjectState(ADA, 1_000, "G")
    assert fold(PROJECT, (ADA, encode_project_change(body="no title"))) is None


def test_the_largest_project_fits_an_operation() -> None:
    also = tuple(Elsewhere(bytes([number]) * 32, SUBJECT) for number in range(ALSO_MAX))
    largest = encode_project("x" * 300, body="x" * 16_384, place="x" * 300, also=also)
    assert len(largest) <= limits.PAYLOAD_BYTES_MAX


# --- interests


def test_a_member_has_one_interest_in_each_thing_the_newest() -> None:
    wants = INTEREST.decode(encode_interest(SUBJECT, "want"))
    own = INTEREST.subject(wants, b"x" * 16, b"o" * 32, ADA)
    assert own == interest_subject(SUBJECT, ADA) == tagged_hash("interest", SUBJECT + ADA)[:16]
    assert len({own, interest_subject(SUBJECT, BO), interest_subject(OTHER, ADA)}) == 3
    state = fold(
        INTEREST, (ADA, encode_interest(SUBJECT, "want")), (ADA, encode_interest(SUBJECT, "member"))
    )
    assert state == InterestState(ADA, SUBJECT, "member", 1_001)
    assert isinstance(state, InterestState)
    assert INTEREST.group(state) == SUBJECT


def test_an_interest_that_is_taken_back_is_none() -> None:
    said = (ADA, encode_interest(SUBJECT, "want"))
    assert fold(INTEREST, said, (ADA, encode_interest(SUBJECT, "none"))) is None
    assert INTEREST.fold([]) is None


# --- rankings


def test_a_community_has_one_ranking_the_newest_of_an_admin() -> None:
    weights = Weights(voices=1, age=1_000)
    state = fold(
        RANKING,
        (ADA, encode_ranking(Weights(voices=5)), 0),
        (BO, encode_ranking(weights, 3), 1),
        (BO, encode_ranking(Weights(hours=5)), 2),
    )
    assert state == RankingState(BO, weights, 3)
    assert fold(RANKING, (ADA, encode_ranking(weights), 2)) is None
    subjects = {RANKING.subject(None, named, bytes(32), ADA) for named in (b"", SUBJECT)}
    assert subjects == {RANKING_SUBJECT} == {tagged_hash("ranking", b"")[:16]}


# --- contributions


def test_others_witness_a_contribution_until_its_author_withdraws_it() -> None:
    made = (ADA, encode_contribution("Swept", 5, minutes=0, need=SUBJECT, source="care"))
    seen = fold(CONTRIBUTION, made, (BO, encode_witness()), (BO, encode_witness()))
    expected = ContributionState(ADA, "Swept", 5, need=SUBJECT, source="care", witnesses=(BO,))
    assert seen == expected
    assert isinstance(seen, ContributionState)
    assert CONTRIBUTION.group(seen) == SUBJECT
    again = fold(
        CONTRIBUTION,
        made,
        (ADA, encode_witness()),
        (BO, encode_contribution_withdrawal(), 0),
        (ADA, encode_contribution_withdrawal()),
        (BO, encode_witness()),
        made,
    )
    assert again == ContributionState(ADA, "Swept", 5, need=SUBJECT, source="care", withdrawn=True)


def test_a_contribution_in_pieces_belongs_to_no_need() -> None:
    state = fold(CONTRIBUTION, (ADA, encode_contribution("Planks", 5, quantity=9, unit="plank")))
    assert state == ContributionState(ADA, "Planks", 5, quantity=9, unit="plank")
    assert isinstance(state, ContributionState)
    assert CONTRIBUTION.group(state) == NO_SUBJECT
    assert fold(CONTRIBUTION, (ADA, encode_witness())) is None


def test_a_contribution_has_at_most_64_witnesses() -> None:
    others = [bytes([255 - number]) * 32 for number in range(WITNESSES_MAX + 1)]
    made = (ADA, encode_contribution("Swept", 5, minutes=1))
    state = fold(CONTRIBUTION, made, *((other, encode_witness()) for other in others))
    assert isinstance(state, ContributionState)
    assert state.witnesses == tuple(sorted(others[:WITNESSES_MAX]))


# --- thanks


def test_thanks_are_taken_back_by_who_said_them_with_their_words() -> None:
    said = (ADA, encode_thanks(BO, "for the bread", SUBJECT))
    state = fold(THANKS, said, (BO, encode_thanks_withdrawal(), 0))
    assert state == ThanksState(ADA, 1_000, BO, "for the bread", SUBJECT)
    assert isinstance(state, ThanksState)
    assert THANKS.group(state) == SUBJECT
    gone = fold(THANKS, said, (ADA, encode_thanks_withdrawal()), said)
    assert gone == ThanksState(ADA, 1_000, BO, "", SUBJECT, withdrawn=True)


def test_nobody_thanks_herself_or_takes_back_what_nobody_said() -> None:
    assert fold(THANKS, (ADA, encode_thanks(ADA, "for all I do"))) is None
    assert fold(THANKS, (ADA, encode_thanks_withdrawal())) is None
    plain = fold(THANKS, (ADA, encode_thanks(BO, "so")))
    assert isinstance(plain, ThanksState)
    assert THANKS.group(plain) == NO_SUBJECT


# --- what callers are told


def a_contribution(**given: object) -> Callable[[], bytes]:
    return lambda: encode_contribution("Swept", 5, **given)  # type: ignore[arg-type]  # wrong on purpose


def a_project(**given: object) -> Callable[[], bytes]:
    return lambda: encode_project("Garden", **given)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("write", "next_step"),
    [
        (lambda: encode_project(" "), "give some text"),
        (a_project(place=" "), "give some text"),
        (a_project(place="x" * 301), "shorten it"),
        (a_project(image=b"short"), "name it in full"),
        (a_project(also=(THERE, THERE)), "sort them"),
        (a_project(also=(Elsewhere(b"short", SUBJECT),)), "correct the value"),
        (lambda: encode_interest(b"short", "want"), "correct the value"),
        (lambda: encode_interest(SUBJECT, "boss"), "correct the value"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: encode_ranking(Weights()), "weight of at least 1"),
        (lambda: encode_ranking(Weights(age=1_001)), "give less"),
        (lambda: encode_ranking(Weights(age=1), 21), "give less"),
        (a_contribution(), "give one of them"),
        (a_contribution(minutes=1, quantity=1, unit="plank"), "give one of them"),
        (a_contribution(quantity=1), "give both"),
        (a_contribution(minutes=1, unit="plank"), "give both"),
        (a_contribution(quantity=1, unit=" "), "unit is empty"),
        (a_contribution(minutes=10_000_001), "give less"),
        (a_contribution(minutes=1, class_name="A B"), "class is no name"),
        (a_contribution(minutes=1, source="A B"), "source is no name"),
        (lambda: encode_contribution(" ", 0, minutes=1), "title is empty"),
        (lambda: encode_thanks(BO, " \n"), "say what for"),
        (lambda: encode_thanks(BO, "x" * 501), "shorten it"),
        (lambda: encode_thanks(b"short", "so"), "correct the value"),
    ],
)
def test_a_mistake_about_value_is_answered_with_a_next_step(
    write: Callable[[], bytes], next_step: str
) -> None:
    with pytest.raises(LocalProtocolError, match=next_step):
        write()
