"""What concerns a person is noticed once, kept before it is shown, and folded into few."""

from __future__ import annotations

import pytest

from p2pvalue.node.notifications.notifications import Notifications
from p2pvalue.node.notifications.notified import AT_ONCE_MAX, OLD_MS
from p2pvalue.store import StoreFailed
from p2pvalue.types import EventView
from p2pvalue_protocol.errors import LocalProtocolError, NotFound
from tests.node.small_node import exchange
from tests.node.told_people import (
    CLOSES,
    DAY_MS,
    HOUR_MS,
    NAMES,
    Told,
    acquainted,
    close,
    meet,
    need,
    promised,
)
from tests.node.two_communities import TwoCommunities


@pytest.fixture
async def people() -> list[Told]:
    return await acquainted()


async def test_a_pledge_to_my_need_waits_for_the_digest(people: list[Told]) -> None:
    ana, ben, cleo = people
    await promised(people)
    assert await ana.news() == await ben.news() == await cleo.news() == []
    [view] = ana.notifications.all()
    assert view.text == "Ben pledged 1h to “Roof”"
    assert view.why == "because you asked for it"
    assert view.fewer == "p2pvalue notify set need-pledged never"
    assert (view.way, view.is_read) == ("digest", False)
    assert ben.listed() == cleo.listed() == []


async def test_what_binds_me_is_told_at_once_and_once(people: list[Told]) -> None:
    ana, ben, _ = people
    await promised(people)
    await close(people)
    assert await ben.news() == ["pledge-triggered"]
    assert await ana.news() == ["need-triggered"]
    assert await ben.news() == []
    [view] = ben.notifications.all()
    assert view.text == "“Roof” came about: your 1h binds you now"
    assert view.why == "because you pledged 1h"


async def test_after_a_restart_nothing_is_told_again_and_nothing_is_lost(
    people: list[Told],
) -> None:
    _, ben, _ = people
    await promised(people)
    await close(people)
    ben.restart()  # before it had looked
    assert await ben.news() == ["pledge-triggered"]
    ben.restart()
    assert await ben.news() == []
    assert ben.listed() == [("pledge-triggered", 1)]


async def test_what_came_about_while_a_node_was_off_is_news_though_it_was_told_nothing_before(
    people: list[Told],
) -> None:
    ana, ben, _ = people
    await ben.news()
    await need(ana)
    meet(people)
    ben.node.on_changes = lambda changes: None  # it is off
    subject = ana.node.community.needs.named("Roof").need
    await ana.node.community.post("@ben, can you?", channel=subject)
    meet(people)
    ben.node.now_ms += HOUR_MS
    ben.restart()
    await ben.news()
    assert ben.listed() == [("mentioned", 1)]


