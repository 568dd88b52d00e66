"""Who is in by what nobody else has heard shows it to whom she calls, or learns that it is void.

Whoever brought her in may be lost, or put out, before anybody heard of her.
"""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import Access
from p2pvalue_protocol.effects import Wrote
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.removal import device_removal_draft, removal_draft, return_draft
from p2pvalue_protocol.rotation import NAMING_WAIT_MS_MAX
from tests.protocol.desk import NOW_MS, Cable, Computer, join, sync
from tests.protocol.device_link import link


class Garden:
    """A community with its founder ada, and with ben and mal, whom she made an admin."""

    def __init__(self) -> None:
        self.ada, self.ben, self.mal = (Computer(name, name) for name in ("ada", "ben", "mal"))
        self.id = self.ada.found("garden")
        self.ada.invite(self.id)
        self._session = 100
        for newcomer in (self.ben, self.mal):
            self.enter(newcomer, self.ada)
        root = self.root(self.mal)
        self.ada.write(self.id, auth.GRANT, auth.grant_payload(root, auth.ADMIN))
        self.meet(self.ben, self.ada)
        self.meet(self.mal, self.ada)

    def root(self, computer: Computer) -> bytes:
        """The member that a computer's person is."""
        founding = self.ada.membership(self.id).genesis
        assert founding is not None
        return computer.root(founding.nonce).public

    def enter(self, newcomer: Computer, member: Computer) -> None:
        """Let a newcomer in, and no more."""
        self._session += 1
        join(newcomer, member, self.id, self._session)

    def bring_in(self, newer: Computer, older: Computer) -> None:
        """Link a new device of the same person, and no more."""
        self._session += 1
        link(older, newer, session=self._session)
        assert newer.linked().state == "linked"

    def meet(self, caller: Computer, called: Computer) -> None:
        """Sync on a link that the first opens, and end it."""
        self._session += 1
        sync(caller, called, self.id, self._session)

    def call(self, caller: Computer, called: Computer) -> int:
        """Sync on a link that stays open; return its number."""
        self._session += 1
        Cable(caller, called, self._session).carry(
            i.PeerJoined(self._session, called.peer_id, True, self.id),
            i.PeerJoined(self._session, caller.peer_id, False, None),
        )
        return self._session

    def put_out(self, by: Computer, whom: Computer) -> None:
        """Remove a member."""
        draft = removal_draft(by.machine.replica(self.id), self.root(whom))
        by.handle(i.Write(self.id, (draft,)))

    def is_in(self, whom: Computer, by: Computer) -> bool:
        """Whether a device is a member's by what a computer holds."""
        return by.membership(self.id).is_live(whom.device(self.id))

    def is_unknown(self, computer: Computer, after_ms: int = limits.REPLY_MS_MAX) -> bool:
        """Whether a computer finds that nobody whom it reached knows it."""
        return computer.machine.is_unknown(self.id, NOW_MS + after_ms)


def test_a_device_shows_its_certificates_though_it_takes_its_person_for_put_out() -> None:
    garden = Garden()
    phone, tablet = Computer("phone", "ben"), Computer("tablet", "ben")
    garden.bring_in(phone, garden.ben)
    garden.bring_in(tablet, phone)
    garden.put_out(garden.mal, garden.ben)
    for hearer, teller in ((garden.ben, garden.mal), (phone, garden.ben), (tablet, phone)):
        garden.meet(hearer, teller)
    assert not garden.is_in(tablet, tablet), "mal's word is all it has heard"
    garden.put_out(garden.ada, garden.mal)
    garden.meet(tablet, garden.ada)
    assert garden.is_in(phone, garden.ada), "what certified it is shown with it"
    assert garden.is_in(tablet, garden.ada)
    assert garden.is_in(tablet, tablet), "so it is told what undoes mal's word"
    assert tablet.digest(garden.id) == garden.ada.digest(garden.id)


def test_a_newcomer_shows_her_admission_though_she_takes_herself_for_put_out() -> None:
    garden = Garden()
    dee = Computer("dee", "dee")
    garden.enter(dee, garden.ben)
    garden.meet(garden.mal, garden.ben)
    garden.put_out(garden.mal, dee)
    garden.meet(dee, garden.mal)
    assert not garden.is_in(dee, dee)
    garden.put_out(garden.ada, garden.mal)
    garden.meet(dee, garden.ada)
    assert garden.is_in(dee, garden.ada)
    assert garden.is_in(dee, dee)


def test_a_newcomer_shows_the_admission_that_its_author_lost() -> None:
    garden = Garden()
    dee = Computer("dee", "dee")
    garden.enter(dee, garden.ben)
    garden.meet(dee, garden.ada)
    assert garden.is_in(dee, garden.ada)
    assert dee.digest(garden.id) == garden.ada.digest(garden.id)


