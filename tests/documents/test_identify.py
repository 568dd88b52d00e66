"""An update that is judged before it has an id counts afterwards as if it always had it."""

from __future__ import annotations

from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.verdict import Applies, Waits
from tests.documents.by_hand import ANA, DOCUMENT, EVA, StoredIds, client, string, update

MADE_UP, REAL, OTHER = b"m" * 32, b"r" * 32, b"o" * 32
HELLO = update(client(ANA), 0, string("hello"))
WORLD = update(client(EVA), 0, string("!", origin=(client(ANA), 4)))


def test_what_got_its_id_late_is_named_and_followed_by_it() -> None:
    facts = Facts(DOCUMENT, "plain", StoredIds())
    assert isinstance(
        facts.take(Placement(MADE_UP, ANA, 1, 2**50), 0, (), HELLO, is_stored=False), Applies
    )
    facts.identify(MADE_UP, Placement(REAL, ANA, 1, 7))
    assert facts.frontier(None) == (REAL,)
    assert isinstance(facts.take(Placement(OTHER, EVA, 2, 0), 0, (REAL,), WORLD), Applies)
    more = update(client(ANA), 5, string("?", origin=(client(ANA), 4)))
    assert isinstance(facts.take(Placement(b"n" * 32, ANA, 1, 8), 0, (), more), Applies)


def test_who_waits_for_the_id_is_released_when_it_is_known() -> None:
    facts = Facts(DOCUMENT, "plain", StoredIds())
    assert facts.take(Placement(OTHER, EVA, 2, 0), 0, (REAL,), WORLD) == Waits(REAL)
    facts.take(Placement(MADE_UP, ANA, 1, 2**50), 0, (), HELLO, is_stored=False)
    assert facts.release() == []
    facts.identify(MADE_UP, Placement(REAL, ANA, 1, 7))
    (released,) = facts.release()
    assert released.placement.op_id == OTHER
    assert isinstance(released.verdict, Applies)


def test_names_after_a_fork_are_those_of_the_ids_that_came_late() -> None:
    first = Placement(b"\x01" * 32, ANA, 1, 0)

    def forked(facts: Facts, second: bytes) -> None:
        facts.take(first, 0, (), HELLO)
        placement, data = Placement(second, ANA, 2, 0), update(client(ANA), 0, string("other"))
        facts.take(placement, 0, (), data, is_stored=second != MADE_UP)

    at_once, late = Facts(DOCUMENT, "plain", StoredIds()), Facts(DOCUMENT, "plain", StoredIds())
    low = bytes(32)
    forked(at_once, low)
    forked(late, MADE_UP)
    before = late.renamings
    late.identify(MADE_UP, Placement(low, ANA, 2, 0))
    assert late.renamings == before + 1
    other = update(client(ANA), 0, string("other"))
    for placement, data in ((first, HELLO), (Placement(low, ANA, 2, 0), other)):
        assert late.encode(placement, data) == at_once.encode(placement, data)
