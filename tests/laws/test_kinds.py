"""Laws that every kind keeps, run on each by name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pvalue_protocol.chunks import chunk_count
from p2pvalue_protocol.encoding import PayloadInvalid, encode
from p2pvalue_protocol.keys import exchange_key_of
from p2pvalue_protocol.kind import EntryKind, Kind, Order, Placed, StateKind
from p2pvalue_protocol.kinds import (
    KINDS,
    blob,
    card,
    chat,
    close,
    contribution,
    decode_state,
    document,
    interest,
    need,
    notice,
    pledge,
    prekey,
    profile,
    project,
    ranking,
    thanks,
)

FEW = settings(max_examples=40)  # of each law, on each kind

LINE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).filter(
    lambda text: text.strip(" ") != ""
)
NAME = st.from_regex("[a-z0-9][a-z0-9-]{0,9}", fullmatch=True).filter(str.isascii)
SUBJECT = st.binary(min_size=16, max_size=16)
ROOT = st.binary(min_size=32, max_size=32)

NEED_LINES = st.lists(
    st.one_of(
        st.builds(
            need.NeedLine, st.just("hours"), st.just("minute"), st.integers(0, 5), st.just(9)
        ),
        st.builds(need.NeedLine, st.just("material"), LINE, st.just(0), st.integers(1, 10**12)),
    ),
    min_size=1,
    max_size=3,
)

ASCENDING = st.none() | st.sets(st.sampled_from([b"a" * 32, b"b" * 32])).map(
    lambda some: tuple(sorted(some))
)
NEED_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "body": st.none() | LINE,
    "lines": st.none() | NEED_LINES,
    "opens": st.none() | st.integers(0, 3),
    "closes": st.none() | st.integers(0, 2**53 - 1),
    "trigger": st.sampled_from([None, "all", "any", "none"]),
    "class_name": st.none() | NAME,
    "estimate": st.none() | st.integers(0, 10_000_000),
    "deadline": st.none() | st.integers(0, 2**53 - 1),
    "skills": st.none() | st.lists(LINE, max_size=3).map(tuple),
    "acceptance": st.none() | LINE,
    "gives_back": st.none() | LINE,
    "project": st.sampled_from([None, b"", b"p" * 16]),
    "stewards": ASCENDING,
    "confirmers": ASCENDING,
    "depends": st.none() | st.sets(SUBJECT, max_size=3).map(lambda some: tuple(sorted(some))),
    "status": st.sampled_from([None, "draft", "open", "dropped"]),
}
PROJECT_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "body": st.none() | LINE,
    "image": st.sampled_from([None, b"", b"i" * 16]),
    "place": st.sampled_from([None, "", "the hall"]),
    "also": st.none()
    | st.sets(st.builds(project.Elsewhere, ROOT, SUBJECT), max_size=3).map(
        lambda some: tuple(sorted(some))
    ),
    "dropped": st.none() | st.booleans(),
}
CONDITION = st.one_of(
    st.builds(pledge.Condition, others=st.integers(1, 1_000_000)),
    st.builds(pledge.Condition, member=ROOT),
    st.builds(pledge.Condition, after=st.integers(0, 2**53 - 1)),
)

PAYLOADS: dict[int, st.SearchStrategy[bytes]] = {
    chat.NUMBER: st.builds(
        chat.encode_chat_message, LINE, st.none() | SUBJECT, st.none() | SUBJECT
    ),
    document.NUMBER: st.builds(document.encode_document, LINE, NAME)
    | st.builds(document.encode_document_title, LINE)
    | st.builds(document.encode_document_removal, removed=st.booleans()),
    document.UPDATE_NUMBER: st.builds(
        document.encode_document_update,
        st.binary(min_size=1, max_size=50),
        st.integers(0, 2**32 - 1),
        st.sets(st.binary(min_size=32, max_size=32), max_size=64).map(sorted),
    ),
    need.NUMBER: st.builds(need.encode_need, LINE, NEED_LINES)
    | st.builds(need.encode_need_change, title=st.none() | LINE, **NEED_FIELDS),
    pledge.NUMBER: st.builds(
        pledge.encode_pledge,
        SUBJECT,
        SUBJECT,
        st.integers(0, 15),
        st.integers(1, 10**12),
        when=st.none() | LINE,
        where=st.none() | LINE,
        conditions=st.lists(CONDITION, max_size=3),
        takes=st.none() | SUBJECT,
    )
    | st.builds(
        pledge.encode_pledge_act,
        SUBJECT,
        SUBJECT,
        st.sampled_from(("claim", "confirm", "settle")),
        quantity=st.integers(1, 10**12),
        reason=st.none() | LINE,
    )
    | st.builds(
        pledge.encode_pledge_act, SUBJECT, SUBJECT, st.just("withdraw"), to=st.none() | ROOT
    ),
    close.NUMBER: st.builds(close.encode_close, SUBJECT, SUBJECT, st.sets(SUBJECT, max_size=9)),
    project.NUMBER: st.builds(project.encode_project, LINE, **PROJECT_FIELDS)
    | st.builds(project.encode_project_change, title=st.none() | LINE, **PROJECT_FIELDS),
    contribution.NUMBER: st.builds(
        contribution.encode_contribution,
        LINE,
        st.integers(0, 2**53 - 1),
        minutes=st.integers(0, 10_000_000),
        class_name=st.none() | NAME,
        need=st.none() | SUBJECT,
        source=st.none() | NAME,
    )
    | st.builds(
        contribution.encode_contribution,
        LINE,
        st.just(0),
        quantity=st.integers(1, 10**12),
        unit=LINE,
    )
    | st.builds(contribution.encode_witness)
    | st.builds(contribution.encode_contribution_withdrawal),
    thanks.NUMBER: st.builds(thanks.encode_thanks, ROOT, LINE, st.none() | SUBJECT)
    | st.builds(thanks.encode_thanks_withdrawal),
    interest.NUMBER: st.builds(
        interest.encode_interest,
        SUBJECT,
        st.sampled_from(("want", "member", "follower", "none")),
    ),
    ranking.NUMBER: st.builds(
        ranking.encode_ranking,
        st.builds(ranking.Weights, st.integers(1, 1_000), *[st.integers(0, 1_000)] * 5),
        st.integers(0, 20),
    ),
    profile.NUMBER: st.builds(
        profile.encode_profile,
        LINE,
        st.lists(LINE, max_size=3),
        st.lists(LINE, max_size=3),
        st.none() | st.integers(0, 168),
    ),
    blob.NUMBER: st.builds(
        lambda name, key, size: blob.encode_blob(
            name, "image/png", size, key, [key] * chunk_count(size)
        ),
        LINE.filter(lambda text: blob.file_name_problem(text) is None),
        st.binary(min_size=32, max_size=32),
        st.integers(0, 200_000),
    )
    | st.builds(blob.encode_blob_removal),
    card.NUMBER: st.builds(card.encode_card, LINE, LINE),
    prekey.NUMBER: st.builds(
        prekey.encode_prekey,
        st.binary(min_size=32, max_size=32).map(exchange_key_of),
    ),
    notice.NUMBER: st.builds(notice.encode_notice, LINE | st.just(""), st.integers(0, 2**53 - 1)),
}

EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
EVERY_STATE_KIND = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if isinstance(kind, StateKind)], ids=lambda kind: kind.name
)

PLAIN = st.recursive(
    st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.binary(max_size=5) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@st.composite
def placed_operations(draw: st.DrawFn, kind: StateKind) -> list[Placed]:
    """Operations of one subject in folding order; at most the first creates it."""
    payloads = draw(st.lists(PAYLOADS[kind.number], max_size=6))
    orders = sorted(
        Order(draw(st.integers(0, 3)), draw(st.sampled_from([b"d", b"e"])), index, bytes([index]))
        for index in range(len(payloads))
    )
    creates = draw(st.booleans())
    return [
        Placed(
            order,
            draw(st.sampled_from([b"a" * 32, b"b" * 32])),
            draw(st.integers(0, 3)),
            kind.decode(payload),
            creates and index == 0,
        )
        for index, (order, payload) in enumerate(zip(orders, payloads, strict=True))
    ]


def test_every_kind_is_under_these_laws() -> None:
    assert set(PAYLOADS) == {kind.number for kind in KINDS}


@EVERY_KIND
@FEW
@given(data=st.data())
def test_what_is_written_is_what_is_read(kind: Kind, data: st.DataObject) -> None:
    payload = data.draw(PAYLOADS[kind.number])
    assert encode(kind.decode(payload)) == payload


@EVERY_KIND
@FEW
@given(data=st.data())
def test_fields_of_later_versions_do_not_change_the_meaning(
    kind: Kind, data: st.DataObject
) -> None:
    payload = data.draw(PAYLOADS[kind.number])
    fields: dict[str, Any] = msgspec.msgpack.decode(payload)
    later = {**fields, "zz later": data.draw(PLAIN), "": data.draw(PLAIN)}
    assert kind.decode(encode(later)) == kind.decode(payload)


@EVERY_KIND
@FEW
@given(junk=st.binary(max_size=200))
def test_bytes_without_meaning_raise_payload_invalid_and_nothing_else(
    kind: Kind, junk: bytes
) -> None:
    with pytest.raises(PayloadInvalid):
        # No payload type is empty, and a canonical map of the right fields is not met by chance.
        kind.decode(b"\x91" + junk)


@EVERY_KIND
@FEW
@given(data=st.data())
def test_damaged_payloads_have_a_meaning_or_raise_payload_invalid(
    kind: Kind, data: st.DataObject
) -> None:
    payload = bytearray(data.draw(PAYLOADS[kind.number]))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        meaning = kind.decode(bytes(payload))
    except PayloadInvalid:
        return
    assert kind.decode(bytes(payload)) == meaning


@EVERY_KIND
@FEW
@given(data=st.data())
def test_a_payload_with_fields_out_of_order_has_no_meaning(kind: Kind, data: st.DataObject) -> None:
    fields: dict[str, Any] = msgspec.msgpack.decode(data.draw(PAYLOADS[kind.number]))
    fields["zz"] = 0
    backwards = {name: fields[name] for name in sorted(fields, reverse=True)}
    if len(backwards) > 1:
        with pytest.raises(PayloadInvalid):
            kind.decode(msgspec.msgpack.encode(backwards))


@EVERY_STATE_KIND
@FEW
@given(data=st.data())
def test_a_fold_depends_on_the_set_and_not_on_arrival(kind: StateKind, data: st.DataObject) -> None:
    operations = data.draw(placed_operations(kind))
    arrived = data.draw(st.permutations(operations))
    assert kind.fold(sorted(arrived, key=lambda placed: placed.order)) == kind.fold(operations)


@EVERY_STATE_KIND
@FEW
@given(data=st.data())
def test_a_fold_leaves_its_operations_alone_and_says_the_same_again(
    kind: StateKind, data: st.DataObject
) -> None:
    operations = data.draw(placed_operations(kind))
    before = list(operations)
    assert kind.fold(operations) == kind.fold(operations)
    assert operations == before


@EVERY_STATE_KIND
@FEW
@given(data=st.data())
def test_a_state_comes_back_from_its_bytes(kind: StateKind, data: st.DataObject) -> None:
    state = kind.fold(data.draw(placed_operations(kind)))
    if state is not None:
        again = decode_state(kind.number, encode(state))
        assert again == state
        assert encode(again) == encode(state)
        assert len(kind.group(again)) == 16


@EVERY_KIND
@FEW
@given(data=st.data(), subject=st.just(b"") | SUBJECT)
def test_everything_has_a_place_of_16_bytes(
    kind: Kind, data: st.DataObject, subject: bytes
) -> None:
    payload = kind.decode(data.draw(PAYLOADS[kind.number]))
    if isinstance(kind, EntryKind):
        assert len(kind.container(payload, subject)) == 16
    else:
        assert len(kind.subject(payload, subject, bytes(32), bytes(32))) == 16
