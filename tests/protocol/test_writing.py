"""How our own device writes: place, parents, time, signatures, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from p2pvalue.store import SqliteStore
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import SEEN, card, chat, document, need
from p2pvalue_protocol.operation import Core, decode_core
from p2pvalue_protocol.removal import leave_draft
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    admitted,
    founded,
    frontier_of,
    genesis_of,
    invited,
    joined,
    run_of,
    said,
)


def core_of(copy: Copy, reference: Reference) -> Core:
    """The core of an operation held."""
    return copy.log_of(reference)[-1].core


def reader_of(copy: Copy) -> Copy:
    """A newcomer that takes everything a copy serves, all of it acceptable."""
    reader = Copy(copy.community)
    assert reader.take(*copy.runs()).refused == ()
    return reader


def big_update(size: int) -> Draft:
    """A document update of about that many bytes."""
    return Draft(document.UPDATE_NUMBER, b"d" * 16, document.encode_document_update(b"u" * size, 1))


def assert_write_refused(copy: Copy, draft: Draft, message: str) -> None:
    """Check that a write is refused with a message, and that nothing changed."""
    before = copy.seen(), frontier_of(copy)
    copy.replica.begin()
    with pytest.raises(LocalProtocolError, match=message):
        copy.replica.write([said("good"), draft], NOW_MS)
    assert copy.replica.finish().is_empty()
    copy.replica.begin()
    assert (copy.seen(), frontier_of(copy)) == before


# --- parents and time


def test_an_operation_names_the_frontier_and_no_more(ana: Copy) -> None:
    ben = joined(ana, "ben")
    (first,) = ana.say("one")
    ana.give(ben)
    (second,) = ben.say("two")
    assert core_of(ben, second).parents == (first,)
    (third,) = ben.say("three")
    assert core_of(ben, third).parents == ()
    assert frontier_of(ben) == [third]


def test_drafts_of_one_write_follow_each_other(ana: Copy) -> None:
    references = ana.say("one", "two", "three")
    assert [reference.seq for reference in references] == [0, 1, 2]
    assert ana.texts() == ["one", "two", "three"]
    assert core_of(ana, references[2]).backlink == references[1].op_id


def about(payload_of: Callable[[bytes], bytes]) -> Draft:
    """An update of the document that the draft before it makes."""
    return Draft(document.UPDATE_NUMBER, b"", b"", payload_of=payload_of)


def test_a_draft_is_about_what_the_last_draft_before_it_made_that_needs_no_other(ana: Copy) -> None:
    asked: list[bytes] = []

    def payload_of(subject: bytes) -> bytes:
        asked.append(subject)
        return document.encode_document_update(subject, 0)

    new = Draft(document.NUMBER, b"", document.encode_document("Plan"))
    written = ana.write(new, about(payload_of), about(payload_of), new, about(payload_of))
    subjects = [subject_of(reference.op_id) for reference in written]
    meant = [subjects[0], subjects[0], subjects[3]]
    assert [core_of(ana, written[at]).subject for at in (1, 2, 4)] == meant
    assert asked[-3:] == meant
    assert reader_of(ana).seen() == ana.seen()
    assert ana.store.entry_count(ana.community, subjects[0], document.UPDATE_NUMBER) == 2


def test_a_draft_whose_payload_no_subject_makes_valid_stops_the_write(ana: Copy) -> None:
    assert_write_refused(ana, about(lambda subject: subject), "no valid")


def test_time_follows_the_past_even_when_the_clock_does_not(ana: Copy) -> None:
    ben = joined(ana, "ben")
    (late,) = ana.say("late", now_ms=NOW_MS + 60_000)
    ana.give(ben)
    (answer,) = ben.say("answer", now_ms=NOW_MS)
    assert core_of(ben, answer).time == core_of(ben, late).time + 1
    (again,) = ben.say("again", now_ms=1)
    assert core_of(ben, again).time == core_of(ben, answer).time + 1


def test_a_frontier_wider_than_ten_is_gathered_by_seen_operations_first(ana: Copy) -> None:
    invite = invited(ana)
    names = [f"member {number}" for number in range(25)]
    for name in names:
        admitted(ana, name, invite)
    heads = frontier_of(ana)
    for name in names:
        log = Chain(key_named(f"{name} device"), ana.community)
        log.say(f"from {name}", parents=heads)
        ana.take(log.run())
    (reference,) = ana.say("heard you all")
    written = ana.log_of(reference)
    assert [op.core.kind for op in written] == [SEEN, SEEN, chat.NUMBER]
    assert SEEN == 66, "as the page of operations has it"
    assert all(len(op.core.parents) <= limits.PARENTS_MAX for op in written)
    assert frontier_of(ana) == [reference]
    assert reader_of(ana).texts() == ana.texts()


@pytest.mark.parametrize("tips", [10, 11])
def test_eleven_tips_are_one_more_than_an_operation_names(ana: Copy, tips: int) -> None:
    invite = invited(ana)
    names = [f"member {number}" for number in range(tips)]
    for name in names:
        admitted(ana, name, invite)
    heads = frontier_of(ana)
    for name in names:
        log = Chain(key_named(f"{name} device"), ana.community)
        log.say(f"from {name}", parents=heads)
        ana.take(log.run())
    assert len(frontier_of(ana)) == tips
    (reference,) = ana.say("heard you all")
    kinds = [op.core.kind for op in ana.log_of(reference)]
    assert kinds == [SEEN] * (tips - limits.PARENTS_MAX) + [chat.NUMBER]


def test_a_wide_auth_frontier_is_gathered_too(ana: Copy) -> None:
    invite = invited(ana)
    for number in range(25):
        admitted(ana, f"member {number}", invite)
    for number in range(25):
        log = Chain(key_named(f"member {number} device"), ana.community, AUTH)
        log.operations = [genesis_of(ana)]
        (head,) = [
            h for h in ana.replica.heads() if (h.device, h.log_class) == (log.key.public, AUTH)
        ]
        log.operations = ana.log_of(head)
        log.add(kind=auth.AUTH_SEEN)
        ana.take(log.run())
    written = invited(ana)
    kinds = [op.core.kind for op in ana.log_of(written)]
    assert kinds[-4:] == [auth.ADMIT, auth.AUTH_SEEN, auth.AUTH_SEEN, auth.INVITE]
    assert ana.replica.graph.heads() == [written.op_id]
    ana.say("goes on")
    assert reader_of(ana).seen() == ana.seen()


# --- signatures


def test_the_head_is_signed_when_it_leaves_and_not_before(ana: Copy) -> None:
    references = ana.say(*(f"{number}" for number in range(130)))
    signed = [op.core.seq for op in ana.log_of(references[-1]) if op.signature]
    assert signed == [63, 127]
    ana.runs()
    signed = [op.core.seq for op in ana.log_of(references[-1]) if op.signature]
    assert signed == [63, 127, 129]
    assert reader_of(ana).seen() == ana.seen()


def test_an_unsigned_tail_survives_a_restart_and_is_signed_without_a_fork(tmp_path: Path) -> None:
    def opened() -> SqliteStore:
        return SqliteStore(tmp_path / "store.db", durability="kill")

    ana = founded(open_store=opened)
    ana.say("one", "two")
    ana.restart()
    ana.say("three")
    ana.restart()
    assert reader_of(ana).texts() == ["one", "two", "three"]
    ana.restart()
    ana.say("four")
    reader = reader_of(ana)
    assert reader.seen() == ana.seen()
    assert len([h for h in reader.replica.heads() if h.log_class == CONTENT]) == 1
    ana.store.close()


@pytest.mark.parametrize("sizes", [[62_000] * 5, [20_000, 62_000], [10_000] * 20, [32_000] * 9])
def test_payloads_of_any_size_leave_no_stretch_that_cannot_be_served(
    ana: Copy, sizes: list[int]
) -> None:
    for size in sizes:
        ana.write(big_update(size))
    ana.write(*(big_update(size) for size in sizes))
    assert reader_of(ana).seen() == ana.seen()


def test_a_restart_does_not_let_an_unsigned_stretch_grow_too_long(ana: Copy) -> None:
    for _ in range(4):
        ana.write(big_update(20_000))
        ana.restart()
        ana.write(big_update(62_000))
        ana.restart()
    assert reader_of(ana).seen() == ana.seen()


# --- refused


def test_a_reader_writes_nothing(ana: Copy) -> None:
    reader = reader_of(ana)
    with pytest.raises(NotAdmitted, match="only reads here: join with an invite"):
        reader.say("hello?")


def test_a_device_that_is_not_admitted_writes_no_content(ana: Copy) -> None:
    stranger = Copy(ana.community, key_named("eve device"))
    stranger.take(*ana.runs())
    assert_write_refused(stranger, said("hello?"), "not admitted here yet")


def test_who_left_is_told_how_to_come_back(ben: Copy) -> None:
    ben.write(leave_draft(ben.replica))
    assert_write_refused(ben, said("hello?"), "who is in can let you in again")


def test_a_rank_too_weak_is_told_so_and_nothing_changes(ana: Copy) -> None:
    ben = joined(ana, "ben")
    draft = Draft(card.NUMBER, b"", card.encode_card("Ben's now"))
    assert_write_refused(ben, draft, "your rank in this community may not write this")


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        (Draft(chat.NUMBER, b"", bytes(65_537)), "65,537 bytes long; 65,536 fit"),
        (Draft(chat.NUMBER, b"", b"\xc1"), "no valid chat: nothing was written"),
        (Draft(need.NUMBER, b"", need.encode_need_change(title="x")[:-1]), "no valid need"),
        (Draft(chat.NUMBER, b"short", said("x").payload), "subject"),
        (Draft(chat.NUMBER, b"seventeen letters", said("x").payload), "subject"),
        (Draft(auth.AUTH_SEEN, b"", b""), "one class"),
        (Draft(300, b"", b""), "kind"),
    ],
)
def test_a_bad_draft_spoils_the_whole_write_and_changes_nothing(
    ana: Copy, draft: Draft, message: str
) -> None:
    ben = joined(ana, "ben")
    ben.say("tip")
    ben.give(ana)
    assert_write_refused(ana, draft, message)
    ana.say("goes on")


def test_what_nobody_named_yet_is_named_after_a_restart(ana: Copy) -> None:
    ben = joined(ana, "ben")
    ben.say("one")
    ben.give(ana)
    before = frontier_of(ana)
    ana.restart()
    assert frontier_of(ana) == before
    assert [head.device for head in before] == [key_named("ben device").public]


def test_a_write_of_nothing_is_refused(ana: Copy) -> None:
    with pytest.raises(LocalProtocolError, match="at least one"):
        ana.write()


@pytest.mark.parametrize("kind", [auth.GENESIS, 11, 31])
def test_an_auth_kind_that_peers_would_refuse_or_park_is_not_written(ana: Copy, kind: int) -> None:
    before = ana.seen()
    with pytest.raises(LocalProtocolError, match="kind"):
        ana.write(Draft(kind, b"", b""))
    assert ana.seen() == before


def test_a_log_that_was_forked_elsewhere_refuses_to_go_on(ana: Copy) -> None:
    (reference,) = ana.say("one")
    ana.runs()
    copied = Chain(key_named("ana device"), ana.community, before=ana.log_of(reference))
    fork = copied.branch(0)
    fork.say("from the other machine", parents=[genesis_of(ana).reference])
    ana.take(fork.run())
    assert_write_refused(ana, said("two"), "forked .*new device")


def test_a_log_that_is_read_anew_is_not_taken_for_a_damaged_one(ana: Copy) -> None:
    ana.say("message")
    ana.store.clear_views(ana.community)
    ana.restart()
    assert ana.replica.has_work
    with pytest.raises(LocalProtocolError, match="still being read anew: try again"):
        ana.write(said("too early"))
    ana.settle()
    ana.say("later")


def test_a_log_that_waits_for_parents_refuses_to_go_on(ana: Copy) -> None:
    ben = joined(ana, "ben")
    (named,) = ben.say("elsewhere")
    log = Chain(key_named("ana device"), ana.community)
    log.say("from a lost disk", parents=[named], time=NOW_MS + 1)
    ana.take(log.run())
    assert_write_refused(ana, said("two"), "incomplete or forked")
    ben.give(ana)
    ana.say("two")
    assert ana.texts() == ["elsewhere", "from a lost disk", "two"]


def test_a_clock_at_the_end_of_time_does_not_spoil_the_log(ana: Copy) -> None:
    with pytest.raises(LocalProtocolError, match="clock"):
        ana.say("far", now_ms=limits.TIME_MS_MAX + 1)
    last_ms = limits.TIME_MS_MAX - 1_000_000  # what is left is for those who write after it
    with pytest.raises(LocalProtocolError, match="clock"):
        ana.say("nearly", now_ms=last_ms + 1)
    assert founded().say("as late as may be", now_ms=last_ms)
    ana.say("now")
    assert decode_core(ana.store.past(ana.community).operations(2, 0, 1)[0].core).seq == 0
    assert run_of(ana.log_of(frontier_of(ana)[0])).items


def test_a_kind_that_this_version_does_not_know_may_be_written_up_to_255(ana: Copy) -> None:
    assert ana.write(Draft(255, b"", b""))
    with pytest.raises(LocalProtocolError, match="no operation of kind 256"):
        ana.write(Draft(256, b"", b""))


def test_what_stands_unsigned_is_counted_up_to_the_next_signature(ana: Copy) -> None:
    update = document.encode_document_update(b"u" * 12_000, 1)
    written = [ana.write(Draft(document.UPDATE_NUMBER, b"d" * 16, update))[0] for _ in range(8)]
    log = ana.log_of(written[-1])
    signed = [bool(op.signature) for op in log if op.core.kind == document.UPDATE_NUMBER]
    assert signed == [False, False, True, False, False, True, False, False]


def test_an_audience_is_named_ascending_and_each_member_once(ana: Copy) -> None:
    sealed = founded(read=auth.READ_MEMBERS)
    joined(sealed, "ben")
    one, other = sorted(key_named(f"{name} root").public for name in ("ana", "ben"))
    for audience in ((other, one), (one, one, other), (one, other, other)):
        with pytest.raises(LocalProtocolError, match="ascending"):
            sealed.write(said("for us")._replace(audience=audience))
    assert sealed.write(said("for us")._replace(audience=(one, other)))