def test_who_names_her_own_hidden_admission_is_named_by_others_all_the_same() -> None:
    garden = Garden()
    dee = Computer("dee", "dee")
    garden.enter(dee, garden.ben)
    garden.meet(garden.mal, dee)
    garden.put_out(garden.ada, garden.ben)
    for hearer, teller in ((garden.mal, garden.ada), (dee, garden.mal)):
        garden.meet(hearer, teller)
    assert garden.is_in(dee, garden.mal)
    assert not garden.is_in(dee, garden.ada), "ben let her in, and is cut off there"
    dee.write(garden.id, auth.AUTH_SEEN)
    garden.meet(dee, garden.mal)
    garden.mal.handle(i.Wakeup(), NOW_MS + NAMING_WAIT_MS_MAX)
    garden.meet(garden.mal, garden.ada)
    assert garden.is_in(dee, garden.ada)


@pytest.mark.parametrize("is_linked", [False, True])
def test_what_nobody_heard_of_is_named_once_though_it_is_also_a_head(is_linked: bool) -> None:
    garden = Garden()
    dee, phone = Computer("dee", "dee"), Computer("phone", "dee")
    garden.enter(dee, garden.ben)
    garden.meet(garden.mal, dee)
    garden.put_out(garden.ada, garden.ben)
    for hearer, teller in ((garden.mal, garden.ada), (dee, garden.mal)):
        garden.meet(hearer, teller)
    if is_linked:
        garden.bring_in(phone, dee)
    else:
        garden.ada.invite(garden.id)
        garden.enter(phone, dee)
    garden.meet(garden.mal, dee)
    garden.mal.handle(i.Wakeup(), NOW_MS + NAMING_WAIT_MS_MAX)
    garden.meet(garden.mal, garden.ada)
    assert garden.is_in(phone, garden.ada)


def test_the_word_of_who_may_take_no_device_is_not_named() -> None:
    garden = Garden()
    dee = Computer("dee", "dee")
    garden.enter(dee, garden.ben)
    root, device = garden.root(garden.mal), garden.mal.device(garden.id)
    draft = device_removal_draft(garden.ada.machine.replica(garden.id), root, device)
    effects = garden.ben.handle(i.Write(garden.id, (draft,)))  # who is not stronger than mal
    word = next(e.references[0].op_id for e in effects if isinstance(e, Wrote))
    garden.meet(garden.mal, garden.ben)
    garden.put_out(garden.ada, garden.ben)
    garden.meet(garden.mal, garden.ada)
    assert word in garden.mal.machine.replica(garden.id).auth_references
    assert garden.mal.membership(garden.id).takes_device(word) is None
    garden.mal.handle(i.Wakeup(), NOW_MS + NAMING_WAIT_MS_MAX)
    garden.meet(garden.mal, garden.ada)
    assert garden.is_in(dee, garden.ada), "her admission is named"
    assert word not in garden.ada.machine.replica(garden.id).auth_references


def test_who_is_let_in_by_the_only_holder_of_the_newest_secret_meets_others_by_older_ones() -> None:
    garden = Garden()
    phone = Computer("phone", "ada")
    garden.put_out(garden.ada, garden.mal)  # which makes an epoch that nobody else has
    garden.bring_in(phone, garden.ada)
    garden.meet(phone, garden.ben)
    assert garden.is_in(phone, garden.ben)
    assert phone.digest(garden.id) == garden.ben.digest(garden.id)


def test_a_device_whose_certificate_does_not_count_finds_that_nobody_knows_it() -> None:
    garden = Garden()
    phone = Computer("phone", "ben")
    root, lost = garden.root(garden.ben), garden.ben.device(garden.id)
    garden.bring_in(phone, garden.ben)
    draft = device_removal_draft(garden.ada.machine.replica(garden.id), root, lost)
    garden.ada.handle(i.Write(garden.id, (draft,)))
    assert not garden.is_unknown(phone), "it reached nobody yet"
    garden.call(phone, garden.ada)
    assert not garden.is_in(phone, garden.ada)
    assert not garden.is_unknown(phone, 0), "it has only just shown itself"
    assert garden.is_unknown(phone)
    phone.start_anew()
    other = Computer("desktop", "ben")
    recover(garden, other)
    garden.meet(other, garden.ada)
    garden.bring_in(phone, other)
    garden.call(phone, garden.ada)
    assert garden.is_in(phone, garden.ada)
    assert not garden.is_unknown(phone)


def test_a_newcomer_whose_admission_nobody_takes_finds_that_nobody_knows_her() -> None:
    garden = Garden()
    dee = Computer("dee", "dee")
    garden.put_out(garden.ada, garden.ben)
    garden.enter(dee, garden.ben)  # who has not heard yet, or makes as if
    link_number = garden.call(dee, garden.ada)
    assert not garden.is_in(dee, garden.ada)
    assert garden.is_unknown(dee)
    dee.handle(i.PeerLeft(link_number))
    assert not garden.is_unknown(dee), "it may be known by those it does not reach"
    garden.enter(dee, garden.ada)
    garden.call(dee, garden.ada)
    assert garden.is_in(dee, garden.ada)
    assert not garden.is_unknown(dee)


