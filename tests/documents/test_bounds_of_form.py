"""What an update says is refused where its bytes go past what they, or clocks, can hold."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.kept_facts import dump_facts, load_facts
from p2pvalue_protocol.documents.naming import naming_of
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.strands import Branch, Strand
from p2pvalue_protocol.documents.update_form import CLOCK_MAX, read_update
from p2pvalue_protocol.documents.verdict import Applies, VoidReason, Waits
from tests.documents.by_hand import (
    ANA,
    APPLIES,
    DOCUMENT,
    EVA,
    Scene,
    StoredIds,
    string,
    text_bytes,
    update,
)
from tests.documents.cases import HEAD, WORD, A, E, raw

IN_META = b"\x01" + text_bytes("meta") + text_bytes("k")
BINARY, ANY = (bytes((form.HAS_KEY | content,)) for content in (form.BINARY, form.ANY))
FORK = 9


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ((BINARY, IN_META, 1, b"x", 0), (BINARY, IN_META, 3, b"x", 0)),
        ((ANY, IN_META, 1, b"\x7f", 0), (ANY, IN_META, 99, b"\x7f", 0)),
        ((ANY, IN_META, 1, b"\x74\x01x", 0), (ANY, IN_META, 1, b"\x74\x09x", 0)),
    ],
    ids=["bytes", "values", "bytes-of-a-value"],
)
def test_what_ends_before_it_should_is_malformed(
    good: tuple[bytes | int, ...], bad: tuple[bytes | int, ...]
) -> None:
    assert Scene().give(ANA, raw(HEAD, *good)) == APPLIES
    assert Scene().give(ANA, raw(HEAD, *bad)) == VoidReason.MALFORMED


def test_a_length_beyond_all_clocks_is_too_large() -> None:
    assert Scene().give(ANA, raw(0, 1, A, 1, 0, CLOCK_MAX)) == VoidReason.DELETES_UNSEEN
    assert Scene().give(ANA, raw(0, 1, A, 1, 0, CLOCK_MAX + 1)) == VoidReason.TOO_LARGE


def test_a_typists_word_that_is_no_text_is_malformed() -> None:
    scene = Scene()
    scene.give(ANA, WORD)
    more = update(A, 3, string("d", origin=(A, 2)))
    assert scene.give(ANA, more.replace(b"\x01d", b"\x01\xff")) == VoidReason.MALFORMED


def test_a_typists_word_ends_with_its_update() -> None:
    word = update(A, 3, string("d", origin=(A, 2)))
    cut = (word[:-1], word[:-1] + b"\x01")  # without deletions, and with one that does not come
    spoilt = (word + b"\0", word.replace(b"\x01d", b"\x01dd"), *cut)
    for data, verdict in (word, APPLIES), *((bad, VoidReason.MALFORMED) for bad in spoilt):
        scene = Scene()
        scene.give(ANA, WORD)
        assert scene.give(ANA, data) == verdict


def test_a_typists_word_does_not_stand_behind_itself() -> None:
    scene = Scene()
    scene.give(ANA, WORD)
    assert scene.give(ANA, update(A, 3, string("d", origin=(A, 3)))) == VoidReason.UNSEEN


def test_a_typist_cannot_go_on_beyond_the_last_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("strands", "update_form"):
        monkeypatch.setattr(f"p2pvalue_protocol.documents.{module}.CLOCK_MAX", 4)
    scene = Scene()
    scene.give(ANA, WORD)
    assert scene.give(ANA, update(A, 3, string("d", origin=(A, 2)))) == APPLIES
    assert scene.give(ANA, update(A, 4, string("e", origin=(A, 3)))) == VoidReason.TOO_LARGE


def test_a_log_that_goes_on_after_its_fork_did_shares_no_name_with_it() -> None:
    scene = Scene()
    scene.give(ANA, WORD)
    scene.fork(FORK, ANA, 0)
    for branch, letter in ((FORK, "d"), (None, "e")):
        more = update(A, 3, string(letter, origin=(A, 2)))
        assert scene.give(ANA, more, branch=branch, heads=()) == APPLIES
    word, fork, trunk = (
        read_update(scene.facts.encode(given.placement, given.data)) for given in scene.given
    )
    assert word.client == A
    assert (fork.client == A) != (trunk.client == A)


def test_a_branch_that_nothing_precedes_knows_of_no_other() -> None:
    scene = Scene()
    scene.fork(FORK, EVA, -1)
    assert FORK not in scene.facts.branches, "Eva wrote nothing before the fork"
    scene.give(ANA, WORD)
    scene.fork(FORK, ANA, -1)
    assert scene.give(ANA, WORD, branch=FORK, heads=()) == APPLIES
    assert scene.facts.branches[FORK].known.at(0) == {}


def test_what_a_past_lacks_cannot_be_named_though_two_claim_its_client() -> None:
    scene = Scene()
    scene.give(ANA, WORD)
    scene.fork(FORK, ANA, -1)
    scene.give(ANA, WORD, branch=FORK, heads=())
    unseen = update(E, 0, string("e", origin=(A, 2)))
    assert scene.give(EVA, unseen, heads=()) == VoidReason.UNSEEN


def test_facts_made_anew_release_whose_wait_is_over() -> None:
    ids = StoredIds()
    facts = Facts(DOCUMENT, "plain", ids)
    word, late = Placement(b"a" * 32, ANA, 1, 0), Placement(b"e" * 32, EVA, 2, 0)
    follows = update(E, 0, string("e", origin=(A, 2)))
    assert facts.take(late, 0, (word.op_id,), follows) == Waits(word.op_id)
    assert facts.awaited() == [word.op_id]
    facts.take(ids.store(word), 0, (), WORD)
    (released,) = load_facts(dump_facts(facts), ids).release()
    assert released.placement == late
    assert isinstance(released.verdict, Applies)


def test_a_name_that_is_taken_is_given_to_nobody_else() -> None:
    def strand(number: int) -> Strand:
        branch = Branch(number, ANA, StoredIds())
        branch.ids.append(bytes([number]) * 32, 0, is_stored=True)
        made = Strand(branch, 0, A, None, 0)
        made.ends.append(3)
        made.places.append(0)
        return made

    first, second = strand(1), strand(2)

    def name(taken: set[int]) -> int:
        naming = naming_of([[first, second]], lambda one: one.end, taken.__contains__)
        assert naming.called(first, 0) == (A, 0)
        return naming.called(second, 0)[0]

    usual = name(set())
    assert name({usual}) not in (usual, A)


@pytest.mark.parametrize(
    ("content", "body", "begins"),
    [
        (form.DELETED, b"\x02", -1),
        (form.STRING, text_bytes("ab"), -1),
        (form.ANY, b"\x01\x7f", -1),
        (form.BINARY, b"\x01x", -1),
        (form.EMBED, text_bytes("{}"), -1),
        (form.FORMAT, text_bytes("bold") + text_bytes("true"), -1),
        (form.TYPE, b"\x02", 2),
    ],
)
def test_only_a_struct_of_a_type_begins_one(content: int, body: bytes, begins: int) -> None:
    [struct] = form.read_update(
        raw(HEAD, bytes((content,)), b"\x01" + text_bytes("d"), body, 0)
    ).structs
    assert (struct.content, struct.type_ref) == (content, begins)


def test_what_is_gone_for_good_begins_nothing() -> None:
    [struct] = form.read_update(raw(HEAD, form.GC, 5, 0)).structs
    assert (struct.length, struct.type_ref) == (5, -1)
