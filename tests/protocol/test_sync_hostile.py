"""Whatever a peer sends, our copy stays right and the process alive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import READ_PUBLIC
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.log import decode_batch, encode_batch
from tests.protocol.authoring import key_named
from tests.protocol.hostility import mutations
from tests.protocol.meeting import Community, Link, Node

QUIET_MS = 200


def established() -> tuple[Node, Link]:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ada.say("ada's", times=3)
    link = Link(ada, ben)
    link.settle()
    return ada, link


def send(link: Link, frame: f.Frame) -> None:
    """Let the second side say what its session never would."""
    link.wires[1].append(f.encode_frame(frame))
    link.deliver(1)


def test_operations_that_nobody_asked_for_end_the_session_and_change_nothing() -> None:
    ada, link = established()
    ben = link.nodes[1]
    ben.say("pushed")
    heads = ada.heads()
    send(link, f.Ops(0, encode_batch(ben.runs())))
    assert link.closed == [("ada", Reason.UNASKED)]
    assert ada.heads() == heads


def test_a_log_that_nobody_asked_for_ends_the_session() -> None:
    _, link = established()
    ben, device = link.nodes[1], key_named("ben device").public
    send(link, claim(device, CONTENT, 0))
    ben.write_auth_seen()
    [run] = [run for run in ben.runs() if (run.device, run.log_class) == (device, AUTH)]
    send(link, f.Ops(0, encode_batch([run])))
    assert link.closed == [("ada", Reason.UNASKED)]


def claim(device: bytes, log_class: int, seq: int) -> f.Heads:
    entry = f.HeadEntry(device, log_class, seq, bytes(32))
    return f.Heads(bytes(16), 0, [entry])


def test_a_forged_operation_blames_the_peer_and_changes_nothing() -> None:
    ada, link = established()
    ben = link.nodes[1]
    ben.say("real", times=3)
    run = next(run for run in ben.runs() if run.log_class == CONTENT)
    forged = type(run.items[-1])(
        kind=run.items[-1].kind,
        subject=b"",
        parents=run.items[-1].parents,
        time=run.items[-1].time + 1,
        payload=run.items[-1].payload,
        signature=run.items[-1].signature,
    )
    heads = ada.heads()
    send(link, claim(run.device, CONTENT, 2))
    items = [*run.items[:-1], forged]
    bad = type(run)(run.device, run.log_class, run.first_seq, run.backlink, items)
    send(link, f.Ops(1, encode_batch([bad])))
    assert link.closed == [("ada", Reason.SIGNATURE_INVALID)]
    assert ada.heads() == heads


def test_a_claim_that_is_not_kept_is_not_asked_for_again_until_the_next_comparison() -> None:
    ada, link = established()
    device = key_named("ben device").public
    for _ in range(5):
        link.now_ms += QUIET_MS
        send(link, claim(device, CONTENT, 7))
        if isinstance(f.decode_frame(link.sent[0][-1]), f.Wants):
            link.wires[0].clear()
            send(link, f.Ops(1, encode_batch([])))
    wants = [frame for frame in link.sent[0] if isinstance(f.decode_frame(frame), f.Wants)]
    assert len(wants) == 1
    assert not link.closed
    assert ada.texts() == 3


def test_a_peer_that_owes_operations_for_ten_seconds_is_left() -> None:
    _, link = established()
    send(link, claim(key_named("ben device").public, CONTENT, 7))
    link.wires[0].clear()
    link.now_ms += 10_000
    link.act(0, link.sessions[0].wakeup)
    assert link.closed == [("ada", None)]


def test_a_peer_that_sends_the_same_again_and_again_is_left() -> None:
    ada, link = established()
    ben = link.nodes[1]
    ben.say("one")
    run = next(run for run in ben.runs() if run.device == key_named("ben device").public)
    send(link, claim(run.device, CONTENT, 9))
    for _ in range(30):
        link.wires[0].clear()
        link.now_ms += 500
        send(link, f.Ops(0, encode_batch([run])))
        link.act(0, link.sessions[0].wakeup)
        if link.closed:
            break
    assert link.closed == [("ada", None)]
    assert ada.texts() == 4


def test_who_asks_without_taking_answers_is_left() -> None:
    ada, link = established()
    want = f.Want(key_named("ada device").public, CONTENT, 0, 0, ada.heads()[0].op_id)
    for _ in range(20):
        if not link.closed:
            send(link, f.Wants([want] * limits.WANTS_PER_FRAME_MAX))
    assert link.closed == [("ada", Reason.OVER_LIMIT)]


def test_wants_for_what_is_not_here_are_answered_with_nothing() -> None:
    _, link = established()
    send(link, f.Wants([f.Want(bytes(32), CONTENT, 5, 5, bytes(32))]))
    answer = f.decode_frame(link.sent[0][-1])
    assert isinstance(answer, f.Ops)
    assert (answer.finished, decode_batch(answer.batch)) == (1, [])


@pytest.mark.parametrize(
    "frame",
    [
        f.NonceOffered(bytes(32)),
        f.TagAnswered(bytes(16)),
        f.InitiatorIdentity(bytes(32), bytes(64)),
        f.ResponderIdentity(bytes(32), bytes(64)),
        f.Ack(),
        f.Sums(1, []),
        f.Ask(1, b""),
        f.Ops(0, encode_batch([])),
        f.Keys([]),
        f.UpdatesFound([]),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_a_frame_out_of_turn_ends_the_session(frame: f.Frame) -> None:
    _, link = established()
    send(link, frame)
    assert link.closed in ([("ada", Reason.FRAME_INVALID)], [("ada", Reason.UNASKED)])


def test_only_whom_we_called_may_name_its_device_later() -> None:
    community = Community("ada", read=READ_PUBLIC)
    reader, ada = community.node("rob", has_device=False), community.node("ada")
    link = Link(reader, ada)
    link.settle()
    assert link.sessions[1].community is not None
    assert link.sessions[1].device is None
    link.wires[0].append(f.encode_frame(f.ResponderIdentity(b"", b"")))
    link.deliver(0)
    assert link.closed == [("ada", Reason.FRAME_INVALID)]


def test_after_the_end_nothing_is_heard_and_nothing_said() -> None:
    ada, link = established()
    send(link, f.Ack())
    assert link.closed == [("ada", Reason.UNASKED)]
    session, said = link.sessions[0], len(link.sent[0])
    ada.say("after the end")
    send(link, f.Wants([]))
    for call in (session.poke, session.review, session.wakeup, session.fetch):
        link.act(0, call)
    assert link.closed == [("ada", Reason.UNASKED)]
    assert len(link.sent[0]) == said
    assert session.next_wakeup_ms() is None


VALID = [frame for side in established()[1].sent for frame in side]


@given(hostile=st.lists(st.sampled_from(VALID).flatmap(mutations), min_size=1, max_size=3))
def test_mutated_frames_never_raise_and_never_hurt(hostile: list[bytes]) -> None:
    ada, link = established()
    heads = ada.heads()
    for frame in hostile:
        link.wires[1].append(frame)
        link.deliver(1)
    assert ada.heads() == heads


@given(frames=st.lists(st.binary(max_size=200), max_size=5))
def test_arbitrary_bytes_never_raise(frames: list[bytes]) -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    link = Link(ada, ben)
    for side in (0, 1):
        link.wires[side].clear()
        for frame in frames:
            link.wires[side].append(frame)
            link.deliver(side)
    assert ada.heads() == ben.heads() == community.node("ada").heads()


def answers(link: Link) -> int:
    """How many listings of sums the first side sent."""
    frames = [f.decode_frame(frame) for frame in link.sent[0]]
    return sum(isinstance(frame, f.Sums) and frame.is_last for frame in frames)


def test_who_compares_again_and_again_is_left() -> None:
    _, link = established()
    for _ in range(2):
        send(link, f.Buckets(bytes(2_048)))
        assert not link.closed
    send(link, f.Buckets(bytes(2_048)))
    assert link.closed == [("ada", Reason.OVER_LIMIT)]
    assert answers(link) == 1


def test_buckets_that_come_early_are_answered_five_seconds_after_those_before() -> None:
    _, link = established()
    ada = link.sessions[0]
    send(link, f.Buckets(bytes(2_048)))
    for count in range(1, 4):
        send(link, f.Buckets(bytes(2_048)))
        link.now_ms += limits.COMPARED_MS_MIN - 1
        link.act(0, ada.wakeup)
        assert answers(link) == count
        link.now_ms += 1
        assert ada.next_wakeup_ms() == link.now_ms
        link.act(0, ada.wakeup)
        assert answers(link) == count + 1
    assert not link.closed


def test_buckets_that_come_five_seconds_later_are_answered_at_once() -> None:
    _, link = established()
    for count in range(1, 4):
        send(link, f.Buckets(bytes(2_048)))
        assert answers(link) == count
        link.now_ms += limits.COMPARED_MS_MIN
    assert not link.closed


def test_nobody_is_blamed_because_our_clock_was_set_back() -> None:
    _, link = established()
    send(link, f.Buckets(bytes(2_048)))
    link.set_back(3_600_000)
    send(link, f.Buckets(bytes(2_048)))
    assert not link.closed
    link.now_ms += limits.COMPARED_MS_MIN
    link.act(0, link.sessions[0].wakeup)
    assert answers(link) == 2


@pytest.mark.parametrize("forward_ms", [limits.HEADS_EVERY_MS_MAX, 40 * 86_400_000])
def test_nobody_is_blamed_because_its_own_clock_was_set_forward(forward_ms: int) -> None:
    _, link = established()
    ben, session = link.nodes[1], link.sessions[1]
    for time in range(2):
        ben.say(f"untold {time}")
        now_ms, link.now_ms = link.now_ms, link.now_ms + (time + 1) * forward_ms
        link.act(1, session.wakeup)
        link.now_ms = now_ms
        link.settle()
    assert sum(isinstance(f.decode_frame(frame), f.Buckets) for frame in link.sent[1]) == 2
    link.wait(limits.COMPARED_MS_MIN)
    assert not link.closed
    assert answers(link) == 2


def well_formed(link: Link) -> st.SearchStrategy[f.Frame]:
    """Frames of the right form with contents that make little sense, or some."""
    nodes = link.nodes
    devices = st.sampled_from([key_named(f"{n.name} device").public for n in nodes] + [bytes(32)])
    ids = st.sampled_from([head.op_id for node in nodes for head in node.heads()] + [bytes(32)])
    classes, seqs = st.sampled_from([AUTH, CONTENT]), st.sampled_from([0, 1, 2, 3, 64, 2**53 - 1])
    entries = st.lists(st.builds(f.HeadEntry, devices, classes, seqs, ids), max_size=3)
    wants = st.lists(st.builds(f.Want, devices, classes, seqs, ids), min_size=1, max_size=3)
    flags = st.sampled_from([0, 1])
    sums = st.binary(max_size=24).map(lambda data: data[: len(data) // 8 * 8])
    prints = st.sampled_from([b"", bytes(16)])
    buckets = st.lists(st.builds(f.BucketSums, st.integers(0, 255), sums), max_size=3)
    runs = [run for node in nodes for run in node.runs()]
    batches = st.lists(st.sampled_from(runs), max_size=3).map(encode_batch)
    return st.one_of(
        st.builds(f.Heads, prints, flags, entries),
        st.builds(f.Buckets, st.binary(min_size=2_048, max_size=2_048)),
        st.builds(f.Sums, flags, buckets),
        st.builds(f.Ask, flags, sums),
        st.builds(f.Wants, wants),
        st.builds(f.Ops, st.integers(0, 3), batches),
        st.just(f.Ack()),
        st.builds(f.Addresses, st.lists(st.binary(max_size=80), max_size=2)),
    )


@given(data=st.data())
def test_well_formed_nonsense_never_raises_and_never_hurts(data: st.DataObject) -> None:
    ada, link = established()
    link.nodes[1].say("ben's own")
    frames = well_formed(link)
    before = set(ada.heads())
    for _ in range(data.draw(st.integers(1, 6))):
        link.now_ms += data.draw(st.sampled_from([0, 60, 5_000]))
        send(link, data.draw(frames))
        link.act(0, link.sessions[0].wakeup)
    assert before <= set(ada.heads())
