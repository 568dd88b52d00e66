"""Facts keep four bytes of an update's id, and take no other update for it."""

from __future__ import annotations

import gc
import tracemalloc
from hashlib import sha256

import pytest

from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.kept_facts import dump_facts, load_facts
from p2pvalue_protocol.documents.op_ids import OpIds
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.verdict import Applies, Waits
from tests.documents.by_hand import ANA, DOCUMENT, EVA, KIM, StoredIds, client, string, update

LETTERS = 4_000
KEPT_BYTES_MAX = 6  # of a letter
MEMORY_BYTES_MAX = 48


def ids_of(*op_ids: bytes) -> OpIds:
    stored = StoredIds()
    ids = OpIds(1, stored)
    for seq, op_id in enumerate(op_ids):
        stored[1, seq] = op_id
        ids.append(op_id, seq, is_stored=True)
    return ids


def test_an_id_is_found_among_others_that_begin_alike() -> None:
    alike = [b"same" + bytes([number]) * 28 for number in range(4)]
    ids = ids_of(*alike[:3], b"last" * 8)
    for place, op_id in enumerate(alike[:3]):
        assert ids.find(op_id) == place
        assert ids[place] == op_id
    assert ids.find(alike[3]) is None
    assert ids.find(b"last" * 8) == 3


def test_bytes_of_two_neighbours_are_no_id() -> None:
    ids = ids_of(b"abcd" * 8, b"efgh" * 8, b"last" * 8)
    assert ids.find(b"cdef" * 8) is None


def test_an_update_that_is_not_stored_is_not_asked_for() -> None:
    ids = OpIds(1, StoredIds())
    ids.append(b"made up 1".ljust(32), 2**50, is_stored=False)
    ids.append(b"made up 2".ljust(32), 2**50 + 1, is_stored=False)
    assert ids[0] == ids.anchor(0) == b"made up 1".ljust(32)
    ids.identify(b"made up 2".ljust(32), b"2" * 32, 8)
    assert ids[1] == b"2" * 32
    ids.identify(b"made up 1".ljust(32), b"1" * 32, 7)
    assert ids[1] == b"2" * 32

    with pytest.raises(KeyError):
        ids.place_of(9)


def test_an_id_that_is_given_late_leaves_the_others_in_their_places() -> None:
    stored = StoredIds({(1, 7): b"1" * 32, (1, 8): b"last" * 8})
    ids = OpIds(1, stored)
    ids.append(b"made up 1".ljust(32), 2**50, is_stored=False)
    ids.append(b"last" * 8, 8, is_stored=True)
    ids.identify(b"made up 1".ljust(32), b"1" * 32, 7)
    assert [ids.find(op_id) for op_id in (b"1" * 32, b"last" * 8)] == [0, 1]
    assert ids.find(b"made up 1".ljust(32)) is None


def test_a_head_that_begins_like_an_update_is_waited_for() -> None:
    ids = StoredIds()
    facts = Facts(DOCUMENT, "plain", ids)
    for seq in range(2):
        op_id = b"same" + bytes([seq]) * 28
        letter = string("a", origin=(client(ANA), seq - 1)) if seq else string("a")
        facts.take(
            ids.store(Placement(op_id, ANA, 1, seq)), 0, (), update(client(ANA), seq, letter)
        )
    other = b"same" + b"\xff" * 28
    follows = update(client(EVA), 0, string("e", origin=(client(ANA), 0)))
    assert facts.take(Placement(b"e" * 32, EVA, 2, 0), 0, (other,), follows) == Waits(other)


def id_of(branch: int, seq: int) -> bytes:
    return sha256(b"%d %d" % (branch, seq)).digest()


def typed(letters: int) -> Facts:
    """Facts of two who write in turns, a hundred letters each, each letter an update."""
    facts = Facts(DOCUMENT, "plain", id_of)
    origin: tuple[int, int] | None = None
    for number in range(letters):
        turn, at = divmod(number, 100)
        device = (ANA, EVA)[turn % 2]
        clock = turn // 2 * 100 + at
        name = client(device)
        heads = facts.frontier(device[0])
        placement = Placement(id_of(device[0], clock), device, device[0], clock)
        letter = string("x") if origin is None else string("x", origin=origin)
        verdict = facts.take(placement, 0, heads, update(name, clock, letter))
        assert isinstance(verdict, Applies)
        assert verdict.inserted == (name, clock, clock + 1)
        origin = name, clock
    return facts


def test_a_letter_takes_few_bytes_of_memory_and_of_what_is_kept() -> None:
    typed(LETTERS)
    tracemalloc.start()
    facts = typed(LETTERS)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / LETTERS < MEMORY_BYTES_MAX
    assert facts.claims.runs == LETTERS // 100
    kept = dump_facts(facts)
    assert len(kept) / LETTERS < KEPT_BYTES_MAX
    again = load_facts(kept, id_of)
    assert again.frontier(None) == facts.frontier(None) != ()


def test_facts_that_are_closed_leave_nothing_to_be_looked_for() -> None:
    facts = typed(LETTERS)
    gc.collect()
    facts.close()
    del facts
    assert gc.collect() == 0


def test_thousands_of_old_updates_can_be_named() -> None:
    facts = typed(1_200)
    for number, seq in [(ANA[0], seq) for seq in range(600)]:
        placement = Placement(id_of(3, seq), KIM, 3, seq)
        verdict = facts.take(placement, 0, (id_of(number, seq),), b"\x00\x00")
        assert isinstance(verdict, Applies)
        assert facts.branches[3].foreign[number] == seq + 1


def test_facts_that_were_kept_know_what_each_update_knew() -> None:
    facts = typed(450)
    again = load_facts(dump_facts(facts), id_of)
    for number, branch in facts.branches.items():
        for place in range(len(branch.ids)):
            assert again.branches[number].known_at(place) == branch.known_at(place)
            assert branch.known.at(place) == branch.known_at(place)
