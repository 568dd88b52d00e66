"""Handshakes, frames, comparisons, hints and joins do what the frozen vectors say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from p2pvalue.store.memory import MemoryStore
from p2pvalue_protocol import frames, hello, join_frames
from p2pvalue_protocol.addresses import decode_record
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.envelope import open_envelope, seal_envelope
from p2pvalue_protocol.errors import Refused
from p2pvalue_protocol.gossip import Gossip, topic_name
from p2pvalue_protocol.heads import HeadIndex, head_hash, heads_key
from p2pvalue_protocol.ids import Reference, public_topic_secret
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.log import decode_batch, operations_of
from p2pvalue_protocol.replica import Replica
from tests.vectors.files import Vector, cases_of, plain, shown, vectors_of


def of_bytes(text: str) -> bytes:
    return bytes.fromhex(text)


def transcript_of(given: dict[str, Any]) -> hello.Transcript:
    first, second = map(of_bytes, given["nonces"])
    return hello.Transcript((first, second), tuple(given["peer_ids"]))


def fields_of(struct: Any) -> Any:
    """A frame as vectors write it: arrays of fields."""
    if isinstance(struct, msgspec.Struct):
        return [fields_of(getattr(struct, name)) for name in struct.__struct_fields__]
    if isinstance(struct, list | tuple):
        return [fields_of(item) for item in struct]
    return plain(struct)


@pytest.mark.parametrize("vector", vectors_of("hello"), ids=shown)
def test_a_handshake_proves_what_its_vectors_say(vector: Vector) -> None:
    given = vector["input"]
    transcript = transcript_of(given)
    community, role = of_bytes(given["community"]), bytes([given["role"]])
    message = transcript.identity_message(community, role)
    if vector["result"] == "valid":
        device = SigningKey(of_bytes(given["device_seed"]))
        assert vector["expect"] == {
            "transcript": transcript.as_bytes.hex(),
            "tag": transcript.tag(of_bytes(given["topic_secret"]), role).hex(),
            "message": message.hex(),
            "device": device.public.hex(),
            "signature": device.sign(message).hex(),
        }
    else:
        frame = frames.ResponderIdentity(of_bytes(given["device"]), of_bytes(given["signature"]))
        with pytest.raises(Refused) as refused:
            hello.proven_device(frame, message)
        assert str(refused.value.reason) == vector["reason"]


@pytest.mark.parametrize(
    ("file", "vector"),
    [case for case in cases_of("sync", "joining") if "frame" in case[1]["input"]],
    ids=shown,
)
def test_a_frame_is_what_its_vectors_say(file: str, vector: Vector) -> None:
    data = of_bytes(vector["input"]["frame"])
    decode: Any = frames.decode_frame if file == "sync" else join_frames.decode_join_frame
    if vector["result"] == "invalid":
        with pytest.raises(Refused, match=vector["reason"]):
            decode(data)
        return
    frame = decode(data)
    assert frame.__struct_config__.tag == vector["expect"]["type"]
    assert fields_of(frame) == vector["expect"]["fields"]
    assert encode(frame) == data


def of_part(name: str, field: str) -> list[Vector]:
    return [vector for vector in vectors_of(name) if field in vector["input"]]


@pytest.mark.parametrize("vector", of_part("sync", "heads"), ids=shown)
def test_heads_hash_to_what_their_vectors_say(vector: Vector) -> None:
    first, second = map(of_bytes, vector["input"]["nonces"])
    key = heads_key((first, second))
    heads = [
        Reference(of_bytes(device), log_class, seq, of_bytes(op_id))
        for device, log_class, seq, op_id in vector["input"]["heads"]
    ]
    index = HeadIndex(heads, key)
    buckets = index.bucket_sums()
    expect = vector["expect"]
    assert key.hex() == expect["key"]
    assert [head_hash(head).hex() for head in heads] == expect["hashes"]
    assert index.fingerprint.hex() == expect["fingerprint"]
    for bucket in range(frames.BUCKETS):
        found = buckets[8 * bucket : 8 * bucket + 8].hex()
        assert found == expect["buckets"].get(str(bucket), expect["empty_bucket"])
    sums = index.head_sums(range(frames.BUCKETS))
    assert sorted(short.hex() for short in sums) == expect["sums"]


@pytest.mark.parametrize("vector", of_part("sync", "batch"), ids=shown)
def test_a_batch_holds_what_its_vectors_say(vector: Vector) -> None:
    data, community = (of_bytes(vector["input"][name]) for name in ("batch", "community"))
    if vector["result"] == "invalid":
        with pytest.raises(Refused, match=vector["reason"]):
            [operations_of(run, community) for run in decode_batch(data)]
        return
    runs = decode_batch(data)
    ids = [[op.op_id.hex() for op in operations_of(run, community)] for run in runs]
    assert ids == vector["expect"]["op_ids"]
    signed = [[bool(item.signature) for item in run.items] for run in runs]
    assert signed == vector["expect"]["signed"]


@pytest.mark.parametrize("vector", of_part("sync", "record"), ids=shown)
def test_an_address_record_says_what_its_vectors_say(vector: Vector) -> None:
    known = decode_record(*(of_bytes(vector["input"][name]) for name in ("record", "community")))
    if vector["result"] == "invalid":
        assert known is None
        return
    assert known is not None
    expect = vector["expect"]
    assert known.device.hex() == expect["device"]
    assert (known.peer_id, list(known.addresses)) == (expect["peer_id"], expect["addresses"])
    assert known.time_ms == expect["time_ms"]


@pytest.mark.parametrize("vector", of_part("gossip", "message"), ids=shown)
def test_a_message_is_judged_as_its_vectors_say(vector: Vector) -> None:
    given = vector["input"]
    community = of_bytes(given["community"])
    replica = Replica(community, MemoryStore().past(community), signer=None)
    replica.begin()
    replica.receive(decode_batch(of_bytes(given["genesis"])), given["now_ms"])
    gossip, secret = Gossip(bytes), bytes(32)
    gossip.listen(community, [secret], None, is_sealed=False)
    message = of_bytes(given["message"])
    heard = gossip.hear(replica, topic_name(secret), message, given["now_ms"])
    if vector["result"] == "invalid":
        assert (heard.verdict, str(heard.reason)) == ("reject", vector["reason"])
    else:
        assert vector["expect"] == {"verdict": heard.verdict, "is_behind": heard.is_behind}


def test_topics_are_named_as_their_vectors_say() -> None:
    [topic] = [v for v in of_part("gossip", "topic_secret") if "envelope" not in v["input"]]
    assert topic_name(of_bytes(topic["input"]["topic_secret"])) == topic["expect"]["topic"]
    [public] = [v for v in of_part("gossip", "community") if "topic" in v.get("expect", {})]
    secret = public_topic_secret(of_bytes(public["input"]["community"]))
    assert public["expect"] == {"topic_secret": secret.hex(), "topic": topic_name(secret)}


@pytest.mark.parametrize("vector", of_part("gossip", "envelope"), ids=shown)
def test_an_envelope_holds_what_its_vectors_say(vector: Vector) -> None:
    given = vector["input"]
    secret, envelope = of_bytes(given["topic_secret"]), of_bytes(given["envelope"])
    opened = open_envelope(secret, given["topic"], envelope)
    if vector["result"] == "invalid":
        assert opened is None
        return
    message, salt = (of_bytes(vector["expect"][name]) for name in ("message", "salt"))
    assert opened == message
    assert seal_envelope(secret, given["topic"], message, salt) == envelope


def test_a_request_to_join_is_signed_as_its_vector_says() -> None:
    [vector] = of_part("joining", "invite_seed")
    given = vector["input"]
    device, invite = (SigningKey(of_bytes(given[n])) for n in ("device_seed", "invite_seed"))
    message = join_frames.request_message(
        of_bytes(given["community"]), transcript_of(given), device.public
    )
    assert vector["expect"] == {
        "message": message.hex(),
        "invite_signature": invite.sign(message).hex(),
        "device_signature": device.sign(message).hex(),
        "community_proof": join_frames.community_proof(
            of_bytes(given["community"]), transcript_of(given)
        ).hex(),
    }
