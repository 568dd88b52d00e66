"""Encoding, operations, membership and links do what the frozen vectors say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from p2pvalue_protocol.encoding import PayloadInvalid, decode_payload
from p2pvalue_protocol.errors import LocalProtocolError, Reason, Refused
from p2pvalue_protocol.ids import op_id_of, subject_of, tagged_hash
from p2pvalue_protocol.invitation import invite_key, parse_link
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import (
    GENESIS,
    SIGNED,
    Core,
    Operation,
    community_id_of,
    decode_core,
    encode_core,
)
from tests.protocol.authoring import membership_of
from tests.vectors.files import Vector, plain, shown, vectors_of

_any_map = msgspec.msgpack.Decoder(dict[str, Any])


@pytest.mark.parametrize("vector", vectors_of("encoding"), ids=shown)
def test_encoding(vector: Vector) -> None:
    given = vector["input"]
    if "tag" in given:
        assert (
            tagged_hash(given["tag"], bytes.fromhex(given["data"])).hex()
            == (vector["expect"]["hash"])
        )
    elif vector["result"] == "valid":
        fields = decode_payload(_any_map, bytes.fromhex(given["payload"]))
        assert plain(fields) == vector["expect"]["fields"]
    else:
        with pytest.raises(PayloadInvalid):
            decode_payload(_any_map, bytes.fromhex(given["payload"]))


def judged(given: dict[str, str]) -> Core:
    """The core of a vector's input; raises Refused with the first rule broken."""
    data = bytes.fromhex(given["core"])
    core = decode_core(data)
    if core.kind == GENESIS and community_id_of(core) != core.community:
        raise Refused(Reason.WRONG_COMMUNITY)
    if "signature" in given:
        signature = bytes.fromhex(given["signature"])
        if not verify(core.device, SIGNED + data, signature):
            raise Refused(Reason.SIGNATURE_INVALID)
    return core


@pytest.mark.parametrize("vector", vectors_of("operation"), ids=shown)
def test_operation(vector: Vector) -> None:
    given = vector["input"]
    if vector["result"] == "invalid":
        with pytest.raises(Refused) as refusal:
            judged(given)
        assert refusal.value.reason == vector["reason"]
        return
    core, data = judged(given), bytes.fromhex(given["core"])
    assert encode_core(core) == data
    found = {
        "op_id": op_id_of(data).hex(),
        "subject_made": subject_of(op_id_of(data)).hex(),
        "log_class": core.log_class,
        "core_bytes": len(data),
        "community": core.community.hex(),
    }
    assert found | vector["expect"] == found


def made(vector: Vector, count: int | None = None) -> Membership:
    """The membership that the first `count` operations of a scenario make."""
    operations = []
    for given in vector["input"]["operations"][:count]:
        data, payload = bytes.fromhex(given["core"]), bytes.fromhex(given["payload"])
        operations.append(Operation(op_id_of(data), decode_core(data), data, b"", payload))
    return membership_of(bytes.fromhex(vector["input"]["community"]), operations)


def members(membership: Membership) -> list[dict[str, object]]:
    return [
        {
            "root": member.root.hex(),
            "rank": member.rank,
            "devices": [device.hex() for device in member.devices],
            "admitted_by": member.admitted_by.hex() if member.admitted_by else None,
        }
        for member in membership.members()
    ]


@pytest.mark.parametrize("vector", vectors_of("membership"), ids=shown)
def test_membership(vector: Vector) -> None:
    after, before = members(made(vector)), members(made(vector, -1))
    assert after == vector["expect"]["members"]
    assert (after != before) == (vector["result"] == "valid")


@pytest.mark.parametrize("vector", vectors_of("invitation"), ids=shown)
def test_invitation(vector: Vector) -> None:
    text = vector["input"]["text"]
    if vector["result"] == "invalid":
        with pytest.raises(LocalProtocolError, match=vector["reason"]):
            parse_link(text)
        return
    link = parse_link(text)
    found: dict[str, object] = {
        "community": link.community.hex(),
        "secret": link.secret.hex(),
        "addresses": list(link.addresses),
    }
    if "invite_key" in vector["expect"]:
        found["invite_key"] = invite_key(link.secret).public.hex()
    assert found == vector["expect"]
