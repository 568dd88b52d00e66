"""Device codes, and what devices show each other, are what the frozen vectors say."""

from __future__ import annotations

from typing import Any

import pytest

from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.device_code import format_code, parse_code
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import LocalProtocolError, Refused
from p2pvalue_protocol.hello import Transcript
from p2pvalue_protocol.keys import SigningKey
from tests.vectors.files import Vector, shown, vectors_of
from tests.vectors.test_sessions import fields_of


def with_field(field: str) -> list[Vector]:
    return [vector for vector in vectors_of("devices") if field in vector["input"]]


@pytest.mark.parametrize("vector", with_field("text"), ids=shown)
def test_a_code_says_what_its_vectors_say(vector: Vector) -> None:
    text = vector["input"]["text"]
    if vector["result"] == "invalid":
        with pytest.raises(LocalProtocolError, match=vector["reason"]):
            parse_code(text)
        return
    code = parse_code(text)
    said: dict[str, Any] = {
        "peer_id": code.peer_id,
        "addresses": list(code.addresses),
        "secret": code.secret.hex(),
    }
    assert said == vector["expect"]
    assert format_code(code) == "".join(text.split()).strip("<>")


@pytest.mark.parametrize("vector", with_field("frame"), ids=shown)
def test_a_frame_of_a_link_is_what_its_vectors_say(vector: Vector) -> None:
    data = bytes.fromhex(vector["input"]["frame"])
    if vector["result"] == "invalid":
        with pytest.raises(Refused, match=vector["reason"]):
            f.decode_link_frame(data)
        return
    frame = f.decode_link_frame(data)
    assert frame.__struct_config__.tag == vector["expect"]["type"]
    assert fields_of(frame) == vector["expect"]["fields"]
    assert encode(frame) == data


@pytest.mark.parametrize("vector", with_field("nonces"), ids=shown)
def test_what_is_shown_on_a_link_is_what_its_vectors_say(vector: Vector) -> None:
    given = vector["input"]
    first, second = map(bytes.fromhex, given["nonces"])
    transcript = Transcript((first, second), tuple(given["peer_ids"]))
    secret, community, device = (
        bytes.fromhex(given[name]) for name in ("secret", "community", "device")
    )
    message = f.root_message(community, transcript, device)
    root = SigningKey(bytes.fromhex(given["root_seed"]))
    assert vector["expect"] == {
        "older": f.secret_proof(secret, transcript, f.OLDER).hex(),
        "newer": f.secret_proof(secret, transcript, f.NEWER).hex(),
        "community": f.community_proof(community, transcript).hex(),
        "root_message": message.hex(),
        "root_signature": root.sign(message).hex(),
    }
