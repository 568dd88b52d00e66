"""Hints spread new operations; whatever they hold, they only ever help."""

from __future__ import annotations

import random
import zlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.envelope import ENVELOPE_BYTES, SALT_BYTES, open_envelope, seal_envelope
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.gossip import Gossip, Heard, topic_name
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference, public_topic_secret
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds.document import UPDATE_NUMBER, encode_document_update
from p2pvalue_protocol.log import Run, decode_batch, encode_batch
from tests.protocol.hostility import mutations
from tests.protocol.meeting import (
    NOW_MS,
    TOPIC_SECRET,
    Community,
    Link,
    Node,
    assert_equal_nodes,
)


class Listener:
    """A node that gossips."""

    def __init__(self, node: Node, seed: int = 0) -> None:
        self.node = node
        self.gossip = Gossip(random.Random(seed).randbytes)
        self.topic = topic_name(TOPIC_SECRET)
        self.gossip.listen(node.replica.community, [TOPIC_SECRET], TOPIC_SECRET, is_sealed=True)

    def tell(self, references: list[Reference]) -> list[bytes]:
        """The messages that tell what was just written."""
        told: list[tuple[str, bytes]] = []

        def step() -> list[Effect]:
            self.node.replica.seal()
            told.extend(self.gossip.messages(self.node.replica, references))
            return []

        self.node.do(step)
        assert all(topic == self.topic for topic, _ in told)
        return [message for _, message in told]

    def hear(self, message: bytes) -> Heard:
        heard: list[Heard] = []

        def step() -> list[Effect]:
            heard.append(self.gossip.hear(self.node.replica, self.topic, message, NOW_MS))
            return []

        self.node.do(step)
        return heard[0]

    def hear_runs(self, runs: list[Run]) -> Heard:
        """Hear what somebody who knows the topic's secret sealed."""
        salt = sha256(repr(runs).encode()).digest()[:SALT_BYTES]
        return self.hear(seal_envelope(TOPIC_SECRET, self.topic, encode_batch(runs), salt))


def listeners(*names: str) -> list[Listener]:
    community = Community(*names)
    return [Listener(community.node(name)) for name in names]


ACCEPTED = Heard("accept", None, is_behind=False)
IGNORED = Heard("ignore", None, is_behind=False)


def test_what_is_told_is_taken_and_passed_on() -> None:
    ada, ben = listeners("ada", "ben")
    [message] = ada.tell(ada.node.say("hello", times=3))
    assert ben.hear(message) == ACCEPTED
    assert_equal_nodes(ada.node, ben.node)


def test_a_message_heard_again_is_not_passed_on() -> None:
    ada, ben = listeners("ada", "ben")
    [message] = ada.tell(ada.node.say("hello"))
    ben.hear(message)
    assert ben.hear(message) == IGNORED


def test_operations_that_came_by_sync_are_not_passed_on() -> None:
    ada, ben = listeners("ada", "ben")
    [message] = ada.tell(ada.node.say("hello"))
    Link(ada.node, ben.node).settle()
    assert ben.hear(message) == IGNORED


def test_a_message_whose_log_is_behind_calls_for_sync_and_is_welcome_later() -> None:
    ada, ben = listeners("ada", "ben")
    [first] = ada.tell(ada.node.say("first"))
    [second] = ada.tell(ada.node.say("second"))
    assert ben.hear(second) == Heard("ignore", None, is_behind=True)
    assert ben.hear(first) == ACCEPTED
    assert ben.hear(second) == ACCEPTED
    assert_equal_nodes(ada.node, ben.node)


def test_a_stranger_s_operations_are_ignored_and_call_for_sync() -> None:
    community = Community("ada")
    ada, sam = Listener(community.node("ada")), community.node("sam")
    [first] = sam.write(Draft(auth.AUTH_SEEN, b"", b""))
    runs, _ = sam.replica.runs(AUTH, first.device, 0, first.op_id, 1)
    heard = ada.hear_runs(runs)
    assert heard == Heard("ignore", None, is_behind=True)


def test_what_was_written_without_being_told_goes_along() -> None:
    ada, ben = listeners("ada", "ben")
    [first] = ada.tell(ada.node.say("told"))
    ada.node.say("kept back", times=2)
    [second] = ada.tell(ada.node.say("told again"))
    ben.hear(first)
    assert ben.hear(second) == ACCEPTED
    assert ben.node.texts() == 4