def test_a_newcomer_whose_admission_never_came_finds_that_nobody_knows_her() -> None:
    ada, ben, dee = (Computer(name, name) for name in ("ada", "ben", "dee"))
    community = ada.found("shelf", read=auth.READ_PUBLIC)
    ada.invite(community)
    for number, newcomer in enumerate((ben, dee), 1):
        join(newcomer, ada, community, number)
        sync(newcomer, ada, community, 10 + number)
    kept_back = Computer("eve", "eve")
    join(kept_back, ben, community, 20)  # where everybody may read, the answer brings no history
    assert not kept_back.membership(community).was_ever_admitted(kept_back.device(community))
    Cable(kept_back, ada, 21).carry(
        i.PeerJoined(21, ada.peer_id, True, community),
        i.PeerJoined(21, kept_back.peer_id, False, None),
    )
    assert kept_back.machine.is_unknown(community, NOW_MS + limits.REPLY_MS_MAX)


def test_that_who_let_her_in_knows_a_newcomer_tells_nothing_of_the_others() -> None:
    garden = Garden()
    dee = Computer("dee", "dee")
    garden.put_out(garden.ada, garden.ben)
    garden.enter(dee, garden.ben)
    garden.call(dee, garden.ben)
    assert not garden.is_unknown(dee), "nobody else was reached"
    garden.call(dee, garden.ada)
    assert garden.is_in(garden.ben, dee), "she is not told that ben is out"
    assert garden.is_unknown(dee)


def test_that_the_weaker_know_a_newcomer_tells_nothing_where_a_founder_does_not() -> None:
    garden = Garden()
    cal, dee = Computer("cal", "cal"), Computer("dee", "dee")
    garden.enter(cal, garden.ada)
    garden.meet(garden.ben, garden.ada)
    garden.put_out(garden.ada, garden.ben)
    garden.enter(dee, garden.ben)
    garden.meet(cal, garden.ben)
    garden.call(dee, cal)
    assert garden.is_in(dee, cal), "who was let in by another has not heard either"
    assert not garden.is_unknown(dee), "nobody else was reached"
    garden.call(garden.ada, dee)
    assert not garden.is_in(dee, garden.ada)
    assert garden.is_unknown(dee)


def test_that_who_came_in_alike_knows_a_newcomer_tells_nothing_where_an_equal_does_not() -> None:
    garden = Garden()
    cal, dee, fay = (Computer(name, name) for name in ("cal", "dee", "fay"))
    garden.enter(cal, garden.ada)
    garden.meet(garden.ben, garden.ada)
    garden.put_out(garden.ada, garden.ben)
    garden.meet(cal, garden.ada)
    for newcomer in (dee, fay):
        garden.enter(newcomer, garden.ben)
    garden.meet(fay, garden.ben)
    garden.call(dee, fay)
    garden.call(cal, dee)
    assert garden.is_in(dee, fay)
    assert garden.is_in(cal, dee)
    assert not garden.is_in(dee, cal)
    assert garden.is_unknown(dee)


def test_one_peer_that_knows_a_device_is_enough() -> None:
    garden = Garden()
    phone, stranger = Computer("phone", "ben"), Computer("tablet", "ben")
    garden.bring_in(phone, garden.ben)
    garden.call(phone, garden.ben)
    root, lost = garden.root(garden.ben), garden.ben.device(garden.id)
    draft = device_removal_draft(garden.ada.machine.replica(garden.id), root, lost)
    garden.ada.handle(i.Write(garden.id, (draft,)))
    garden.call(phone, garden.ada)
    assert not garden.is_unknown(phone)
    garden.bring_in(stranger, garden.ben)
    garden.call(garden.ada, stranger)
    assert garden.is_unknown(stranger), "also where others called it"


def test_who_was_put_out_is_not_told_that_nobody_knows_her() -> None:
    garden = Garden()
    garden.put_out(garden.ada, garden.ben)
    garden.call(garden.ben, garden.ada)
    assert not garden.is_in(garden.ben, garden.ben)
    assert not garden.is_unknown(garden.ben)


def recover(garden: Garden, computer: Computer) -> None:
    """Come back on another machine by the person's words."""
    keys = computer.keys(garden.id)
    Cable(computer, garden.ada, 99).carry(
        i.RecoveryStarted(99, garden.ada.peer_id, keys, computer.entropy),
        i.RecoveryAsked(99, computer.peer_id),
    )
    assert computer.joined().state == "admitted"


def test_of_who_is_out_the_logs_of_her_certificates_are_shown_and_nothing_later() -> None:
    garden = Garden()
    garden.put_out(garden.ada, garden.ben)
    garden.meet(garden.ben, garden.ada)
    replica = garden.ben.machine.replica(garden.id)
    shown = Access(replica).gives(None, we_called=True).heads or ()
    assert {head.log_class for head in shown} == {AUTH}
    own = [head for head in shown if head.device == replica.device]
    assert [head.seq for head in own] == [0]
    assert not garden.is_in(garden.ben, garden.ada)
    back = return_draft(garden.ada.machine.replica(garden.id), garden.root(garden.ben), auth.MEMBER)
    garden.ada.handle(i.Write(garden.id, (back,)))
    assert garden.is_in(garden.ben, garden.ada)
