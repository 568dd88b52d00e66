"""What each kind of content means: who may change it, what stands, what callers are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import PayloadInvalid, encode
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import NO_SUBJECT, EntryKind, Order, Placed, StateKind
from p2pvalue_protocol.kinds import KINDS, blob, kind_of
from p2pvalue_protocol.kinds.blob import BLOB, BlobState, encode_blob, encode_blob_removal
from p2pvalue_protocol.kinds.card import CARD, CARD_SUBJECT, CardState, encode_card
from p2pvalue_protocol.kinds.chat import (
    CHAT,
    TEXT_BYTES_MAX,
    ChatMessage,
    encode_chat_message,
    read_chat_message,
)
from p2pvalue_protocol.kinds.document import (
    DOCUMENT,
    DOCUMENT_UPDATE,
    UPDATE_BYTES_MAX,
    DocumentState,
    DocumentUpdate,
    encode_document,
    encode_document_removal,
    encode_document_title,
    encode_document_update,
)
from p2pvalue_protocol.kinds.need import NEED
from p2pvalue_protocol.kinds.notice import NOTICE, NoticeState, encode_notice
from p2pvalue_protocol.kinds.profile import PROFILE, encode_profile, profile_subject
from tests.protocol.folds import fold

ADA, BO = b"a" * 32, b"b" * 32
NEED_SUBJECT = b"n" * 16
KEY = b"k" * 32
MEDIA = "x" * 63 + "/" + "x" * 63


# --- the list of kinds


def test_kinds_have_distinct_numbers_and_names() -> None:
    assert len({kind.number for kind in KINDS}) == len(KINDS) == len({k.name for k in KINDS})


def test_a_kind_is_found_by_its_number_and_an_unknown_number_finds_none() -> None:
    assert all(kind_of(kind.number) is kind for kind in KINDS)
    assert kind_of(200) is None
    assert kind_of(66) is None


# --- chat


def test_a_message_goes_to_its_channel_or_to_the_communitys_own() -> None:
    assert isinstance(CHAT, EntryKind)
    plain = CHAT.decode(encode_chat_message("hello"))
    assert plain == ChatMessage("hello")
    assert CHAT.container(plain, b"") == NO_SUBJECT
    channel = b"c" * 16
    there = CHAT.decode(encode_chat_message("tabs\tand\nlines", channel, b"r" * 16))
    assert CHAT.container(there, b"") == channel


# --- documents


def test_a_document_is_renamed_by_the_last_writer() -> None:
    state = fold(
        DOCUMENT,
        (ADA, encode_document("Minutes")),
        (BO, encode_document_title("Notes")),
        (ADA, encode_document_title("Notes of May")),
    )
    assert state == DocumentState("Notes of May", "plain", ADA)


def test_a_rename_does_not_change_the_shape() -> None:
    state = fold(DOCUMENT, (ADA, encode_document("A")), (BO, encode_document("B", "rich")))
    assert state == DocumentState("B", "plain", ADA)


def test_a_document_created_without_a_shape_is_none() -> None:
    assert fold(DOCUMENT, (ADA, encode_document_title("A"))) is None
    assert DOCUMENT.fold([]) is None


@pytest.mark.parametrize(
    ("member", "rank", "removed"), [(ADA, 2, True), (BO, 1, True), (BO, 0, True), (BO, 2, False)]
)
def test_a_document_is_removed_by_its_author_or_an_admin(
    member: bytes, rank: int, removed: bool
) -> None:
    made = (ADA, encode_document("A"))
    assert fold(
        DOCUMENT, made, (member, encode_document_removal(removed=True), rank)
    ) == DocumentState("A", "plain", ADA, removed)


def test_a_document_is_removed_as_the_last_who_may_has_said() -> None:
    made, gone, back = (
        encode_document("A"),
        encode_document_removal(removed=True),
        encode_document_removal(removed=False),
    )
    assert fold(DOCUMENT, (ADA, made), (ADA, gone), (BO, back)) == DocumentState(
        "A", "plain", ADA, removed=True
    )
    assert fold(
        DOCUMENT, (ADA, made), (ADA, gone), (BO, encode_document_title("B")), (BO, back, 1)
    ) == DocumentState("B", "plain", ADA)
    assert fold(DOCUMENT, (ADA, gone)) is None


def test_an_update_belongs_to_the_document_it_names() -> None:
    update = DOCUMENT_UPDATE.decode(encode_document_update(b"\x00\x00", 7, [b"p" * 32]))
    assert update == DocumentUpdate(b"\x00\x00", 7, (b"p" * 32,))
    assert DOCUMENT_UPDATE.container(update, NEED_SUBJECT) == NEED_SUBJECT
    assert DOCUMENT_UPDATE.container(update, b"") == NO_SUBJECT


def test_an_update_says_what_it_takes_back_and_what_it_goes_on_with() -> None:
    payload = encode_document_update(b"\x00\x00", 7, undoes=b"u" * 32, continues=True)
    update = DOCUMENT_UPDATE.decode(payload)
    assert update == DocumentUpdate(b"\x00\x00", 7, (), b"u" * 32, continues=True)
    assert b"undoes" not in encode_document_update(b"\x00\x00", 7)


# --- blobs


SHARED = encode_blob("roof.png", "image/png", 65_537, KEY, [b"1" * 32, b"2" * 32])


@pytest.mark.parametrize(("member", "rank", "removed"), [(ADA, 2, True), (BO, 0, False)])
def test_a_blob_is_removed_by_its_author_alone(member: bytes, rank: int, removed: bool) -> None:
    state = fold(BLOB, (ADA, SHARED), (member, encode_blob_removal(), rank), (ADA, SHARED))
    hashes = b"1" * 32 + b"2" * 32
    assert state == BlobState(ADA, "roof.png", "image/png", 65_537, KEY, hashes, removed)
    assert isinstance(state, BlobState)
    assert state.hashes() == [b"1" * 32, b"2" * 32]


def test_a_blob_has_at_most_64_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    encode_blob("a", "image/png", 2**26, KEY, [KEY] * 1_024)
    monkeypatch.setattr(blob, "chunk_count", lambda size: 1_024)
    with pytest.raises(LocalProtocolError, match="67,108,864"):
        encode_blob("a", "image/png", 2**26 + 1, KEY, [KEY] * 1_024)


def test_a_removal_makes_no_blob() -> None:
    assert fold(BLOB, (ADA, encode_blob_removal()), (ADA, SHARED)) is None


@pytest.mark.parametrize(
    ("name", "media", "size", "count", "words"),
    [
        ("a/b", "image/png", 1, 1, "name of a file"),
        ("a\\b", "image/png", 1, 1, "name of a file"),
        ("..", "image/png", 1, 1, "name of a file"),
        (".", "image/png", 1, 1, "name of a file"),
        (" ", "image/png", 1, 1, "give some text"),
        ("a", "PNG", 1, 1, "as image/png"),
        ("a", "image/png", 65_536, 2, "hash each piece"),
        ("a", "image/png", 65_537, 1, "hash each piece"),
        ("a", "image/png", 0, 1, "hash each piece"),
    ],
)
def test_who_shares_what_is_no_file_is_told_why(
    name: str, media: str, size: int, count: int, words: str
) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        encode_blob(name, media, size, KEY, [KEY] * count)


# --- profiles and the card


def test_a_member_has_one_profile_the_newest() -> None:
    state = fold(PROFILE, (ADA, encode_profile("Ada", ["roofs"])), (ADA, encode_profile("Ada L.")))
    assert msgspec.structs.asdict(state) == {  # type: ignore[arg-type]  # a Struct
        "author": ADA,
        "name": "Ada L.",
        "skills": (),
        "interests": (),
        "hours_per_week": None,
    }
    assert PROFILE.subject(None, b"x" * 16, b"o" * 32, ADA) == profile_subject(ADA)
    assert profile_subject(ADA) != profile_subject(BO)
    assert PROFILE.fold([]) is None


def test_a_community_has_one_card_the_newest() -> None:
    state = fold(CARD, (ADA, encode_card("Village", "old")), (BO, encode_card("Village")))
    assert state == CardState("Village")
    assert CARD.subject(None, b"", b"o" * 32, ADA) == CARD.subject(None, b"x" * 16, b"p" * 32, BO)
    assert CARD.subject(None, b"", b"", b"") == CARD_SUBJECT
    assert CARD.fold([]) is None


def test_a_notice_stands_beside_the_operation_it_names_the_newest() -> None:
    about = [
        Placed(
            Order(1, ADA, 0, b"p" * 32), ADA, 1, NOTICE.decode(encode_notice("noise", 5)), False
        ),
        Placed(Order(2, BO, 0, b"q" * 32), BO, 0, NOTICE.decode(encode_notice("theft")), False),
    ]
    assert NOTICE.fold(about) == NoticeState(BO, "theft", 0)
    assert NOTICE.subject(None, b"x" * 16, b"p" * 32, ADA) == b"x" * 16


def test_a_notice_about_itself_is_none() -> None:
    assert fold(NOTICE, (ADA, encode_notice("about nothing"))) is None
    assert NOTICE.fold([]) is None


@pytest.mark.parametrize("kind", [DOCUMENT, NEED])
def test_an_object_is_named_after_the_operation_that_made_it(kind: StateKind) -> None:
    assert kind.subject(None, b"", b"o" * 32, ADA) == subject_of(b"o" * 32)
    assert kind.subject(None, b"s" * 16, b"o" * 32, ADA) == b"s" * 16


# --- what callers are told

Mistake = tuple[Callable[[], bytes], str]

MISTAKES: Sequence[Mistake] = [
    (lambda: encode_chat_message(" \n"), "write something"),
    (lambda: encode_chat_message("ring \x07"), "control character"),
    (lambda: encode_chat_message("c1 \x9b"), "control character"),
    (lambda: encode_chat_message("half \ud83d"), "type it again"),
    (lambda: encode_chat_message("é" * (TEXT_BYTES_MAX // 2 + 1)), "shorten it"),
    (lambda: encode_chat_message("hi", b"short"), "correct the value"),
    (lambda: encode_document(""), "give some text"),
    (lambda: encode_document("two\nlines"), "remove it"),
    (lambda: encode_document("c1 \x9b"), "remove it"),
    (lambda: encode_document("A", "Plain Text"), "a-z"),
    (lambda: encode_document_title("x" * 301), "shorten it"),
    (lambda: encode_document_update(b"", 0), "correct the value"),
    (lambda: encode_document_update(b"\x00", 2**32), "give less"),
    (lambda: encode_document_update(b"\x00", 0, [b"b" * 32, b"a" * 32]), "sort them"),
    (lambda: encode_document_update(b"\x00", 0, [b"a" * 32] * 2), "sort them"),
    (lambda: encode_document_update(b"\x00", 0, [b"short"]), "correct the value"),
    (lambda: encode_document_update(b"\x00", 0, undoes=b"short"), "correct the value"),
    (lambda: encode_profile("Ada", ["x"] * 33), "give less"),
    (lambda: encode_profile("Ada", [" "]), "skill is empty"),
    (lambda: encode_profile("Ada", hours_per_week=169), "give less"),
    (lambda: encode_profile("Ada", interests=["x" * 101]), "shorten it"),
    (lambda: encode_card(""), "give some text"),
    (lambda: encode_card("V", "x" * 4_097), "shorten it"),
    (lambda: encode_notice("x" * 1_025), "shorten it"),
    (lambda: encode_notice("bell \x07"), "control character"),
    (lambda: encode_notice("too late", 2**53), "give less"),
]


@pytest.mark.parametrize(("write", "next_step"), MISTAKES)
def test_a_callers_mistake_is_answered_with_a_next_step(
    write: Callable[[], bytes], next_step: str
) -> None:
    with pytest.raises(LocalProtocolError, match=next_step):
        write()


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (CHAT, {"text": 5}),
        (CHAT, {"text": "hi", "channel": None}),
        (CHAT, {"text": "hi", "later": 0.5}),
        (CHAT, {"text": "hi", "later": {"deep": [None]}}),
    ],
)
def test_a_peers_mistake_is_a_payload_without_meaning(
    kind: StateKind | EntryKind, payload: dict[str, object]
) -> None:
    with pytest.raises(PayloadInvalid):
        kind.decode(encode(payload))


def test_the_largest_payload_of_a_kind_fits_an_operation() -> None:
    tags = ["x" * 100] * 32
    heads = [bytes([number]) * 32 for number in range(64)]
    largest = [
        encode_chat_message("x" * TEXT_BYTES_MAX, b"c" * 16, b"r" * 16),
        encode_document_update(
            bytes(UPDATE_BYTES_MAX), 2**32 - 1, heads, undoes=heads[0], continues=True
        ),
        encode_profile("x" * 200, tags, tags, 168),
        encode_blob("x" * 255, MEDIA, limits.BLOB_BYTES_MAX, KEY, [KEY] * 1_024),
    ]
    assert max(map(len, largest)) <= limits.PAYLOAD_BYTES_MAX


def test_what_was_said_is_read_back() -> None:
    channel, reply = b"c" * 16, b"r" * 16
    payload = encode_chat_message("hello", channel, reply)
    assert read_chat_message(payload) == ChatMessage("hello", channel, reply)


@pytest.mark.parametrize("channel", [b"too short", b"seventeen bytes..", 7, "text"])
def test_who_gives_a_value_of_another_form_is_told_which(channel: Any) -> None:
    words = r"this cannot be written: .*\$.channel.*; correct"
    with pytest.raises(LocalProtocolError, match=words):
        encode_chat_message("hello", channel)