def test_what_was_signed_at_several_times_goes_along_in_one_message_if_it_fits() -> None:
    ada, ben = listeners("ada", "ben")
    [first] = ada.tell(ada.node.say("told"))
    for _ in range(3):
        ada.node.say("kept back")
        ada.node.runs()  # signs it
    [second] = ada.tell(ada.node.say("told again"))
    ben.hear(first)
    assert ben.hear(second) == ACCEPTED
    assert ben.node.texts() == 5


def test_a_long_log_is_told_in_several_messages_that_fit(rng: random.Random) -> None:
    ada, ben = listeners("ada", "ben")
    letters = ["".join(chr(0x4E00 + rng.randrange(8_000)) for _ in range(900)) for _ in range(60)]
    written: list[Reference] = []
    for text in letters:
        written += ada.node.say(text)
    messages = ada.tell(written)
    assert len(messages) > 1
    assert max(map(len, messages)) <= limits.GOSSIP_BYTES_MAX
    assert [ben.hear(message).verdict for message in messages] == ["accept"] * len(messages)
    assert_equal_nodes(ada.node, ben.node)


def test_more_than_a_message_should_carry_is_left_to_sync() -> None:
    ada, _ = listeners("ada", "ben")
    assert ada.tell(ada.node.say("bulk", times=limits.GOSSIP_OPERATIONS_MAX + 1)) == []
    assert len(ada.tell(ada.node.say("and then"))) == 1


def test_a_message_says_little_at_once_however_well_it_packs() -> None:
    community = Community("ada", read=auth.READ_PUBLIC)
    ada = Listener(community.node("ada"))
    secret = public_topic_secret(community.community)
    ada.topic = topic_name(secret)
    ada.gossip.listen(community.community, [secret], secret, is_sealed=False)
    messages = ada.tell(ada.node.say("x" * 1_000, times=200))
    sizes = [len(zlib.decompress(message)) for message in messages]
    assert sum(map(len, messages)) < limits.GOSSIP_BYTES_MAX < sum(sizes)
    assert max(sizes) <= limits.GOSSIP_BYTES_TARGET + limits.UNSIGNED_BYTES_MAX


def test_a_large_payload_is_left_to_sync() -> None:
    ada, _ = listeners("ada", "ben")
    update = encode_document_update(bytes(limits.GOSSIP_PAYLOAD_BYTES_MAX), 1)
    assert ada.tell(ada.node.write(Draft(UPDATE_NUMBER, bytes(16), update))) == []
    assert len(ada.tell(ada.node.say("and then"))) == 1


def test_a_message_over_the_limits_is_an_offence() -> None:
    ada, ben = listeners("ada", "ben")
    ada.node.say("bulk", times=limits.GOSSIP_OPERATIONS_MAX + 1)
    runs = [run for run in ada.node.runs() if run.log_class == CONTENT]
    assert ben.hear_runs(runs) == Heard("reject", Reason.OVER_LIMIT, is_behind=False)
    too_long = bytes(limits.GOSSIP_BYTES_MAX + 1)
    assert ben.hear(too_long) == Heard("reject", Reason.TOO_LONG, is_behind=False)
    assert ben.node.texts() == 0


def test_a_forged_operation_is_an_offence_and_does_not_delay_the_real_one() -> None:
    ada, ben = listeners("ada", "ben")
    [message] = ada.tell(ada.node.say("real"))
    [run] = [run for run in ada.node.runs() if run.log_class == CONTENT]
    item = run.items[0]
    forged_item = type(item)(
        item.kind, item.subject, item.parents, item.time, b"\x80", item.signature
    )
    forged = Run(run.device, run.log_class, run.first_seq, run.backlink, [forged_item])
    heard = ben.hear_runs([forged])
    assert (heard.verdict, heard.reason) == ("reject", Reason.SIGNATURE_INVALID)
    assert ben.hear(message) == ACCEPTED


def test_an_empty_batch_is_an_offence() -> None:
    _, ben = listeners("ada", "ben")
    assert ben.hear_runs([]).verdict == "reject"


def test_what_was_heard_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GOSSIP_SEEN_MAX", 2)
    ada, ben = listeners("ada", "ben")
    messages = [message for text in "abcd" for message in ada.tell(ada.node.say(text))]
    for message in messages:
        assert ben.hear(message) == ACCEPTED
        assert len(ben.gossip._seen) <= limits.GOSSIP_SEEN_MAX
    assert list(ben.gossip._seen) == [sha256(message).digest() for message in messages[-2:]]


