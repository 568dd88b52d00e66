"""When keys are renewed unasked, on the virtual clock."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.operation import read_core
from p2pvalue_protocol.rotation import (
    EPOCH_AGE_MS_MAX,
    EPOCHS_APART_MS_MIN,
    FIRST_EPOCH_WAIT_MS,
    NAMING_WAIT_MS_MAX,
    PREKEY_AGE_MS_MAX,
    Keeper,
    epoch_drafts,
)
from tests.protocol.authoring import key_named
from tests.protocol.desk import Computer
from tests.protocol.replicas import NOW_MS, Chain, Copy, admitted, founded, invited, joined
from tests.protocol.sealed import epochs_of, removed, sealed_community

DAY_MS = 24 * 3_600 * 1_000


def device_named(name: str) -> bytes:
    return key_named(f"{name} device").public


def keeper(fraction: float) -> Keeper:
    return Keeper(lambda: fraction)


@pytest.mark.parametrize(("rank", "first_s", "last_s"), [(1, 0, 30), (2, 30, 300)])
def test_others_renew_the_keys_after_a_while_the_strong_before_the_weak(
    rank: int, first_s: int, last_s: int
) -> None:
    ana = sealed_community()
    ben, cia = joined(ana, "ben"), joined(ana, "cia")
    if rank == auth.ADMIN:
        root = key_named("ben root").public
        ana.write(Draft(auth.GRANT, b"", auth.grant_payload(root, auth.ADMIN)))
    ana.give(ben, cia)
    removed(ana, "cia")
    ben.take(*[run for run in ana.runs() if run.log_class != CONTENT])
    for fraction, seconds in ((0.0, first_s), (1.0, last_s)):
        keeping, due_ms = keeper(fraction), NOW_MS + seconds * 1_000
        keeping.review(ben.replica, NOW_MS)
        assert keeping.next_wakeup_ms() == due_ms
    before = epochs_of(ben)
    keeping.keep(ben.replica, due_ms - 1)
    assert epochs_of(ben) == before
    keeping.keep(ben.replica, due_ms)
    ben.commit()
    assert len(epochs_of(ben)) == len(before) + 1
    assert ben.replica.epochs.usable()


def test_should_the_first_epoch_be_lost_members_make_one() -> None:
    ana = sealed_community()
    joined(ana, "ben")
    ben = Copy(ana.community, key_named("ben device"), name="ben")
    ben.take(*[run for run in ana.runs() if run.log_class != CONTENT])
    with pytest.raises(LocalProtocolError, match="still on its way"):
        ben.say("where is everybody")
    keeping, due_ms = keeper(0.0), NOW_MS + FIRST_EPOCH_WAIT_MS + 30_000
    keeping.review(ben.replica, NOW_MS)
    assert keeping.next_wakeup_ms() == due_ms
    keeping.keep(ben.replica, due_ms)
    ben.commit()
    ben.say("nobody came", now_ms=due_ms)
    assert ben.texts() == ["nobody came"]


def about_to_renew() -> tuple[Copy, Copy, Keeper]:
    """Ana, who put cia out, and ben, who heard of it and of no new keys."""
    ana = sealed_community()
    ben, cia = joined(ana, "ben"), joined(ana, "cia")
    ana.give(ben, cia)
    removed(ana, "cia")
    ben.take(*[run for run in ana.runs() if run.log_class != CONTENT])
    keeping = keeper(0.5)
    keeping.review(ben.replica, NOW_MS)
    return ana, ben, keeping


def test_who_waits_to_renew_the_keys_waits_no_longer_whatever_comes_meanwhile() -> None:
    ana, ben, keeping = about_to_renew()
    due_ms = keeping.next_wakeup_ms()
    for later_ms in (1_000, 60_000):
        ana.write(Draft(auth.AUTH_SEEN, b"", b""))
        ben.take(*[run for run in ana.runs() if run.log_class != CONTENT])
        keeping.review(ben.replica, NOW_MS + later_ms)
        assert keeping.next_wakeup_ms() == due_ms


def test_a_clock_that_is_set_back_puts_no_renewal_off() -> None:
    _, ben, keeping = about_to_renew()
    due_ms = keeping.next_wakeup_ms()
    assert due_ms is not None
    keeping.set_back(365 * DAY_MS)
    keeping.review(ben.replica, NOW_MS - 365 * DAY_MS)
    assert keeping.next_wakeup_ms() == due_ms - 365 * DAY_MS


def test_who_hears_of_an_epoch_in_time_makes_none() -> None:
    ana, ben, keeping = about_to_renew()
    ana.give(ben)
    before = epochs_of(ben)
    keeping.keep(ben.replica, NOW_MS + 300_000)
    assert epochs_of(ben) == before


def test_keys_are_renewed_when_they_are_seven_days_old() -> None:
    ana = sealed_community()
    keeping = keeper(0.0)
    keeping.review(ana.replica, NOW_MS)
    [first] = ana.replica.epochs.usable()
    keeping.keep(ana.replica, first.time + EPOCH_AGE_MS_MAX - 1)
    assert len(epochs_of(ana)) == 1
    keeping.keep(ana.replica, first.time + EPOCH_AGE_MS_MAX)
    ana.commit()
    [newest, oldest] = epochs_of(ana)
    assert oldest == first.epoch
    assert ana.replica.epochs.usable()[0].epoch == newest


def test_one_device_makes_an_epoch_an_hour_at_most_though_others_seem_old() -> None:
    ana = sealed_community()
    pam = joined(ana, "pam")
    now_ms = NOW_MS + EPOCH_AGE_MS_MAX
    ana.replica.begin()
    ana.replica.renew(now_ms)
    ana.commit()
    pam.take(*ana.runs(), now_ms=now_ms)
    pam.replica.begin()
    [draft] = epoch_drafts(pam.replica)  # it wraps ana's, and so is deeper
    named = [h for h in ana.replica.heads() if h.log_class != CONTENT]
    log = Chain(key_named("pam device"), ana.community)
    old = log.add(draft.payload, kind=draft.kind, parents=named, time=NOW_MS)
    ana.take(log.run(), now_ms=now_ms)
    assert ana.replica.epochs.usable()[0].epoch == old.op_id
    newest = {name: ana.replica.epochs.newest_by(device_named(name)) for name in ("ana", "pam")}
    assert newest == {"ana": now_ms, "pam": NOW_MS}
    keeping = keeper(0.0)
    keeping.review(ana.replica, now_ms)
    assert keeping.next_wakeup_ms() == now_ms + EPOCHS_APART_MS_MIN


def test_a_device_changes_its_prekey_after_thirty_days_and_opens_what_the_last_three_got() -> None:
    ana = sealed_community()
    ben = joined(ana, "ben")
    now_ms = NOW_MS
    keys = {ana.replica.epochs.recipients()[0].prekey}
    for turn in range(4):
        keeping = keeper(0.0)
        keeping.review(ben.replica, now_ms)
        now_ms += PREKEY_AGE_MS_MAX + DAY_MS
        keeping.keep(ben.replica, now_ms)
        ben.commit()
        ana.take(*ben.runs(), now_ms=now_ms)
        [found] = [r for r in ana.replica.epochs.recipients() if r.device == ben.replica.device]
        keys.add(found.prekey)
        kept = ben.store.past(ben.community).prekeys()
        assert len(kept) == min(turn + 2, 3)
        assert {len(private) for _, private in kept} == {32}
        ben.restart()
    assert len(keys) == 5
    ana.replica.begin()
    ana.replica.renew(now_ms)
    ana.commit()
    ben.take(*ana.runs(), now_ms=now_ms)
    assert all(ben.replica.epochs.holds(epoch) for epoch in epochs_of(ana))


def test_a_machine_wakes_to_renew_the_keys_of_its_communities() -> None:
    computer = Computer("desk", "ana")
    community = computer.found("garden")
    computer.found("square", read=auth.READ_PUBLIC)
    replica = computer.machine.replica(community)
    [first] = replica.epochs.usable()
    now_ms = NOW_MS
    while len(replica.epochs.usable()) == 1:
        due_ms = computer.machine.next_wakeup_ms()
        assert due_ms is not None
        now_ms = max(now_ms, due_ms)
        computer.handle(i.Wakeup(), now_ms)
    assert 0 <= now_ms - (first.time + EPOCH_AGE_MS_MAX) <= 30_000
    assert len(computer.store.past(community).epochs()) == 2
    computer.handle(i.Wakeup(), now_ms + PREKEY_AGE_MS_MAX)
    assert len(computer.store.past(community).prekeys()) == 2


def test_the_shell_finds_every_key_again_after_a_restart() -> None:
    computer = Computer("desk", "ana")
    community = computer.found("garden")
    computer.say(community, "before")
    stored = computer.store.past(community)
    [(epoch, secret)] = stored.epoch_secrets()
    replica = computer.machine.replica(community)
    assert replica.epochs.records.get(epoch) is not None
    computer.machine.reload(community)
    again = computer.machine.replica(community)
    assert again is not replica
    assert [key.secret for key in again.epochs.unwrapped()] == [secret]
    assert again.epochs.prekeys.device == again.device


def test_who_holds_it_names_soon_whom_the_removed_let_in_by_anothers_invite() -> None:
    ana = founded()
    ben, dan = joined(ana, "ben"), joined(ana, "dan")
    invite = invited(ana)
    ana.give(ben)
    unheard = admitted(ben, "cia", invite)
    ben.give(dan)
    removed(ana, "ben")
    auth_runs = [run for run in ana.runs() if run.log_class == AUTH]
    dan.take(*auth_runs)
    assert dan.replica.membership.is_live(unheard.core.device)
    keeping = keeper(0.5)
    keeping.review(dan.replica, NOW_MS)
    due_ms = NOW_MS + NAMING_WAIT_MS_MAX // 2
    assert keeping.next_wakeup_ms() == due_ms
    keeping.review(dan.replica, NOW_MS + 1)
    assert keeping.next_wakeup_ms() == due_ms
    keeping.keep(dan.replica, due_ms - 1)
    assert dan.commit().operations == []
    keeping.keep(dan.replica, due_ms)
    [written] = dan.commit().operations
    assert read_core(written.core).kind == auth.AUTH_SEEN
    keeping.review(dan.replica, due_ms)
    assert keeping.next_wakeup_ms() is None


def test_who_hears_in_time_that_another_named_them_names_nobody() -> None:
    ana = founded()
    ben, dan, eve = joined(ana, "ben"), joined(ana, "dan"), joined(ana, "eve")
    invite = invited(ana)
    ana.give(ben)
    admitted(ben, "cia", invite)
    ben.give(dan, eve)
    removed(ana, "ben")
    ana.give(dan, eve)
    keeping = keeper(0.5)
    keeping.review(dan.replica, NOW_MS)
    assert keeping.next_wakeup_ms() is not None
    eve.write(Draft(auth.AUTH_SEEN, b"", b""))
    eve.give(dan)
    keeping.review(dan.replica, NOW_MS + 1)
    assert keeping.next_wakeup_ms() is None


def test_keys_are_renewed_as_often_as_the_page_says() -> None:
    assert EPOCH_AGE_MS_MAX == 7 * DAY_MS
    assert PREKEY_AGE_MS_MAX == 30 * DAY_MS
    assert EPOCHS_APART_MS_MIN == DAY_MS // 24
    assert FIRST_EPOCH_WAIT_MS == DAY_MS // 144


@pytest.mark.parametrize("odd", [0, 1])
def test_nothing_is_kept_while_nothing_is_due(odd: int) -> None:
    ana = sealed_community()
    keeping = keeper(0.5)
    keeping.review(ana.replica, NOW_MS)
    [first] = ana.replica.epochs.usable()
    due_ms = first.time + EPOCH_AGE_MS_MAX + 15_000  # half of what a founder waits
    assert keeping.next_wakeup_ms() == due_ms
    keeping.keep(ana.replica, due_ms - 2 + odd)
    assert ana.commit().operations == []
    reader = Copy(ana.community)
    ana.give(reader)
    keeping.keep(reader.replica, due_ms + odd)
    assert reader.commit().operations == []
