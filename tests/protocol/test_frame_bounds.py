"""Every frame holds as much as its bound says and no more, whatever its length in bytes allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from p2pvalue_protocol import frames, join_frames, limits, link_frames
from p2pvalue_protocol.chunks import SEALED_BYTES_MAX
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason, Refused

ID = bytes(32)
HEAD = [ID, 0, 0, ID]


class Bound(NamedTuple):
    """A frame of so many things: its fields, who reads it, and how many it may hold."""

    name: str
    decode: Callable[[bytes], object]
    fields: Callable[[int], list[Any]]
    most: int


SYNC, JOIN, LINK = (
    frames.decode_frame,
    join_frames.decode_join_frame,
    link_frames.decode_link_frame,
)
BOUNDS = (
    Bound("tags", SYNC, lambda n: [2, [bytes(16)] * n], limits.TOPIC_SECRETS_MAX),
    Bound("heads", SYNC, lambda n: [6, b"", 0, [HEAD] * n], limits.HEADS_PER_FRAME_MAX),
    Bound("sums", SYNC, lambda n: [8, 1, [[0, bytes(8 * n)]]], limits.SUMS_PER_FRAME_MAX),
    Bound("buckets of sums", SYNC, lambda n: [8, 1, [[0, b""]] * n], frames.BUCKETS),
    Bound("sums asked", SYNC, lambda n: [9, 1, bytes(8 * n)], limits.SUMS_PER_FRAME_MAX),
    Bound("wants", SYNC, lambda n: [10, [[ID, 0, 0, 0, ID]] * n], limits.WANTS_PER_FRAME_MAX),
    Bound("wants finished", SYNC, lambda n: [11, n, b""], limits.WANTS_PER_FRAME_MAX),
    Bound("records", SYNC, lambda n: [13, [b"r"] * n], limits.RECORDS_PER_FRAME_MAX),
    Bound("bytes of a record", SYNC, lambda n: [13, [bytes(n)]], limits.RECORD_BYTES_MAX),
    Bound("keys wanted", SYNC, lambda n: [14, [ID] * n], limits.KEYS_PER_FRAME_MAX),
    Bound("keys", SYNC, lambda n: [15, [[ID, ID]] * n], limits.KEYS_PER_FRAME_MAX),
    Bound("chunks wanted", SYNC, lambda n: [20, [ID] * n], limits.CHUNKS_PER_FRAME_MAX),
    Bound("bytes of a chunk", SYNC, lambda n: [21, bytes(n)], SEALED_BYTES_MAX),
    Bound("name", JOIN, lambda n: [6, b"", "n" * n, ""], limits.NAME_CHARACTERS_MAX),
    Bound("message", JOIN, lambda n: [6, b"", "", "m" * n], limits.PLEA_CHARACTERS_MAX),
    Bound("keys handed", JOIN, lambda n: [9, [[ID, ID]] * n], limits.KEYS_PER_FRAME_MAX),
    Bound("name shown", LINK, lambda n: [3, "n" * n, "", b"", b"", []], limits.NAME_CHARACTERS_MAX),
    Bound(
        "communities shown",
        LINK,
        lambda n: [3, "", "", b"", b"", [[ID, ID, ID]] * n],
        limits.LINKED_COMMUNITIES_MAX,
    ),
    Bound("label", LINK, lambda n: [4, "l" * n, []], limits.LABEL_CHARACTERS_MAX),
    Bound("devices", LINK, lambda n: [4, "", [[ID, ID, ID]] * n], limits.LINKED_COMMUNITIES_MAX),
    Bound(
        "records handed",
        LINK,
        lambda n: [5, ID, bytes(64), ID, b"", [b"r"] * n],
        limits.RECORDS_HANDED_MAX,
    ),
    Bound("keys taken", LINK, lambda n: [7, ID, [[ID, ID]] * n], limits.KEYS_PER_FRAME_MAX),
)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
def test_a_frame_holds_no_more_than_its_bound(bound: Bound) -> None:
    bound.decode(encode(bound.fields(bound.most)))
    with pytest.raises(Refused) as refused:
        bound.decode(encode(bound.fields(bound.most + 1)))
    assert refused.value.reason is Reason.FRAME_INVALID


@pytest.mark.parametrize(
    ("decode", "frame"),
    [(SYNC, [12]), (JOIN, [7]), (LINK, [8])],
    ids=["sync", "joining", "linking"],
)
def test_a_frame_has_one_form_and_exactly_its_fields(
    decode: Callable[[bytes], object], frame: list[int]
) -> None:
    data = encode(frame)
    decode(data)
    number_in_two_bytes = b"\x91\xcc" + data[1:]
    for other in (number_in_two_bytes, encode([*frame, 0]), data + b"\x00", data[:-1], b""):
        with pytest.raises(Refused) as refused:
            decode(other)
        assert refused.value.reason is Reason.FRAME_INVALID


@pytest.mark.parametrize(
    ("decode", "start"),
    [(SYNC, [11, 0]), (JOIN, [8]), (LINK, [6, ID])],
    ids=["sync", "joining", "linking"],
)
def test_a_frame_has_at_most_72_kib(decode: Callable[[bytes], object], start: list[Any]) -> None:
    around = len(encode([*start, bytes(limits.FRAME_BYTES_MAX)])) - limits.FRAME_BYTES_MAX
    longest = encode([*start, bytes(limits.FRAME_BYTES_MAX - around)])
    assert len(longest) == limits.FRAME_BYTES_MAX
    decode(longest)
    with pytest.raises(Refused) as refused:
        decode(encode([*start, bytes(limits.FRAME_BYTES_MAX - around + 1)]))
    assert refused.value.reason is Reason.FRAME_INVALID


@pytest.mark.parametrize(
    ("decode", "good", "bad"),
    [
        (SYNC, [0, ID], [0, bytes(33)]),
        (SYNC, [0, ID], [0, bytes(31)]),
        (SYNC, [6, b"", 1, []], [6, b"", -1, []]),
        (SYNC, [6, b"", 1, []], [6, b"", 2, []]),
        (SYNC, [10, [[ID, 1, 0, 0, ID]]], [10, [[ID, 2, 0, 0, ID]]]),
        (SYNC, [10, [[ID, 1, 0, 0, ID]]], [10, [[ID, -1, 0, 0, ID]]]),
        (JOIN, [0, ID], [0, bytes(33)]),
        (LINK, [12, ID, ID, bytes(64)], [12, ID, ID, bytes(65)]),
    ],
)
def test_a_field_has_its_size_and_no_other(
    decode: Callable[[bytes], object], good: list[Any], bad: list[Any]
) -> None:
    assert decode(encode(good))
    with pytest.raises(Refused) as refusal:
        decode(encode(bad))
    assert refusal.value.reason is Reason.FRAME_INVALID
