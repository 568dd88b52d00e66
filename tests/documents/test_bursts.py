"""A burst of typing is signed as one update, a large paste as several, and says the same."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pycrdt
import pytest

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.bursts import (
    EDITOR_CAPS,
    PART_BYTES_MAX,
    first_text,
    in_parts,
    joined,
    said_anew,
    united,
    without,
)
from p2pvalue_protocol.documents.state_form import read_state, write_state
from p2pvalue_protocol.documents.update_form import Update, read_update, write_update
from p2pvalue_protocol.documents.verdict import Applies, UpdateInvalid
from tests.documents.by_hand import ANA, APPLIES, EVA, Scene, client, string, struct, update
from tests.documents.edits import edit_anything
from tests.documents.hostile import deliver
from tests.documents.peers import Person, Written, written

A, E = client(ANA), client(EVA)
STEPS = 120


class Typist(Person):
    """Somebody whose editor tells of each edit, and who signs several at once."""

    def __init__(self, name: bytes, shape: str) -> None:
        self.told: list[bytes] = []
        super().__init__(name, shape)

    def type(self, rng: Random) -> None:
        subscription = self.doc.observe(lambda event: self.told.append(bytes(event.update)))
        edit_anything(self, rng)
        self.doc.unobserve(subscription)

    def sign_burst(self) -> list[Written]:
        """Sign what was told as one; it counts, and the text is what it was."""
        before, told = self.shown, self.told
        self.told = []
        if not told:
            return []
        signed = []
        for part in in_parts(joined(map(read_update, told))):
            own = None if self.last is None else self._place[self.last.op_id][0]
            heads, data = self.facts.frontier(own)[:64], write_update(part)
            self.last = written(self.device, self.last, self.session, heads, data)
            assert isinstance(self.take(self.last), Applies), data.hex()
            signed.append(self.last)
        assert self.shown == before
        return signed


@pytest.mark.parametrize("shape", ["plain", "rich"])
def test_bursts_say_what_their_updates_said(shape: str, seed: int) -> None:
    rng = Random(seed)
    people = [Typist(name, shape) for name in (b"ana", b"eva")]
    inboxes: dict[Person, list[Written]] = {person: [] for person in people}
    told = signed = 0
    for _ in range(STEPS):
        one, other = rng.sample(people, 2)
        one.type(rng)
        if rng.random() < 0.3:
            told += len(one.told)
            burst = one.sign_burst()
            inboxes[other] += burst
            signed += len(burst)
        if rng.random() < 0.4 and not one.told and inboxes[one]:
            deliver(one, inboxes[one], len(inboxes[one]), rng)
    for one, other in (people, people[::-1]):
        inboxes[other] += one.sign_burst()
    for person, inbox in inboxes.items():
        deliver(person, inbox, len(inbox), rng)
    assert people[0].shown == people[1].shown
    assert signed < told


def told_by(editor: pycrdt.Doc[Any], act: Any) -> list[bytes]:
    updates: list[bytes] = []
    subscription = editor.observe(lambda event: updates.append(bytes(event.update)))
    act()
    editor.unobserve(subscription)
    return updates


def test_thirty_keys_take_as_many_bytes_as_one_paste_of_them() -> None:
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=A)
    text = doc.get("content", type=pycrdt.Text)
    text += "so far\n"

    keys = [key for at in range(30) for key in told_by(doc, lambda at=at: text.insert(7 + at, "k"))]
    pasted: pycrdt.Doc[Any] = pycrdt.Doc(client_id=A)
    other = pasted.get("content", type=pycrdt.Text)
    other += "so far\n"
    (paste,) = told_by(pasted, lambda: other.insert(7, 30 * "k"))
    assert sum(map(len, keys)) > 600
    assert write_update(joined(map(read_update, keys))) == paste


def test_a_large_paste_becomes_updates_that_count(seed: int) -> None:
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=A)
    text = doc.get("content", type=pycrdt.Text)
    pasted = "".join(Random(seed).choices(("word ", "é", "😀", "日本"), k=60_000))
    (data,) = told_by(doc, lambda: text.insert(0, pasted))
    with pytest.raises(UpdateInvalid):
        read_update(data)
    scene = Scene()
    other: pycrdt.Doc[Any] = pycrdt.Doc(client_id=E)
    parts = in_parts(read_update(data, EDITOR_CAPS))
    for part in parts:
        assert scene.give(ANA, write_update(part)) == APPLIES
        other.apply_update(write_update(part))
    assert len(parts) > 3
    assert str(other.get("content", type=pycrdt.Text)) == pasted


def test_parts_are_within_all_bounds() -> None:
    letters = [string("x")] + [string("x", origin=(A, at)) for at in range(0, 20_000, 2)]
    apart = [tuple((2 * at, 1) for at in range(count)) for count in (3, 9_000)]
    deleted = ((E, apart[0]), (A, apart[1]))
    update = Update(A, 0, tuple(letters), deleted)
    parts = in_parts(update)
    assert [struct for part in parts for struct in part.structs] == letters
    assert united(part.deletions for part in parts) == united([deleted])
    for part in parts:
        assert read_update(write_update(part)) == part
        assert len(write_update(part)) <= PART_BYTES_MAX
    writing = [part for part in parts if part.structs]
    assert [0] + [part.end_clock for part in writing] == [
        *(part.first_clock for part in writing),
        update.end_clock,
    ]
    assert parts[-1].client == -1


def test_what_is_deleted_goes_with_what_is_written_if_there_is_room() -> None:
    update = Update(A, 0, (string("abc"),), ((A, ((0, 1),)),))
    assert in_parts(update) == [update]
    full = update._replace(structs=(string("x" * 16_000), *wide(3)))
    assert [bool(part.structs) for part in in_parts(full)] == [True, False]


@pytest.mark.parametrize("count", [1, 2, 30, 130, 140, 900, 2_000])
def test_what_is_deleted_makes_no_part_too_long(count: int) -> None:
    far = 2**31
    apart = tuple((far + 2_000_000 * at, 2_000 + at) for at in range(count))
    deleted = ((A, apart),)
    update = Update(A, 0, (string("x" * 13_280), *wide(3)), deleted)
    parts = in_parts(update)
    assert max(len(write_update(part)) for part in parts) <= PART_BYTES_MAX
    assert united(part.deletions for part in parts) == united([deleted])
    assert len(parts) == (1 if count < 140 else 2)


def test_a_part_may_be_as_long_as_it_may_be() -> None:
    deleted = ((A, tuple((2 * at, 1) for at in range(100))),)
    for length, parts in ((14_016, 1), (14_017, 2)):
        update = Update(A, 0, (string("x" * length), *wide(3)), deleted)
        assert len(in_parts(update)) == parts


def wide(count: int) -> list[form.Struct]:
    return [string("x" * 13_280, origin=(A, 15_999)) for _ in range(count)]


@pytest.mark.parametrize("text", ["", "hé 😀", "日本語 😀" * 20_000, "x" * 300_000])
def test_the_first_text_is_written_as_the_text_library_would(text: str) -> None:
    scene = Scene()
    parts = first_text(A, text)
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    for part in parts:
        assert scene.give(ANA, write_update(part)) == APPLIES
        doc.apply_update(write_update(part))
    assert str(doc.get("content", type=pycrdt.Text)) == text


def test_a_short_first_text_is_the_text_library_s_to_the_byte() -> None:
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=A)
    doc.get("content", type=pycrdt.Text).insert(0, "hé 😀")
    assert [write_update(part) for part in first_text(A, "hé 😀")] == [bytes(doc.get_update())]


def test_nothing_to_say_is_said_in_no_update() -> None:
    assert joined([]) == Update(-1, -1, (), ())
    assert in_parts(joined([])) == []


def test_letters_beside_others_stay_apart() -> None:
    apart = [
        (string("a"), string("b", origin=(A, 0), right=(E, 4))),
        (string("a"), string("b", origin=(E, 0))),
        (string("a", origin=(E, 0)), string("b", origin=(A, 3))),
        (string("x" * form.STRING_UNITS_MAX), string("y", origin=(A, form.STRING_UNITS_MAX - 1))),
    ]
    for one, other in apart:
        first = Update(A, 0, (one,), ())
        second = Update(A, one.length, (other,), ())
        assert joined([first, second]).structs == (one, other)


def test_a_pair_of_halves_keeps_its_place_in_what_is_joined() -> None:
    first = Update(A, 0, (string("a"),), ())
    second = Update(A, 1, (string("😀", origin=(A, 0)),), ())
    data = write_update(joined([first, second]))
    assert read_update(data).structs[0].lows == (2,)
    assert joined([first, second]) == read_update(data)


# --- what is deleted


def test_ranges_are_united_and_taken_away_unit_by_unit(rng: Random) -> None:
    for _ in range(300):
        one, other = ({(rng.choice((A, E)), rng.randrange(12)) for _ in range(8)} for _ in "ab")
        assert units(united([ranges(one), ranges(other)])) == one | other
        left = without(ranges(one), ranges(other))
        assert units(left) == one - other
        for _, found in united([ranges(one), ranges(other)]):
            assert all(sum(before) < after[0] for before, after in pairwise(found))


def ranges(units: set[tuple[int, int]]) -> Any:
    return united([((client, ((clock, 1),)),) for client, clock in sorted(units)])


def units(deletions: Any) -> set[tuple[int, int]]:
    return {
        (client, clock)
        for client, found in deletions
        for start, length in found
        for clock in range(start, start + length)
    }


# --- how much somebody holds


def test_a_state_is_read_as_it_is_written() -> None:
    state = {A: 5, E: 0, 1: form.CLOCK_MAX}
    assert read_state(write_state(state)) == state
    assert read_state(pycrdt.Doc().get_state()) == {}


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\x01", b"\x01\x05", b"\x00\x00", b"\x02\x05\x01\x05\x02"),
        *(b"\xff\xff\x7f\x01\x01", write_state({1: form.CLOCK_MAX + 1})),
    ],
)
def test_what_is_no_state_is_malformed(data: bytes) -> None:
    with pytest.raises(UpdateInvalid):
        read_state(data)


# --- what is said again


def test_what_was_said_before_is_passed_over_and_deletions_are_not() -> None:
    first = string("aé😀b", origin=(E, 0), right=(E, 1))
    told = read_update(update(A, 3, first, struct(form.GC, 2), deletes=((E, 0, 1),)))
    assert said_anew(told, 3) == said_anew(told, 0) == told
    assert said_anew(told, 10) == said_anew(told, 11) == Update(-1, -1, (), told.deletions)
    for clock, text in ((4, "é😀b"), (5, "😀b"), (7, "b")):
        rest = string(text, origin=(A, clock - 1), right=(E, 1))
        left = update(A, clock, rest, struct(form.GC, 2), deletes=((E, 0, 1),))
        assert said_anew(told, clock) == read_update(left)
    assert said_anew(told, 9).structs == (struct(form.GC, 1),)
    gone = read_update(update(A, 0, struct(form.DELETED, 3, parent="content")))
    assert said_anew(gone, 2).structs == (struct(form.DELETED, 1, origin=(A, 1)),)


def test_what_cannot_be_parted_is_not() -> None:
    values = struct(form.ANY, 2, body=b"\x02\x78\x78")
    for told, clock in ((string("a😀b"), 2), (values, 1)):
        with pytest.raises(UpdateInvalid):
            said_anew(read_update(update(A, 0, told)), clock)
