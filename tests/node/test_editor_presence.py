"""What tabs elsewhere say of themselves is of themselves, and harmless where it is shown."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from p2pvalue.node.editor_leases import FIRST_SESSION, LEASES_MAX
from p2pvalue.node.editor_presence import TabPresence, harmless_state
from p2pvalue.node.presence import PresenceNote
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


@pytest.mark.parametrize("state", [b"\xff", b"{", b"[]", b"7", b"[" * 100_000, b""])
def test_what_is_no_object_is_not_shown(state: bytes) -> None:
    assert harmless_state(state) is None


@pytest.mark.parametrize("colour", ["red;background:url(//evil)", "#12345", 7, None, "#1234567890"])
def test_a_colour_that_is_none_is_left_out(colour: object) -> None:
    said = harmless_state(json.dumps({"user": {"name": "Eva", "color": colour}}).encode())
    assert said == '{"user":{"name":"Eva"}}'


def test_a_colour_and_a_cursor_are_shown() -> None:
    said = {"user": {"name": "Ana", "color": "#30bced"}, "cursor": {"anchor": 1}}
    shown = harmless_state(json.dumps(said).encode())
    assert shown is not None
    assert json.loads(shown) == said
