"""The views are made of the operations and of nothing else."""

from __future__ import annotations

import pytest

from p2pvalue.store import Store, fold_waiting
from p2pvalue_protocol.auth_payloads import READ_MEMBERS
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.past import Batch, StateRow
from p2pvalue_protocol.replica import Replica
from tests.protocol.replicas import Copy, founded
from tests.store.chains import PLEDGE, subject_named


@pytest.fixture
def copy(store: Store) -> Copy:
    """Return a real community with a founder who talks."""
    founder = founded(open_store=lambda: store)
    for number in range(20):
        founder.say(f"message {number}", f"and another {number}")
    return founder


def test_views_folded_again_are_the_same(copy: Copy) -> None:
    seen, texts = copy.seen(), copy.texts()
    copy.store.clear_views(copy.community)
    assert copy.store.figures().entries == 0
    done: list[tuple[int, int]] = []
    fold_waiting(copy.store, copy.community, lambda *counts: done.append(counts))
    assert done[-1] == (41, 41)
    assert copy.store.figures().waiting == 0
    again = Copy(copy.community, copy.signer, lambda: copy.store)
    assert (again.seen(), again.texts()) == (seen, texts)
    again.say("goes on")
    assert again.texts() == [*texts, "goes on"]


def test_folding_again_goes_on_where_it_was_interrupted(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue_protocol.ladder._FOLDS_PER_INPUT_MAX", 5)
    seen = copy.seen()
    copy.store.clear_views(copy.community)
    for _ in range(3):  # three inputs of a process that then dies
        replica = Replica(copy.community, copy.store.past(copy.community), signer=None)
        copy.store.commit([replica.finish()])
    assert 0 < copy.store.figures().waiting < copy.store.figures().operations
    fold_waiting(copy.store, copy.community)
    assert Copy(copy.community, copy.signer, lambda: copy.store).seen() == seen


def test_verify_finds_views_that_are_not_what_the_operations_fold_to(copy: Copy) -> None:
    store, community = copy.store, copy.community
    assert store.verify(deep=True).faults == ()
    row = StateRow(subject_named("no"), PLEDGE, NO_SUBJECT, 1, bytes(32), 0, bytes(32), b"made up")
    store.commit([Batch(community, states=[row])])
    assert store.verify(deep=False).faults == ()
    (fault,) = store.verify(deep=True).faults
    assert (fault.community, fault.place) == (community, "views")
    store.clear_views(community)
    fold_waiting(store, community)
    assert store.verify(deep=True).faults == ()


def test_sealed_content_is_verified_and_folded_again_with_the_keys_kept(store: Store) -> None:
    copy = founded(open_store=lambda: store, read=READ_MEMBERS)
    copy.say("for members", "and for them alone")
    seen = copy.seen()
    assert store.verify(deep=True).faults == ()
    store.clear_views(copy.community)
    fold_waiting(store, copy.community)
    assert store.verify(deep=True).faults == ()
    again = Copy(copy.community, copy.signer, lambda: store, copy.name)
    assert again.seen() == seen
    assert again.texts() == ["for members", "and for them alone"]
    again.say("goes on")
    assert again.texts()[-1] == "goes on"
