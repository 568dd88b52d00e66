"""Where members' devices are goes from member to member, a bounded part at a time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.addresses import make_record
from tests.protocol.authoring import key_named
from tests.protocol.meeting import NOW_MS, Community, Link, Node

NAMES = ("ada", "ben", "cyd", "dan", "eve", "fay", "gus")


def record_of(community: Community, name: str, time_ms: int = NOW_MS) -> bytes:
    key = community.authors[name].key
    return make_record(key, community.community, f"peer-of-{name}", ["/ip4/1.2.3.4/tcp/1"], time_ms)


def known_to(node: Node) -> list[bytes]:
    return [device for device, _ in node.replica.address_records()]


def tell(link: Link, side: int, records: Sequence[bytes]) -> None:
    link.wires[side].append(f.encode_frame(f.Addresses(list(records))))
    link.deliver(side)


def told(link: Link, side: int) -> list[int]:
    """How many records each frame held that a side sent."""
    frames = map(f.decode_frame, link.sent[side])
    return [len(frame.records) for frame in frames if isinstance(frame, f.Addresses)]


def informed(community: Community) -> Node:
    """A member's node that knows where everybody is."""
    ada = community.node("ada")
    for name in NAMES:
        ada.replica.begin()
        assert ada.replica.learn_address(record_of(community, name), NOW_MS)
        ada.store.commit([ada.replica.finish()])
    return ada


@pytest.mark.parametrize("teller", ["sam", "ben"])
def test_an_address_is_taken_from_members_only(teller: str) -> None:
    community = Community("ada", "ben", "cyd")
    ada, other = community.node("ada"), community.node(teller)
    link = Link(other, ada)
    link.settle()
    tell(link, 0, [record_of(community, "cyd")])
    assert known_to(ada) == ([key_named("cyd device").public] if teller == "ben" else [])
    assert link.closed == []


def test_a_long_list_is_told_in_part_and_in_several_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "RECORDS_TOLD_MAX", 4)
    monkeypatch.setattr(limits, "RECORDS_PER_FRAME_MAX", 2)
    community = Community(*NAMES)
    link = Link(informed(community), community.node("ben"))
    link.settle()
    assert told(link, 0) == [2, 2]


def test_where_a_node_is_itself_is_told_first() -> None:
    community = Community(*NAMES)
    for caller in ("ben", "cyd"):
        link = Link(community.node(caller), informed(community))
        link.settle()
        frames = map(f.decode_frame, link.sent[1])
        records = [
            record for frame in frames if isinstance(frame, f.Addresses) for record in frame.records
        ]
        assert len(records) == len(NAMES)
        assert records[0] == record_of(community, "ada")


def test_no_more_than_a_bounded_number_of_addresses_is_checked_between_comparisons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "RECORDS_TAKEN_MAX", 3)
    community = Community(*NAMES)
    ada, ben = community.node("ada"), community.node("ben")
    link = Link(ben, ada)
    link.settle()
    others = [record_of(community, name) for name in NAMES[2:]]
    tell(link, 0, others)
    assert len(known_to(ada)) == 3
    tell(link, 0, others)
    assert len(known_to(ada)) == 3
    link.wait(limits.HEADS_EVERY_MS_MAX)
    tell(link, 0, others)
    assert len(known_to(ada)) == len(others)


def test_what_is_no_address_record_is_not_kept() -> None:
    ada = Community("ada").node("ada")
    assert not ada.replica.learn_address(b"no record", NOW_MS)
    assert ada.replica.addresses() == []


def test_an_older_record_does_not_take_the_place_of_a_newer_one() -> None:
    community = Community("ada", "ben")
    ada = community.node("ada")
    newer = record_of(community, "ben", NOW_MS)
    assert ada.replica.learn_address(newer, NOW_MS)
    assert not ada.replica.learn_address(record_of(community, "ben", NOW_MS - 1), NOW_MS)
    assert ada.replica.addresses() == [newer]