def test_topics_are_named_after_secrets() -> None:
    community = Community("ada").community
    gossip = Gossip(bytes)
    gossip.listen(community, [TOPIC_SECRET], bytes(32), is_sealed=True)
    assert gossip.topics() == sorted([topic_name(TOPIC_SECRET), topic_name(bytes(32))])
    assert gossip.community_of(topic_name(bytes(32))) == community
    gossip.listen(community, [TOPIC_SECRET], None, is_sealed=True)
    assert gossip.topics() == [topic_name(TOPIC_SECRET)]
    assert gossip.community_of("another") is None
    assert len(topic_name(public_topic_secret(community))) == 32


def test_a_message_says_nothing_to_who_does_not_know_its_topic_s_secret() -> None:
    ada, ben = listeners("ada", "ben")
    [message] = ada.tell(ada.node.say("a plain sentence"))
    assert open_envelope(TOPIC_SECRET, ada.topic, message) is not None
    assert open_envelope(bytes(32), ada.topic, message) is None
    assert ada.node.replica.device is not None
    assert ada.node.replica.device not in message
    assert ben.hear(message) == ACCEPTED


def test_one_text_sealed_twice_looks_different_each_time() -> None:
    ada, _ = listeners("ada", "ben")
    topic = ada.gossip._topics[ada.topic]
    one, two = (topic.seal(b"the same", ada.gossip._random_bytes) for _ in range(2))
    assert one[ENVELOPE_BYTES:] != two[ENVELOPE_BYTES:]
    assert len(one) == len(b"the same") + ENVELOPE_BYTES


def test_an_envelope_is_for_one_topic_and_an_altered_one_an_offence() -> None:
    ada, ben = listeners("ada", "ben")
    [message] = ada.tell(ada.node.say("hello"))
    other = topic_name(bytes(32))
    ben.gossip.listen(ada.node.replica.community, [TOPIC_SECRET], bytes(32), is_sealed=True)
    refused = Heard("reject", Reason.ENVELOPE_INVALID, is_behind=False)
    ben.topic = other
    assert ben.hear(message) == refused
    ben.topic = ada.topic
    assert ben.hear(message[:-1] + bytes([message[-1] ^ 1])) == refused
    assert ben.hear(message[:20]) == refused
    assert ben.hear(message) == ACCEPTED


def test_who_may_read_is_everybody_so_nothing_is_sealed() -> None:
    community = Community("ada", read=auth.READ_PUBLIC)
    ada = community.node("ada")
    gossip = Gossip(bytes)
    secret = community.topic_secret
    gossip.listen(community.community, [secret], secret, is_sealed=False)
    references = ada.say("for everybody")
    ada.do(ada._seal)
    [(topic, message)] = gossip.messages(ada.replica, references)
    assert topic == topic_name(community.topic_secret)
    assert [run.device for run in decode_batch(message)] == [ada.replica.device]


@given(data=st.data())
def test_no_message_raises(data: st.DataObject) -> None:
    ada, ben = listeners("ada", "ben")
    [message] = ada.tell(ada.node.say("hello"))
    hostile = data.draw(st.one_of(st.binary(max_size=200), mutations(message)))
    assert ben.hear(hostile).verdict in ("accept", "ignore", "reject")


def random_updates(listener: Listener, size: int, count: int) -> list[Reference]:
    """Content that nothing compresses."""
    rng = random.Random(size)
    payloads = [encode_document_update(rng.randbytes(size), 1) for _ in range(count)]
    return listener.node.write(*(Draft(UPDATE_NUMBER, b"d" * 16, each) for each in payloads))


def test_what_does_not_compress_is_told_in_smaller_stretches() -> None:
    ada, ben = listeners("ada", "ben")
    references = random_updates(ada, 12_000, 9)
    messages = ada.tell(references)
    assert len(messages) > 2
    assert all(len(message) <= limits.GOSSIP_BYTES_MAX for message in messages)
    assert all(ben.hear(message) == ACCEPTED for message in messages)
    assert_equal_nodes(ada.node, ben.node)


def test_what_is_larger_than_any_message_is_not_told_nor_what_follows_it() -> None:
    ada, _ = listeners("ada", "ben")
    references = random_updates(ada, 61_000, 1) + random_updates(ada, 10, 1)
    assert ada.tell(references) == []


def test_who_may_not_tell_or_has_nothing_to_tell_sends_nothing() -> None:
    ada, _ = listeners("ada", "ben")
    references = random_updates(ada, 10, 1)
    assert ada.tell([]) == []
    assert len(ada.tell(references)) == 1
    ada.gossip.listen(ada.node.replica.community, [TOPIC_SECRET], None, is_sealed=True)
    assert ada.tell(random_updates(ada, 11, 1)) == []
