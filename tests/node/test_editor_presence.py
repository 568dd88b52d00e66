"""What tabs elsewhere say of themselves is of themselves, and harmless where it is shown."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from p2pvalue.node.editors.editor_leases import FIRST_SESSION, LEASES_MAX
from p2pvalue.node.editors.editor_presence import TabPresence, bound_state
from p2pvalue.node.editors.presence import PresenceNote
from p2pvalue_protocol.documents.clients import client_of

DOCUMENT = bytes(16)
ANA, EVA = b"a" * 32, b"e" * 32


def note(device: bytes, client: int) -> PresenceNote:
    return PresenceNote(bytes(32), device, client, b"{}")


def test_a_device_speaks_for_the_tabs_that_it_may_lend_to_and_for_no_other() -> None:
    room = cast("Any", SimpleNamespace(subject=DOCUMENT))
    presence = TabPresence(room, cast("Any", None))
    of_ana = client_of(ANA, DOCUMENT, FIRST_SESSION)
    assert presence._is_its_own(note(ANA, of_ana))
    assert presence._is_its_own(note(ANA, client_of(ANA, DOCUMENT, FIRST_SESSION + LEASES_MAX - 1)))
    assert not presence._is_its_own(note(EVA, of_ana))
    assert not presence._is_its_own(note(EVA, 5))


def shown(said: object) -> Any:
    return json.loads(bound_state(json.dumps(said), ANA, "Ana") or "null")


@pytest.mark.parametrize("state", ["\ufffd", "{", "[]", "7", "[" * 100_000, ""])
def test_what_is_no_object_is_not_shown(state: str) -> None:
    assert bound_state(state, ANA, "Ana") is None


@pytest.mark.parametrize("colour", ["red;background:url(//evil)", "#12345", 7, None, "#1234567890"])
@pytest.mark.parametrize("key", ["color", "colorLight"])
def test_a_colour_that_is_none_is_left_out(key: str, colour: object) -> None:
    assert key not in shown({"user": {"name": "Ana", key: colour}})["user"]


def test_a_colour_and_a_cursor_are_shown() -> None:
    colours = {"color": "#30bced", "colorLight": "#30bced33"}
    assert shown({"user": colours, "cursor": {"anchor": 1}}) == {
        "user": {"name": "Ana", "member": ANA.hex(), **colours},
        "cursor": {"anchor": 1},
    }


@pytest.mark.parametrize(
    "said",
    [
        *({}, {"user": "Ben"}, {"user": None}, {"user": {}}, {"name": "Ben"}),
        {"user": {"name": "Ben", "member": EVA.hex(), "avatar": "https://ben.example/face.png"}},
    ],
)
def test_whoever_a_tab_says_it_is_its_member_is_shown(said: dict[str, Any]) -> None:
    assert shown(said)["user"] == {"name": "Ana", "member": ANA.hex()}
    assert shown(said).get("name", "Ana") == "Ana"
