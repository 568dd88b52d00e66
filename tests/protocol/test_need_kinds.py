"""What needs, pledges and closes say: who changes a need, what its terms are, what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import PayloadInvalid, encode
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.kind import EntryKind, StateKind
from p2pvalue_protocol.kinds import interest, keeps_hidden
from p2pvalue_protocol.kinds.close import (
    CLOSE,
    NAMES_MAX,
    Close,
    encode_close,
    names,
    operation_name,
    read_close,
)
from p2pvalue_protocol.kinds.need import (
    CLASSES,
    NEED,
    TERMS_MAX,
    NeedLine,
    NeedState,
    Terms,
    encode_need,
    encode_need_change,
    terms_id,
)
from p2pvalue_protocol.kinds.pledge import (
    PLEDGE,
    Condition,
    Pledge,
    encode_pledge,
    encode_pledge_act,
    read_pledge,
)
from tests.protocol.folds import fold

ADA, BO, CY = b"a" * 32, b"b" * 32, b"c" * 32
HOURS = NeedLine("hours", "minute", 60, 600)
MONEY = NeedLine("money", "EUR", 0, 12_50)
NEED_SUBJECT, TERMS, OTHER = b"n" * 16, b"t" * 16, b"o" * 16


def state_of(*writes: tuple[bytes, bytes] | tuple[bytes, bytes, int]) -> NeedState:
    state = fold(NEED, *writes)
    assert isinstance(state, NeedState)
    return state


# --- needs


def test_its_author_changes_what_she_gives_and_the_rest_stays() -> None:
    state = state_of(
        (ADA, encode_need("Mend the roof", [HOURS], body="It rains in.", class_name="house")),
        (ADA, encode_need_change(lines=[HOURS, MONEY], closes=1_800_000_000_000)),
        (ADA, encode_need_change(body="", project=b"p" * 16, message=b"m" * 16, status="dropped")),
        (ADA, encode_need_change(project=b"", skills=("roofs",), estimate=600)),
    )
    first, second = Terms((HOURS,)), Terms((HOURS, MONEY), closes=1_800_000_000_000)
    assert state == NeedState(
        ADA,
        1_000,
        "Mend the roof",
        (first, second),
        class_name="house",
        skills=("roofs",),
        estimate=600,
        message=b"m" * 16,
        status="dropped",
    )
    assert (state.deadline, first.opens, first.closes, second.opens) == (0, 0, 0, 0)


def test_all_that_makes_a_need_is_in_its_first_operation() -> None:
    state = state_of(
        (
            ADA,
            encode_need(
                "Learn to lay bricks",
                [HOURS],
                opens=1,
                closes=2,
                trigger="any",
                class_name=CLASSES[3],
                deadline=3,
                acceptance="A wall stands.",
                gives_back="Everybody can lay bricks.",
                stewards=(BO,),
                confirmers=(BO, CY),
                depends=(NEED_SUBJECT,),
                status="draft",
            ),
        )
    )
    assert state.terms == (Terms((HOURS,), "any", 1, 2, (BO,), (BO, CY)),)
    assert (state.class_name, state.deadline, state.status) == ("learn", 3, "draft")
    assert (state.acceptance, state.gives_back) == ("A wall stands.", "Everybody can lay bricks.")
    assert (state.depends, state.created) == ((NEED_SUBJECT,), 1_000)


@pytest.mark.parametrize(("rank", "changed"), [(0, True), (1, True), (2, False), (3, False)])
def test_others_change_a_need_only_as_admins(rank: int, changed: bool) -> None:
    state = state_of(
        (ADA, encode_need("Roof", [HOURS])),
        (BO, encode_need_change(title="Roof and door", stewards=(BO,)), rank),
    )
    assert (state.title == "Roof and door") is (state.terms[-1].stewards == (BO,)) is changed
    assert state.author == ADA


LATER = 1_000_000  # than all that is written here


def test_a_steward_changes_a_need_while_she_is_one_and_never_who_closes_or_confirms() -> None:
    state = state_of(
        (ADA, encode_need("Roof", [HOURS], stewards=(BO,))),
        (BO, encode_need_change(title="Door", closes=5_000, stewards=(BO, CY), confirmers=(BO,))),
        (CY, encode_need_change(title="mine")),
        (ADA, encode_need_change(stewards=())),
        (BO, encode_need_change(title="mine")),
    )
    assert state.title == "Door"
    assert state.terms == (
        Terms((HOURS,), stewards=(BO,)),
        Terms((HOURS,), closes=5_000, stewards=(BO,)),
        Terms((HOURS,), closes=5_000),
    )


def test_terms_that_come_back_are_the_newest_and_kept_once() -> None:
    state = state_of(
        (ADA, encode_need("Roof", [HOURS])),
        (ADA, encode_need_change(closes=5_000)),
        (ADA, encode_need_change(closes=0, title="Door")),
        (ADA, encode_need_change(title="Roof")),
    )
    assert state.terms == (Terms((HOURS,), closes=5_000), Terms((HOURS,)))


def test_a_need_keeps_32_different_terms_and_takes_no_others() -> None:
    changes = [
        (ADA, encode_need_change(closes=LATER + number)) for number in range(1, TERMS_MAX + 2)
    ]
    created = (ADA, encode_need("Roof", [HOURS]))
    last = (ADA, encode_need_change(title="Door", closes=LATER + TERMS_MAX + 9))
    full = state_of(created, *changes, last)
    assert [terms.closes for terms in full.terms] == [0, *range(LATER + 1, LATER + TERMS_MAX)]
    assert full.title == "Door"
    back = state_of(created, *changes, last, (ADA, encode_need_change(closes=LATER + 3)))
    assert [terms.closes for terms in back.terms] == [
        *(0, LATER + 1, LATER + 2),
        *range(LATER + 4, LATER + TERMS_MAX),
        LATER + 3,
    ]


def test_terms_are_named_by_all_that_a_pledge_is_given_under_and_nothing_else() -> None:
    different = [
        Terms((HOURS,)),
        Terms((HOURS, MONEY)),
        Terms((HOURS,), "any"),
        Terms((HOURS,), opens=1),
        Terms((HOURS,), closes=1),
        Terms((HOURS,), stewards=(BO,)),
        Terms((HOURS,), confirmers=(BO,)),
    ]
    assert len({terms_id(terms) for terms in different}) == len(different)
    assert terms_id(Terms((HOURS,))).hex() == "1c8188c0744e365b7f7bc00e32ad738a"


def test_a_need_without_title_or_lines_at_its_creation_is_none() -> None:
    assert fold(NEED, (ADA, encode_need_change(title="Roof"))) is None
    assert fold(NEED, (ADA, encode_need_change(lines=[HOURS]))) is None


def test_after_the_last_day_nobody_changes_the_terms() -> None:
    created = (ADA, encode_need("Roof", [HOURS], closes=1))
    state = state_of(created, (ADA, encode_need_change(title="Door", closes=LATER, opens=1)))
    assert (state.title, state.terms) == ("Door", (Terms((HOURS,), closes=1),))
    created = (ADA, encode_need("Roof", [HOURS], closes=LATER))
    in_time = state_of(created, (ADA, encode_need_change(closes=LATER + 1)))
    assert in_time.terms[-1].closes == LATER + 1


# --- pledges and closes


def test_what_is_said_of_pledges_is_in_the_list_of_their_need_and_stays_there_hidden() -> None:
    offer = PLEDGE.decode(encode_pledge(NEED_SUBJECT, TERMS, 1, 120, when="Monday", where="here"))
    act = PLEDGE.decode(encode_pledge_act(NEED_SUBJECT, OTHER, "withdraw", reason="ill", to=CY))
    assert offer == Pledge(NEED_SUBJECT, TERMS, 1, 120, "Monday", "here")
    assert act == Pledge(NEED_SUBJECT, pledge=OTHER, act="withdraw", reason="ill", to=CY)
    for payload in (offer, act):
        assert PLEDGE.container(payload, OTHER) == NEED_SUBJECT
    assert keeps_hidden(PLEDGE.number)


def test_a_pledge_is_read_back_with_its_conditions() -> None:
    conditions = [Condition(others=3), Condition(member=BO), Condition(after=0)]
    payload = encode_pledge(NEED_SUBJECT, TERMS, 0, 1, conditions=conditions, takes=OTHER)
    assert read_pledge(payload).conditions == tuple(conditions)
    assert read_pledge(payload).takes == OTHER


def test_a_close_names_what_counts_by_the_beginnings_of_ids_in_their_order() -> None:
    low, high = operation_name(b"a" * 32), operation_name(b"b" * 32)
    assert low == b"a" * 16
    close = CLOSE.decode(encode_close(NEED_SUBJECT, TERMS, [high, low, high]))
    assert close == Close(NEED_SUBJECT, TERMS, low + high)
    assert read_close(encode(close)) == close
    assert names(Close(NEED_SUBJECT, TERMS, low + high)) == (low, high)
    assert names(Close(NEED_SUBJECT, TERMS)) == ()
    assert CLOSE.container(close, OTHER) == NEED_SUBJECT
    assert not keeps_hidden(CLOSE.number)


# --- what callers are told


def a_need(**given: object) -> Callable[[], bytes]:
    return lambda: encode_need_change(**given)  # type: ignore[arg-type]  # wrong on purpose


def an_offer(line: int = 0, quantity: int = 1, **given: object) -> Callable[[], bytes]:
    return lambda: encode_pledge(NEED_SUBJECT, TERMS, line, quantity, **given)  # type: ignore[arg-type]  # wrong on purpose


def an_act(act: str, **given: object) -> Callable[[], bytes]:
    return lambda: encode_pledge_act(NEED_SUBJECT, OTHER, act, **given)  # type: ignore[arg-type]  # wrong on purpose


def a_line(kind: str, unit: str, minimum: int, optimum: int) -> Callable[[], bytes]:
    return a_need(lines=[NeedLine(kind, unit, minimum, optimum)])  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("write", "next_step"),
    [
        (a_need(lines=[]), "add one"),
        (a_need(lines=[HOURS] * 17), "split it"),
        (a_line("hours", "hour", 1, 2), "minutes"),
        (a_line("money", "euro", 1, 2), "EUR"),
        (a_line("skill", "", 1, 2), "unit is empty"),
        (a_line("skill", "person", 3, 2), "raise it"),
        (a_line("skill", "person", 0, 0), "raise it"),
        (a_line("skill", "person", -1, 2), "minimum is at least 0: give more"),
        (a_need(closes=-1), "closes is at least 0: give more"),
        (a_need(class_name="A B"), "class"),
        (a_need(body="\x00"), "control character"),
        (a_need(trigger="some"), "correct the value"),
        (a_need(status="done"), "correct the value"),
        (a_need(estimate=10_000_001), "estimate is at most 10,000,000: give less"),
        (a_need(skills=("x",) * 17), "skills has at most 16 items: give less"),
        (a_need(skills=(" ",)), "skill is empty"),
        (a_need(acceptance="x" * 4_001), "shorten it"),
        (a_need(gives_back="x" * 1_001), "shorten it"),
        (a_need(project=b"short"), "name it in full"),
        (a_need(message=b"short"), "name it in full"),
        (a_need(stewards=(BO, ADA)), "stewards are not ascending"),
        (a_need(confirmers=(BO, BO)), "confirmers are not ascending"),
        (a_need(confirmers=(b"short",)), "correct the value"),
        (a_need(depends=(b"b" * 16, b"a" * 16)), "depends on are not ascending"),
        (an_offer(16), "line is at most 15: give less"),
        (an_offer(0, 0), "at least 1"),
        (an_offer(0, -1), "quantity is at least 0: give more"),
        (an_offer(when=" "), "when is empty"),
        (an_offer(where="x" * 201), "shorten it"),
        (an_offer(conditions=[Condition()]), "condition of each"),
        (an_offer(conditions=[Condition(others=1, after=1)]), "condition of each"),
        (an_offer(conditions=[Condition(others=0)]), "others is at least 1: give more"),
        (
            an_offer(conditions=[Condition(after=1)] * 4),
            "conditions has at most 3 items: give less",
        ),
        (an_act("break", quantity=1), "correct the value"),
        (an_act("claim"), "give a quantity"),
        (an_act("confirm", quantity=0), "give a quantity"),
        (an_act("settle"), "give a quantity"),
        (an_act("withdraw", quantity=1), "leave it out"),
        (an_act("dispute", quantity=1), "leave it out"),
        (an_act("withdraw", reason="x" * 1_001), "shorten it"),
        (an_act("claim", quantity=1, to=BO), "leave to out"),
        (lambda: encode_close(b"short", TERMS, []), "correct the value"),
        (lambda: encode_close(NEED_SUBJECT, TERMS, [b"short"]), "whole names"),
    ],
)
def test_a_mistake_about_needs_is_answered_with_a_next_step(
    write: Callable[[], bytes], next_step: str
) -> None:
    with pytest.raises(LocalProtocolError, match=next_step):
        write()


def test_to_settle_on_nothing_is_to_say_so() -> None:
    assert read_pledge(an_act("settle", quantity=0)()).quantity == 0


OFFER = {"need": NEED_SUBJECT, "terms": TERMS, "line": 0, "quantity": 1}
ACT = {"need": NEED_SUBJECT, "pledge": OTHER, "act": "withdraw"}


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (NEED, {"lines": [{"kind": "love", "unit": "hug", "minimum": 1, "optimum": 2}]}),
        (PLEDGE, OFFER | {"quantity": True}),
        (PLEDGE, OFFER | {"reason": "because"}),
        (PLEDGE, OFFER | {"to": BO}),
        (PLEDGE, OFFER | {"pledge": OTHER}),
        (PLEDGE, {"need": NEED_SUBJECT, "line": 0, "quantity": 1}),
        (PLEDGE, {"terms": TERMS, "line": 0, "quantity": 1}),
        (PLEDGE, {"need": NEED_SUBJECT, "act": "withdraw"}),
        (PLEDGE, ACT | {"terms": TERMS}),
        (PLEDGE, ACT | {"line": 0}),
        (PLEDGE, ACT | {"when": "now"}),
        (PLEDGE, ACT | {"where": "here"}),
        (PLEDGE, ACT | {"conditions": [{"others": 1}]}),
        (PLEDGE, ACT | {"takes": OTHER}),
        (CLOSE, {"about": NEED_SUBJECT, "terms": TERMS, "counts": b"b" * 16 + b"a" * 16}),
        (CLOSE, {"about": NEED_SUBJECT, "terms": TERMS, "counts": b"a" * 32}),
        (CLOSE, {"about": NEED_SUBJECT, "terms": TERMS, "counts": b"a" * 15}),
    ],
)
def test_a_peers_mistake_about_needs_has_no_meaning(
    kind: StateKind | EntryKind, payload: dict[str, object]
) -> None:
    with pytest.raises(PayloadInvalid):
        kind.decode(encode(payload))


def test_the_largest_payloads_of_needs_fit_an_operation() -> None:
    lines = [NeedLine("material", "x" * 32, 10**12, 10**12)] * 16
    roots = tuple(bytes([number]) * 32 for number in range(16))
    most = [number.to_bytes(16, "big") for number in range(NAMES_MAX)]
    largest = [
        encode_need(
            "R" * 300,
            lines,
            body="x" * 16_384,
            closes=2**53 - 1,
            class_name="c" * 32,
            skills=("x" * 100,) * 16,
            acceptance="x" * 4_000,
            gives_back="x" * 1_000,
            stewards=roots,
            confirmers=roots,
            depends=tuple(root[:16] for root in roots),
        ),
        encode_close(NEED_SUBJECT, TERMS, most),
    ]
    assert max(map(len, largest)) <= limits.PAYLOAD_BYTES_MAX
    with pytest.raises(LocalProtocolError, match="correct the value"):
        encode_close(NEED_SUBJECT, TERMS, [*most, b"\xff" * 16])


def test_what_somebody_wants_with_something_reads_as_it_was_said() -> None:
    payload = interest.encode_interest(bytes(16), "want")
    assert interest.read_interest(payload) == interest.Interest(bytes(16), "want")
