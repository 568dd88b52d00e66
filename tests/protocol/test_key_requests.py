"""Secrets that did not reach a device by their seals reach it from whoever has them."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.key_requests import KeyRequests
from p2pvalue_protocol.kinds.epoch import NUMBER as EPOCH
from p2pvalue_protocol.kinds.epoch import Epoch, Wrap, encode_epoch
from p2pvalue_protocol.sealing import SEAL_BYTES
from tests.protocol.meeting import NOW_MS, Community, Link, Node, assert_equal_nodes
from tests.protocol.sealed import epochs_of, sealed_community


def renewed(ada: Node) -> None:
    """Let a node make a new epoch."""

    def step() -> list[Effect]:
        ada.replica.renew(NOW_MS)
        return []

    ada.do(step)


def without_prekey(community: Community, name: str) -> Node:
    """A member whose device lost what opens the seals to it."""
    node = Node(community.community, f"{name} who lost it", community.authors[name].key)
    node.name = name
    node.learn(community.keys)
    node.take(community.begun)
    return node


def apart() -> tuple[Community, Node, Node]:
    """Somebody who said something under new keys, and somebody who cannot open them."""
    community = Community("ada", "ben", "cyd")
    ada, ben = community.node("ada"), without_prekey(community, "ben")
    renewed(ada)
    ada.say("under new keys", times=3)
    return community, ada, ben


def test_what_is_missing_is_asked_for_and_read() -> None:
    _, ada, ben = apart()
    link = Link(ben, ada)
    link.settle()
    assert ben.texts() == ada.texts() == 3
    assert ben.replica.sealed_count == 0
    assert_equal_nodes(ada, ben)


def test_who_has_no_secret_either_is_asked_once_and_again_after_a_while() -> None:
    community, ada, ben = apart()
    cyd = without_prekey(community, "cyd")
    cyd.take(ada.runs())
    link = Link(ben, cyd)
    link.wait(5_000)
    assert len(asked(link, 0)) == 1
    assert ben.texts() == 0
    Link(cyd, ada).settle()
    link.wait(limits.HEADS_EVERY_MS_MAX)
    assert ben.texts() == 3


def asked(link: Link, side: int) -> list[f.KeysWanted]:
    frames = map(f.decode_frame, link.sent[side])
    return [frame for frame in frames if isinstance(frame, f.KeysWanted)]


def settled() -> tuple[Link, bytes]:
    """A link on which ben owes nothing, and an epoch of which ada lacks the secret."""
    community = Community("ada", "ben")
    ada, ben = without_prekey(community, "ada"), community.node("ben")
    link = Link(ada, ben)
    link.settle()
    renewed(ben)
    ben.say("under new keys")
    link.now_ms += limits.TELL_MS_MIN
    link.poke(1)
    while not asked(link, 0):
        if link.wires[0] or link.wires[1]:
            link.deliver(1 if link.wires[1] else 0)
        else:
            link.act(1, link.sessions[1].wakeup)
    link.wires[0].clear()
    return link, asked(link, 0)[0].epochs[0]


def test_a_false_secret_is_not_taken_and_the_right_one_still_is() -> None:
    link, epoch = settled()
    ada, ben = link.nodes
    link.wires[1].append(f.encode_frame(f.Keys([f.EpochSecret(epoch, bytes(32))])))
    link.deliver(1)
    assert ada.replica.epochs.missing() == [epoch]
    assert not link.closed
    Link(ada, ben, session=2).settle()
    assert ada.texts() == 1


def test_secrets_that_nobody_asked_for_end_the_session() -> None:
    link, epoch = settled()
    other = f.EpochSecret(bytes(32), bytes(32))
    link.wires[1].append(f.encode_frame(f.Keys([f.EpochSecret(epoch, bytes(32)), other])))
    link.deliver(1)
    assert link.closed == [("ada", Reason.UNASKED)]
    assert link.nodes[0].replica.epochs.early() == []


def test_who_asks_for_more_and_more_is_left() -> None:
    community = Community("ada", "ben")
    link = Link(community.node("ada"), community.node("ben"))
    link.settle()
    wanted = f.encode_frame(f.KeysWanted([bytes(32)] * limits.KEYS_PER_FRAME_MAX))
    for _ in range(limits.KEYS_WANTED_MAX // limits.KEYS_PER_FRAME_MAX):
        link.wires[0].append(wanted)
        link.deliver(0)
        assert not link.closed
    link.wires[0].append(wanted)
    link.deliver(0)
    assert link.closed == [("ben", Reason.OVER_LIMIT)]


def test_more_epochs_that_nobody_can_open_than_a_peer_answers_part_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A member can make them without end: all are asked for, and the one that somebody has."""
    spans = limits.HEADS_EVERY_MS_MAX // limits.HEADS_EVERY_MS_MIN + 1  # of ours in one of theirs
    assert limits.KEYS_ASKED_MAX * spans <= limits.KEYS_WANTED_MAX
    for name in ("KEYS_ASKED_MAX", "KEYS_WANTED_MAX"):
        monkeypatch.setattr(limits, name, getattr(limits, name) // 16)
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), without_prekey(community, "ben")
    renewed(ada)
    (wanted,) = [e for e in opened_by(ada) if e not in dict(community.keys)]
    ben.take(ada.runs())
    seals = bytes(SEAL_BYTES * len(ada.replica.epochs.recipients()))
    count = limits.KEYS_WANTED_MAX + 1
    wrap = Wrap(wanted, bytes(24), bytes(48))  # each is deeper than the one that is wanted
    epochs = [Epoch(number.to_bytes(32, "big"), seals, wraps=(wrap,)) for number in range(count)]
    ada.write(*(Draft(EPOCH, b"", encode_epoch(epoch)) for epoch in epochs))
    ben.take(ada.runs())
    assert len(ben.replica.epochs.missing()) == count + 1
    link = Link(ben, ada)
    for _ in range(count // limits.KEYS_ASKED_MAX + 2):
        link.wait(limits.HEADS_EVERY_MS_MAX)
    assert link.closed == []
    assert ben.replica.epochs.holds(wanted)


def test_a_question_names_no_more_epochs_than_its_frame_holds() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), without_prekey(community, "ben")
    seals = bytes(SEAL_BYTES * len(ada.replica.epochs.recipients()))
    count = limits.KEYS_PER_FRAME_MAX + 1
    epochs = [Epoch(number.to_bytes(32, "big"), seals) for number in range(count)]
    ada.write(*(Draft(EPOCH, b"", encode_epoch(epoch)) for epoch in epochs))
    ben.take(ada.runs())
    link = Link(ben, ada)
    link.settle()
    assert [len(frame.epochs) for frame in asked(link, 0)] == [limits.KEYS_PER_FRAME_MAX, 1]
    assert link.closed == []