async def test_what_the_disk_does_not_take_is_not_shown_until_it_does(
    people: list[Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ben, _ = people
    await promised(people)
    await close(people)

    def full(key: str, value: bytes) -> None:
        raise StoreFailed("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(ben.node.store, "put_meta", full)
        with pytest.raises(StoreFailed):
            await ben.news()
        assert ben.shown == []
    assert await ben.news() == ["pledge-triggered"]


async def test_who_closes_by_hand_is_not_told_what_came_of_it(people: list[Told]) -> None:
    ana, _, _ = people
    await promised(people)
    ana.node.now_ms = CLOSES + 1
    meant = ana.node.community.needs.named("Roof").need
    with ana.notifications.by_hand(meant):
        await ana.node.community.needs.close(meant)
    assert await ana.news() == []
    ana.restart()
    assert await ana.news() == []
    assert ana.listed() == [("need-pledged", 1)]


async def test_a_close_that_is_refused_hides_no_outcome(people: list[Told]) -> None:
    ana, _, _ = people
    await promised(people)
    meant = ana.node.community.needs.named("Roof").need
    with pytest.raises(LocalProtocolError), ana.notifications.by_hand(meant):
        await ana.node.community.needs.close(meant)  # its last day is to come
    await close(people)
    assert await ana.news() == ["need-triggered"]


async def test_many_pledges_are_one_notification(people: list[Told]) -> None:
    ana, ben, cleo = people
    await promised(people)
    assert await ana.news() == []
    await ben.node.community.pledges.make("Roof", 60)
    await cleo.node.community.pledges.make("Roof", 60)
    meet(people)
    assert await ana.news() == []
    [view] = ana.notifications.all()
    assert view.text == "3 pledges to “Roof”, by Ben and Cleo"


async def test_a_claim_asks_and_is_read_by_itself_once_somebody_confirmed(
    people: list[Told],
) -> None:
    ana, ben, _ = people
    pledge = await promised(people)
    await close(people)
    await ana.news()
    await ben.node.community.pledges.claim(pledge)
    meet(people)
    assert await ana.news() == ["confirm-asked"]
    assert ("confirm-asked", 1) in ana.listed()
    await ana.node.community.pledges.confirm(pledge)
    assert await ana.news() == []
    assert ("confirm-asked", 1) not in ana.listed()
    assert ("confirm-asked", 1) in ana.listed(unread=False)


async def test_what_was_before_i_came_is_no_news(people: list[Told]) -> None:
    await promised(people)
    await close(people)
    ben = people[1]
    late = Told("ben")  # another folder of the same person, with nothing in it yet
    late.node.now_ms = ben.node.now_ms + DAY_MS
    late.node.take(ben.node.runs([]))
    assert await late.news() == []
    assert late.listed(unread=False) == []


async def test_after_a_long_absence_there_is_one_digest_and_no_flood(people: list[Told]) -> None:
    ana, ben, _ = people
    for number in range(12):
        await need(ana, f"Roof {number}")
        meet([ana, ben])
        await ben.node.community.pledges.make(f"Roof {number}", 60)
    meet([ana, ben])
    ana.node.now_ms = CLOSES + 1
    for number in range(12):
        await ana.node.community.needs.close(f"Roof {number}")
    assert await ben.news() == []
    ben.node.now_ms = CLOSES + OLD_MS + 60 * DAY_MS
    meet([ana, ben])
    assert await ben.news() == []
    assert len(ben.listed()) == 12
    assert await ben.news(at_ms=ben.node.now_ms + DAY_MS) == ["digest"]
    assert await ben.news(at_ms=ben.node.now_ms + 10 * DAY_MS) == []
    ben.restart()
    assert await ben.news() == []
    assert len(ben.notifications.digest()) == 12
    assert ben.notifications.digest() == []


async def test_more_than_a_few_an_hour_wait_for_the_digest(people: list[Told]) -> None:
    ana, ben, _ = people
    for number in range(AT_ONCE_MAX + 3):
        await need(ana, f"Roof {number}")
        meet([ana, ben])
        await ben.node.community.pledges.make(f"Roof {number}", 60)
    meet([ana, ben])
    ana.node.now_ms = CLOSES + 1
    for number in range(AT_ONCE_MAX + 3):
        await ana.node.community.needs.close(f"Roof {number}")
    meet([ana, ben])
    assert await ben.news() == ["pledge-triggered"] * AT_ONCE_MAX
    assert len(ben.notifications.digest()) == 3


async def test_a_last_day_and_a_deadline_are_told_in_time_without_any_change(
    people: list[Told],
) -> None:
    ana, ben, _ = people
    ana.notifications.set_digest_hour(-1)
    await need(ana, "Lonely")
    await need(ana, "Ditch", deadline=CLOSES + 5 * DAY_MS, trigger="none", closes=0)
    meet(people)
    await ben.node.community.pledges.make("Ditch", 60)
    meet(people)
    assert await ana.news() == await ben.news() == []
    assert await ana.news(at_ms=CLOSES - DAY_MS) == ["need-closing"]
    assert await ben.news(at_ms=CLOSES + 4 * DAY_MS) == ["due-tomorrow"]
    assert await ben.news(at_ms=CLOSES + 4 * DAY_MS + HOUR_MS) == []
    assert await ana.news(at_ms=CLOSES) == []
    assert ("need-closing", 1) not in ana.listed()


async def test_a_need_that_is_gone_when_its_last_day_comes_is_looked_for_once(
    people: list[Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when who asked for it was put out: else a node looks for it every second for ever."""
    ana = people[0]
    await need(ana)
    await ana.news()
    asked: list[bytes] = []

    def gone(community: bytes, subject: bytes) -> None:
        asked.append(subject)

    monkeypatch.setattr(ana.node.store, "state", gone)
    await ana.news(at_ms=CLOSES - DAY_MS)
    await ana.news(at_ms=CLOSES)
    assert len(asked) == 1


async def test_one_is_marked_as_read_or_all(people: list[Told]) -> None:
    ana, _, _ = people
    await promised(people)
    await close(people)
    await ana.news()
    first, second = ana.notifications.all()
    [read] = ana.notifications.read(notification=first.notification[:6])
    assert (read.notification, read.is_read) == (first.notification, True)
    ana.restart()
    assert [view.notification for view in ana.notifications.read()] == [second.notification]
    assert ana.listed() == []
    with pytest.raises(NotFound, match="no notification"):
        ana.notifications.read(notification="beef")


async def test_comments_on_my_need_wait_for_the_digest_and_others_do_not_concern_me(
    people: list[Told],
) -> None:
    ana, ben, cleo = people
    await promised(people)
    meant = ana.node.community.needs.named("Roof").need
    await cleo.node.community.post("hello all")
    await cleo.node.community.post("who has a ladder?", channel=meant)
    await ana.node.community.post("I do", channel=meant)
    meet(people)
    assert await ana.news() == await ben.news() == []
    [of_pledge, said] = ana.notifications.all()
    assert of_pledge.kind == "need-pledged"
    assert said.text == "Cleo said to “Roof”: who has a ladder?"
    assert said.why == "because you asked for it"
    assert ben.listed() == []
    for number in range(25):
        await cleo.node.community.post(f"so {number}", channel=meant)
    meet(people)
    await ana.news()
    assert ana.listed() == [("need-pledged", 1), ("commented", 21)]


async def test_thanks_are_told_to_whom_they_are_given(people: list[Told]) -> None:
    ana, ben, _ = people
    given = await ben.node.community.thanks.give("Ana", "for the soup")
    meet(people)
    assert await ana.news() == await ben.news() == []
    [view] = ana.notifications.all()
    assert (view.kind, view.text) == ("thanked", "Ben thanks you: for the soup")
    assert ben.listed() == []
    await ben.node.community.thanks.withdraw(given.thanks)
    meet(people)
    assert await ana.news() == []


async def test_who_is_in_two_communities_is_told_in_which_to_type_it(people: list[Told]) -> None:
    ana, *_ = people
    ben = TwoCommunities("ben", NAMES, ["ben", "dora"])
    exchange(ana.node, ben.nodes[0])
    await need(ana, trigger="none")
    made = await ana.node.community.pledges.make("Roof", 60)
    await ana.node.community.pledges.claim(made.pledge, quantity=60)
    exchange(ana.node, ben.nodes[0])
    shown: list[EventView] = []
    both = Notifications(ben, lambda: [ben.first, ben.second], shown.append)
    both.watch.look_at_all()
    await both.watch.look()
    here = f"p2pvalue pledge confirm {made.pledge[:8]} -c {ben.first.id.hex()[:8]}"
    assert [view.todo for view in both.all()] == [here]
    assert [event.data["todo"] for event in shown] == [here]


async def test_what_a_member_owes_who_is_put_out_is_told_once_to_who_may_settle_it(
    people: list[Told],
) -> None:
    ana, ben, cleo = people
    await need(ana, trigger="none", closes=0)
    meet(people)
    await ben.node.community.pledges.make("Roof", 60)
    meet(people)
    for told in people:
        await told.news()
    for voter in (ana, cleo):
        await voter.node.community.people.vote_out("Ben")
    meet([ana, cleo])
    assert await ana.news() == ["left-owing"]
    assert await cleo.news() == []
    [view] = [view for view in ana.notifications.all() if view.kind == "left-owing"]
    assert view.text == "Ben is no longer a member and owes 1h of “Roof”: settle it"
    assert view.todo.startswith("p2pvalue pledge settle ")
    ana.restart()
    assert await ana.news() == []
    await ana.node.community.people.readmit("Ben")
    assert await ana.news() == []
    assert ("left-owing", 1) not in ana.listed()


async def test_a_comment_that_counts_no_more_is_not_quoted(people: list[Told]) -> None:
    ana, ben, cleo = people
    await need(ana)
    meet(people)
    subject = ana.node.community.needs.named("Roof").need
    await cleo.node.community.people.vote_out("Ben")
    await ana.node.community.people.vote_out("Ben")
    await ben.node.community.post("You are all thieves", channel=subject)
    meet([ana, ben])
    await ana.news()
    [view] = ana.notifications.all()
    assert view.text == "Ben said to “Roof”: You are all thieves"
    runs = cleo.node.runs(ana.node.replica.heads())
    votes = [run for run in runs if run.device == cleo.node.device(cleo.node.community_id)]
    ana.node.take(votes)  # enough had voted before he said it
    await ana.news()
    [view] = ana.notifications.all()
    assert (view.text, view.is_read) == ("Ben said to “Roof”: it counts no more", True)
    ana.restart()
    await ana.news()
    assert ana.notifications.all() == [view]


async def test_thanks_that_were_taken_back_are_not_quoted(people: list[Told]) -> None:
    ana, ben, _ = people
    given = await ben.node.community.thanks.give("Ana", "for the roof")
    meet(people)
    await ana.news()
    assert [view.text for view in ana.notifications.all()] == ["Ben thanks you: for the roof"]
    await ben.node.community.thanks.withdraw(given.thanks)
    meet(people)
    await ana.news()
    [view] = ana.notifications.all()
    assert (view.text, view.is_read) == ("Ben thanks you: it counts no more", True)


async def test_a_comment_that_names_me_concerns_me_whosever_need_it_is(people: list[Told]) -> None:
    ana, ben, cleo = people
    await need(ana)
    meet(people)
    subject = ana.node.community.needs.named("Roof").need
    for text in ("@Benno, or ask@ben", "can you, @ben?", "@Ana: no"):
        await cleo.node.community.post(text, channel=subject)
    meet(people)
    for told in people:
        await told.news()
    [view] = ben.notifications.all()
    assert view.text == "Cleo named you in a comment on “Roof”: can you, @ben?"
    assert (view.why, view.way) == ("because Cleo named you", "digest")
    assert sorted(ana.listed()) == [("commented", 2), ("mentioned", 1)]
    assert cleo.listed() == []
    await ben.node.community.set_my_name("Benno")
    await ben.node.community.post("done", channel=subject)
    await ben.news()
    assert ben.listed() == [("mentioned", 2)]
