"""The logs of who was removed: listed by nobody, stored no further, and asked for by name."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import removal
from p2pvalue_protocol.errors import NotAdmitted, Reason
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import NONCE, key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    admitted,
    auth_log,
    by_hand,
    device_added,
    founded,
    frontier_of,
    genesis_of,
    invited,
    joined,
    logs_listed,
    own_runs,
    run_of,
)

BEN = key_named("ben root").public
BENS = key_named("ben device").public


@pytest.fixture
def ben(ana: Copy) -> Copy:
    """A member who wrote two messages that everybody has."""
    made = joined(ana, "ben")
    made.say("one", "two")
    made.give(ana)
    return made


def put_out(by: Copy) -> None:
    by.write(removal.removal_draft(by.replica, BEN))


def test_the_logs_of_the_removed_are_in_no_heads_and_what_was_kept_stays_visible(
    ana: Copy, ben: Copy
) -> None:
    assert (BENS, CONTENT) in logs_listed(ana)
    put_out(ana)
    assert not {(BENS, AUTH), (BENS, CONTENT)} & logs_listed(ana)
    assert ana.texts() == ["one", "two"]


def test_who_named_places_far_ahead_in_her_own_log_writes_on_in_vain(ana: Copy, ben: Copy) -> None:
    log = Chain(key_named("ben device"), ben.community, CONTENT, content_log(ben))
    log.say("first", parents=[Reference(BENS, AUTH, 1 << 40, bytes(32))])
    ana.take(log.run())
    assert ana.replica.missing() == [Reference(BENS, AUTH, 1 << 40, bytes(32))]
    put_out(ana)
    assert ana.replica.missing() == []
    written = auth_log(ben, "ben")
    more = [written.add(kind=auth.AUTH_SEEN) for _ in range(100)]
    ana.take(written.run())
    assert not any(ana.replica.held(op.reference) for op in more)


def content_log(copy: Copy) -> list[Operation]:
    device = copy.replica.device
    head = next(h for h in copy.replica.heads() if (h.device, h.log_class) == (device, CONTENT))
    return copy.log_of(head)


def test_what_is_written_after_a_removal_is_not_stored_and_nobody_is_to_blame(
    ana: Copy, ben: Copy
) -> None:
    put_out(ana)
    stored = ana.store.figures().operations
    ben.say("three")
    ben.write(Draft(auth.AUTH_SEEN, b"", b""))
    receipt = ana.take(*ben.runs())
    assert set(receipt.refused) == {(Reason.UNKNOWN_AUTHOR, False)}
    assert ana.store.figures().operations == stored
    assert ana.texts() == ["one", "two"]


def test_what_the_remover_had_not_seen_goes_from_the_views_of_who_had(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    ben.say("three")
    cem.take(*ben.runs())
    put_out(ana)
    assert cem.texts() == ["one", "two", "three"]
    ana.give(cem)
    assert cem.texts() == ["one", "two"]
    assert cem.replica.heads() == ana.replica.heads()


def test_what_an_honest_member_had_named_is_asked_for_by_name_and_no_more(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    (three,) = ben.say("three")
    cem.take(*ben.runs())
    cem.say("an answer")
    ben.say("four")
    put_out(ana)
    ana.take(*own_runs(cem))
    assert ana.replica.missing() == [three]
    assert ana.texts() == ["one", "two"]
    runs, _ = cem.replica.runs_wanted(three, 0, 100_000)
    ana.take(*runs)
    assert ana.replica.missing() == []
    assert ana.texts() == ["one", "two", "an answer"]
    receipt = ana.take(*ben.runs())
    assert receipt.stored == 0
    assert ana.texts() == ["one", "two", "an answer"]


def test_a_newcomer_asks_by_name_for_what_was_kept(ana: Copy, ben: Copy) -> None:
    put_out(ana)
    reader = Copy(ana.community)
    reader.take(*ana.runs())
    named = reader.replica.missing()
    heads = [head for head in ben.replica.heads() if head.device == BENS]
    while named:
        for reference in named:
            runs, _ = ana.replica.runs_wanted(reference, 0, 100_000)
            assert reader.take(*runs).stored
        named = reader.replica.missing()
    assert all(reader.replica.held(head) for head in heads)
    assert reader.seen() == ana.seen()


def test_a_log_that_is_cut_off_is_served_no_further_than_what_is_named(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    two = next(h for h in ben.replica.heads() if (h.device, h.log_class) == (BENS, CONTENT))
    put_out(ana)
    ben.say("three")
    cem.take(*ben.runs())
    ana.give(cem)
    runs, rest = cem.replica.runs_wanted(two, 0, 100_000)
    assert [run.first_seq + len(run.items) for run in runs] == [two.seq + 1]
    assert rest is None
    stranger = Reference(BENS, CONTENT, 9, bytes(32))
    assert cem.replica.runs_wanted(stranger, 0, 100_000) == ([], None)


def test_a_named_operation_far_along_brings_in_what_leads_to_it(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    log = by_hand(ana, "ben")
    log = Chain(log.key, ana.community, CONTENT, ana.log_of(content_head(ana)))
    for number in range(600):
        log.say(f"message {number}")
    cem.take(log.run(2, 201), log.run(202, 401), log.run(402))
    cem.say("an answer")
    put_out(ana)
    ana.take(*own_runs(cem))
    (named,) = ana.replica.missing()
    assert ana.take(log.run(2, 201)).stored == 200
    assert ana.take(log.run(202, 401)).stored == 200
    assert ana.take(log.run(402)).stored == 200
    assert ana.replica.held(named)
    assert ana.texts() == ["one", "two", "an answer"]


def content_head(copy: Copy) -> Reference:
    (head,) = [h for h in copy.replica.heads() if (h.device, h.log_class) == (BENS, CONTENT)]
    return head


def test_writers_name_nothing_of_a_log_that_is_cut_off_but_what_was_kept(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    (three,) = ben.say("three")
    seen = ben.write(Draft(auth.AUTH_SEEN, b"", b""))[0]
    cem.take(*ben.runs())
    put_out(ana)
    ana.give(cem)
    (said,) = cem.say("hello")
    (written,) = cem.write(Draft(auth.AUTH_SEEN, b"", b""))
    named = {p.op_id for op in cem.log_of(said) + cem.log_of(written) for p in op.core.parents}
    assert not named & {three.op_id, seen.op_id}
    ana.take(*cem.runs())
    assert ana.replica.missing() == []
    assert ana.texts() == ["one", "two", "hello"]


def test_who_is_put_out_can_write_nothing_more_here(ana: Copy, ben: Copy) -> None:
    put_out(ana)
    ana.give(ben)
    with pytest.raises(NotAdmitted, match="removed"):
        ben.say("three")
    with pytest.raises(NotAdmitted, match="removed"):
        ben.write(Draft(auth.AUTH_SEEN, b"", b""))


def test_who_leaves_is_not_cut_off(ana: Copy, ben: Copy) -> None:
    ben.write(removal.leave_draft(ben.replica))
    ben.give(ana)
    assert {(BENS, AUTH), (BENS, CONTENT)} <= logs_listed(ana)
    assert ana.texts() == ["one", "two"]


def test_who_comes_back_is_listed_again_with_all_she_wrote(ana: Copy, ben: Copy, cem: Copy) -> None:
    ben.say("three")
    cem.take(*ben.runs())
    put_out(ana)
    ana.give(cem)
    ana.take(*cem.runs())
    assert ana.texts() == ["one", "two"]
    ana.write(removal.return_draft(ana.replica, BEN, auth.MEMBER))
    ana.take(*ben.runs())
    ana.give(ben, cem)
    ben.say("four")
    ana.take(*ben.runs())
    assert (BENS, CONTENT) in logs_listed(ana)
    assert ana.texts() == ["one", "two", "four"]  # three was in no keep


def test_a_removed_device_may_still_bring_the_words_of_its_person(ana: Copy, ben: Copy) -> None:
    """The thief has her oldest device, and took the younger one away from her with it."""
    younger = device_added(ana.community, genesis_of(ana), "ben too", person="ben")
    ben.store_first(younger)
    ben.write(Draft(auth.AUTH_SEEN, b"", b""))
    ana.take(*ben.runs())
    too = Copy(ana.community, key_named("ben too device"))
    too.take(*ben.runs())
    thief = ana
    thief.write(removal.device_removal_draft(thief.replica, BEN, younger.core.device))
    assert not ana.replica.membership.is_live(younger.core.device)
    root = key_named("ben root")
    too.write(removal.device_removal_by_words(too.replica, root, BENS))
    log = auth_log(too, "ben too")
    assert ana.take(log.run()).stored == 1
    assert not ana.replica.membership.is_live(BENS)


def test_a_device_taken_by_words_that_itself_brought_is_told_of_and_reads_nothing_new() -> None:
    ana = founded(read=auth.READ_MEMBERS)
    ben, cem = joined(ana, "ben"), joined(ana, "cem")
    ana.give(ben, cem)
    words = removal.device_removal_by_words(ben.replica, key_named("ben root"), BENS)
    log = auth_log(ben, "ben")
    heads = [tip for tip in frontier_of(ben) if tip.log_class == AUTH and tip.device != BENS]
    log.add(words.payload, kind=auth.DEV_REVOKE, parents=heads)
    ana.take(log.run())
    assert not ana.replica.membership.is_live(BENS)
    ana.say("we go on")
    [epoch] = ana.replica.epochs.usable()
    read_by = ana.replica.membership.devices_at(epoch.frontier)
    assert BENS not in {device.device for device in read_by}
    cem.take(*own_runs(ana))
    for reference in cem.replica.missing():
        cem.take(*ana.replica.runs_wanted(reference, 0, 100_000)[0])
    cem.learn(ana)
    assert not cem.replica.membership.is_live(BENS)
    assert cem.texts() == ["we go on"]


def test_each_word_of_a_root_about_her_device_is_told_of(ana: Copy) -> None:
    """They may keep different things, and none of them ends with the standing of who brought it."""
    ben, cem = joined(ana, "ben"), joined(ana, "cem")
    ana.give(ben, cem)
    log = auth_log(ben, "ben")
    heads = [tip for tip in frontier_of(ben) if tip.log_class == AUTH and tip.device != BENS]
    said = []
    for seen in ((), tuple(sorted(head.op_id for head in heads))):
        signed = key_named("ben root").sign(auth.revocation_message(NONCE, BEN, BENS, seen, ()))
        words = auth.dev_revoke_payload(BEN, BENS, signed, seen)
        said.append(log.add(words, kind=auth.DEV_REVOKE, parents=heads))
    ana.take(log.run())
    ana.say("we go on")
    cem.take(*own_runs(ana))
    for reference in cem.replica.missing():
        cem.take(*ana.replica.runs_wanted(reference, 0, 100_000)[0])
    assert {word.op_id for word in said} <= cem.replica.auth_references.keys()


def test_garbage_in_the_auth_log_of_a_removed_device_is_refused(ana: Copy, ben: Copy) -> None:
    put_out(ana)
    log = auth_log(ben, "ben")
    root = key_named("ben root")
    for number in range(3):
        certificate = root.sign(b"not what it should be %d" % number)
        payload = auth.dev_revoke_payload(BEN, BENS, certificate)
        log.add(payload, kind=auth.DEV_REVOKE, parents=[])
    assert ana.take(log.run(len(log.operations) - 3)).stored == 0
    assert frontier_of(ana)


def test_an_epoch_of_the_removed_is_asked_for_by_name_where_others_wrote_under_it() -> None:
    ana = founded(read=auth.READ_MEMBERS)
    ben, cem = joined(ana, "ben"), joined(ana, "cem")
    ana.give(ben, cem)
    ben.replica.begin()
    ben.replica.renew(NOW_MS)
    ben.commit()
    epoch = ben.replica.epochs.records.deepest_first()[0].epoch
    cem.take(*ben.runs())
    cem.say("under the epoch of ben")
    put_out(ana)
    ana.take(*own_runs(cem))
    (named,) = ana.replica.missing()
    assert named.op_id == epoch
    ana.take(*cem.replica.runs_wanted(named, 0, 100_000)[0])
    assert ana.texts() == ["under the epoch of ben"]


def test_whom_the_removed_let_in_by_anothers_invite_names_her_admission(
    ana: Copy, ben: Copy
) -> None:
    invite = invited(ana)
    ana.give(ben)
    admitted(ben, "dee", invite)
    dee = Copy(ben.community, key_named("dee device"), None, "dee")
    ben.give(dee)
    put_out(ana)
    ana.give(dee)
    assert not dee.replica.membership.is_live(BENS)
    assert dee.replica.membership.is_live(key_named("dee device").public), "it is ana's invite"
    dee.say("here")
    assert dee.texts() == ["one", "two", "here"], "what she writes knows that she is in"


def test_one_let_in_by_the_removed_makes_an_epoch_that_is_valid() -> None:
    ana = founded(read=auth.READ_MEMBERS)
    ben = joined(ana, "ben")
    invite = invited(ana)
    ana.give(ben)
    admitted(ben, "dee", invite)
    dee = Copy(ben.community, key_named("dee device"), None, "dee")
    dee.learn(ben)
    ben.give(dee)
    put_out(ana)
    ana.give(dee)
    dee.say("here")
    assert dee.texts() == ["here"]


def test_a_device_that_only_the_removed_named_is_known_by_what_others_write() -> None:
    ana = founded(read=auth.READ_MEMBERS)
    ben, cem = joined(ana, "ben"), joined(ana, "cem")
    ana.give(ben)
    added = device_added(ana.community, genesis_of(ana), "cem's new", "cem")
    ben.store_first(added)
    ben.write(Draft(auth.AUTH_SEEN, b"", b""))
    ben.give(cem)
    put_out(ana)
    ana.give(cem)
    new = key_named("cem's new device").public
    assert cem.replica.membership.is_live(new)
    (written,) = cem.say("here")
    place = cem.replica.branches.find(written)
    assert place is not None
    _, frontier = cem.replica.branches.time_and_frontier(place.branch, written.seq)
    devices = cem.replica.membership.devices_at(frontier)
    assert new in {found.device for found in devices}, "an epoch made there is sealed to it"


def test_a_new_device_of_a_member_is_taken_though_what_named_it_is_not(
    ana: Copy, ben: Copy
) -> None:
    genesis = genesis_of(ana)
    added = device_added(ana.community, genesis, "ben's new", "ben")
    stranger = device_added(ana.community, genesis, "sam")
    forged = device_added(ana.community, genesis, "sam's", "ben")
    forged_by = Chain(key_named("sam device"), ana.community, AUTH)
    forged_by.add(forged.payload or b"", kind=auth.DEV_ADD, parents=[genesis.reference])
    ana.write(removal.device_removal_draft(ana.replica, BEN, BENS))
    runs = [run_of([op]) for op in (added, stranger)] + [forged_by.run()]
    assert [ana.take(run).stored for run in runs] == [1, 0, 0]
    assert ana.replica.membership.is_live(key_named("ben's new device").public)
    put_out(ana)
    another = device_added(ana.community, genesis, "ben's last", "ben")
    assert ana.take(run_of([another])).refused == ((Reason.UNKNOWN_AUTHOR, False),)


def test_who_was_let_in_by_the_removed_becomes_known_to_who_heard_of_the_removal_first(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    invite = invited(ana)
    ana.give(ben, cem)
    admitted(ben, "dee", invite)
    ben.give(cem)
    put_out(ana)
    ana.give(cem)
    dee = key_named("dee device").public
    assert cem.replica.membership.is_live(dee)
    assert ana.take(*ben.runs()).stored == 0, "nobody named it, so nobody asks for it"
    cem.write(Draft(auth.AUTH_SEEN, b"", b""))
    cem.give(ana)
    assert [(r.device, r.log_class) for r in ana.replica.missing()] == [(BENS, AUTH)]
    ben.give(ana)
    cem.give(ana)
    assert ana.replica.membership.is_live(dee)
