from __future__ import annotations

import subprocess
import sys

import pycrdt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue.texts.broken import TextBroken
from p2pvalue.texts.edits import BURST_CHARACTERS_MAX, BURST_COST_MAX, Edit, in_bursts
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.errors import LocalProtocolError

# A deleted stretch, and one of no length at the same place: `updates` refuses the second.
PANICKING = ["01010500010107636f6e74656e740300", "01010500010107636f6e74656e740000"]

edits = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 6), st.text(alphabet="aéß€😀𝄞\n", max_size=6)),
    max_size=12,
)


@given(edits)
def test_positions_are_code_points_whatever_the_characters(
    wanted: list[tuple[int, int, str]],
) -> None:
    writer, reader, expected = SharedDocument("plain", 1), SharedDocument("plain", 2), ""
    fitting = []
    for position, deleted, inserted in wanted:
        start = min(position, len(expected))
        end = min(start + deleted, len(expected))
        fitting.append(Edit(start, end - start, inserted))
        expected = expected[:start] + inserted + expected[end:]
    for update in writer.edit(fitting):
        reader.apply([update])
    assert (writer.text, reader.text) == (expected, expected)
    assert SharedDocument("plain", 3, writer.encoded()).text == expected


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9), st.integers(0, 9_000), st.sampled_from(["", "a", "😀" * 20_000])
        )
    )
)
def test_bursts_hold_the_same_edits_in_bounded_size(wanted: list[tuple[int, int, str]]) -> None:
    bursts = list(in_bursts(Edit(*edit) for edit in wanted))
    pieces = [piece for burst in bursts for piece in burst]
    assert sum(piece.deleted for piece in pieces) == sum(edit[1] for edit in wanted)
    assert "".join(piece.inserted for piece in pieces) == "".join(edit[2] for edit in wanted)
    for burst in bursts:
        assert sum(len(piece.inserted) for piece in burst) <= BURST_CHARACTERS_MAX
        cost = sum(8 * piece.deleted + len(piece.inserted.encode()) + 40 for piece in burst)
        assert cost <= BURST_COST_MAX


def test_the_largest_burst_fits_an_operation_even_where_every_character_stands_alone() -> None:
    scattered = SharedDocument("plain", 2**53 - 1)
    other = SharedDocument("plain", 2**53 - 2)
    for number in range(4_000):  # two writers take turns: no two neighbours have one author
        writer, reader = (scattered, other) if number % 2 else (other, scattered)
        for update in writer.edit([Edit(number, 0, "x")]):
            reader.apply([update])
    updates = scattered.edit([Edit(0, 4_000, "€" * 20_000)])
    assert max(map(len, updates)) <= 62_000


def test_an_edit_that_does_not_fit_changes_nothing() -> None:
    text = SharedDocument("plain", 1)
    text.edit([Edit(0, 0, "abc")])
    with pytest.raises(LocalProtocolError, match="count in code points"):
        text.edit([Edit(0, 0, "x"), Edit(5, 0, "y")])
    assert text.text == "abc"


def test_nothing_is_written_for_nothing() -> None:
    assert SharedDocument("plain", 1).edit([Edit(0, 0, "")]) == []


def test_a_panic_of_the_library_ends_as_an_error_that_can_be_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class PanicException(BaseException):
        pass

    def panic(self: object, update: bytes) -> None:
        raise PanicException("called `Option::unwrap()` on a `None` value")

    text = SharedDocument("plain", 1)
    monkeypatch.setattr(pycrdt.Doc, "apply_update", panic)
    with pytest.raises(TextBroken, match="unwrap"):
        text.apply([b"\x00\x00"])


def test_a_person_can_still_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: object, update: bytes) -> None:
        raise KeyboardInterrupt

    text = SharedDocument("plain", 1)
    monkeypatch.setattr(pycrdt.Doc, "apply_update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        text.apply([b"\x00\x00"])


def test_a_real_panic_of_the_library_leaves_the_process_alive() -> None:
    program = (
        "from p2pvalue.texts.broken import TextBroken\n"
        "from p2pvalue.texts.edits import Edit\n"
        "from p2pvalue.texts.shared import SharedDocument\n"
        "text = SharedDocument('plain', 7)\n"
        "text.edit([Edit(0, 0, 'abc')])\n"
        "try:\n"
        f"    for update in {PANICKING}:\n"
        "        text.apply([bytes.fromhex(update)])\n"
        "    text.edit([Edit(0, 1, 'x')])\n"
        "except TextBroken as error:\n"
        "    print('caught', error)\n"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("caught PanicException")
