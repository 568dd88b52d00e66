"""Presence is heard as its vectors say."""

from __future__ import annotations

from typing import Any

import pytest

from p2pvalue_protocol.presence import PresenceEar, PresenceHeard, live_topic_name
from p2pvalue_protocol.topics import Topic
from tests.vectors.files import Vector, shown, vectors_of

VECTORS = vectors_of("presence")


def of_bytes(text: str) -> bytes:
    return bytes.fromhex(text)


def said(heard: PresenceHeard) -> dict[str, Any]:
    """A verdict as vectors write it."""
    if heard.presence is None:
        return {"verdict": heard.verdict}
    device, _, client, time_ms, state = (
        getattr(heard.presence, name) for name in heard.presence.__struct_fields__
    )
    fields = {"device": device.hex(), "client": client, "time_ms": time_ms, "state": state.hex()}
    return {"verdict": heard.verdict, **fields}


@pytest.mark.parametrize("vector", [v for v in VECTORS if "message" in v["input"]], ids=shown)
def test_presence_is_judged_as_its_vectors_say(vector: Vector) -> None:
    given = vector["input"]
    secret, document = of_bytes(given["topic_secret"]), of_bytes(given["document"])
    name, community = live_topic_name(secret, document), of_bytes(given["community"])
    topic = Topic(name, community, secret, given["is_sealed"])
    is_live = set(map(of_bytes, given["live"])).__contains__
    ear = PresenceEar()
    for before in map(of_bytes, given["before"]):
        heard = ear.hear(topic, document, before, is_live=is_live, now_ms=given["before_ms"])
        assert heard.verdict == "accept"
    message = of_bytes(given["message"])
    heard = ear.hear(topic, document, message, is_live=is_live, now_ms=given["now_ms"])
    if vector["result"] == "invalid":
        assert (heard.verdict, str(heard.reason)) == ("reject", vector["reason"])
    else:
        assert said(heard) == vector["expect"]


def test_live_topics_are_named_as_their_vector_says() -> None:
    [vector] = [v for v in VECTORS if "message" not in v["input"]]
    given = vector["input"]
    name = live_topic_name(of_bytes(given["topic_secret"]), of_bytes(given["document"]))
    assert vector["expect"] == {"topic": name}
