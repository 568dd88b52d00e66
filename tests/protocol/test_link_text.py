"""What people pass on as text is read as it was made, or refused."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.link_text import TextForm

FORM = TextForm("a", "test link", "p2p:test1#", "test")


@pytest.mark.parametrize("body", [b"x", b"four", b"and more"])
def test_what_was_made_is_read_though_it_was_broken_into_lines(body: bytes) -> None:
    text = FORM.text_of(body)
    assert FORM.body_of(text) == body
    assert FORM.body_of(f"<{text[:12]}\n {text[12:]}>") == body


@pytest.mark.parametrize("added", ["!!!!", "~~~~", "é", "="])
def test_what_does_not_belong_is_not_passed_over(added: str) -> None:
    text = FORM.text_of(b"and more")
    for place in (len(FORM.prefix), len(FORM.prefix) + 4, len(text)):
        with pytest.raises(LocalProtocolError, match="mistyped"):
            FORM.body_of(text[:place] + added + text[place:])


def test_a_text_without_a_body_is_none() -> None:
    with pytest.raises(LocalProtocolError, match="mistyped"):
        FORM.body_of(FORM.text_of(b""))


@pytest.mark.parametrize("length", range(1, len(FORM.prefix) + 1))
def test_a_text_that_ends_within_its_prefix_is_cut_short(length: int) -> None:
    with pytest.raises(LocalProtocolError, match="cut short"):
        FORM.body_of(FORM.prefix[:length])