def opened_by(node: Node) -> list[bytes]:
    epochs = node.replica.epochs
    return [r.epoch for r in epochs.records.deepest_first() if epochs.holds(r.epoch)]


def test_a_peer_that_owes_secrets_for_ten_seconds_is_left() -> None:
    link, _ = settled()
    link.wires[1].clear()
    link.now_ms += limits.REPLY_MS_MAX
    link.act(0, link.sessions[0].wakeup)
    assert link.closed == [("ada", None)]


@pytest.mark.parametrize(("name", "is_asked"), [("sam", False), ("cyd", True)])
def test_only_members_devices_are_asked(name: str, is_asked: bool) -> None:
    community, ada, ben = apart()
    ben.take(ada.runs())
    assert ben.replica.epochs.missing()
    other = community.node(name)
    other.take(community.begun)
    link = Link(other, ben)
    link.wait(limits.HEADS_EVERY_MS_MAX)
    assert link.sessions[1].device == other.replica.device
    asked = [isinstance(f.decode_frame(frame), f.KeysWanted) for frame in link.sent[1]]
    assert any(asked) is is_asked


def test_a_stranger_is_given_no_secret() -> None:
    community = Community("ada", "ben")
    ada, sam = community.node("ada"), community.node("sam")
    link = Link(sam, ada)
    link.settle()
    epoch, secret = community.keys[0]
    link.wires[0].append(f.encode_frame(f.KeysWanted([epoch])))
    link.deliver(0)
    answer = f.decode_frame(link.sent[1][-1])
    assert answer == f.Keys([])
    assert secret not in b"".join(link.sent[1])


def test_a_peer_that_names_no_device_is_given_no_secret() -> None:
    ana = sealed_community()
    requests = KeyRequests(ana.replica)
    wanted = f.KeysWanted(epochs_of(ana))
    assert requests.answer(wanted, None) == f.Keys([])
    assert requests.answer(wanted, ana.replica.device).secrets
