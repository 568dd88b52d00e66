"""A comment that names somebody reaches her, however much others say after it."""

from __future__ import annotations

import pytest

from p2pvalue.node.notifications import comment_concerns
from p2pvalue.node.notifications.comment_concerns import LATEST, OF_ONE_MAX
from p2pvalue.store import StoreFailed
from tests.node.told_people import Told, acquainted, meet, need

MANY = LATEST + 5


@pytest.fixture
async def people() -> list[Told]:
    """Ana asks for something; Ben and Cleo have nothing to do with it."""
    found = await acquainted()
    await need(found[0])
    meet(found)
    return found


async def post(told: Told, *texts: str) -> None:
    room = told.node.community
    subject = room.needs.named("Roof").need
    for text in texts:
        await room.post(text, channel=subject)


async def named_and_talked_over(people: list[Told], many: int) -> Told:
    """Cleo names Ben, Ana says much, and all of it reaches Ben; return Ben."""
    ana, ben, cleo = people
    await post(cleo, "can you, @ben?")
    meet([ana, cleo])
    await post(ana, *map(str, range(many)))
    meet([ana, ben])
    return ben


def said(told: Told) -> list[tuple[str, bool]]:
    return [(view.text, view.is_read) for view in told.notifications.all()]


MENTION = "Cleo named you in a comment on “Roof”: can you, @ben?"


async def test_what_one_says_after_it_hides_no_mention(people: list[Told]) -> None:
    ben = await named_and_talked_over(people, MANY)
    await ben.news()
    assert said(ben) == [(MENTION, False)]


async def test_what_one_says_after_it_makes_no_mention_read(people: list[Told]) -> None:
    ana, ben, _ = people
    await named_and_talked_over(people, 0)
    await ben.news()
    await post(ana, *map(str, range(MANY)))
    meet([ana, ben])
    await ben.news()
    assert said(ben) == [(MENTION, False)]


async def test_a_mention_is_found_after_a_restart_behind_what_one_said(people: list[Told]) -> None:
    ben = await named_and_talked_over(people, MANY)
    ben.restart()
    await ben.news()
    assert said(ben) == [(MENTION, False)]


async def test_a_mention_is_found_though_one_says_more_than_anybody_reads_back(
    people: list[Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comment_concerns, "READ_BACK_MAX", LATEST)
    ben = await named_and_talked_over(people, 2 * LATEST)
    await ben.news()
    assert said(ben) == [(MENTION, False)]


async def test_a_mention_is_found_though_the_disk_gave_nothing_back_at_first(
    people: list[Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await named_and_talked_over(people, MANY)

    def unreadable(*_: object, **__: object) -> None:
        raise StoreFailed("the disk cannot be read")

    with monkeypatch.context() as patch:
        patch.setattr(ben.node.store, "entries", unreadable)
        with pytest.raises(StoreFailed):
            await ben.news()
    await ben.news()
    assert said(ben) == [(MENTION, False)]


async def test_of_one_who_names_me_often_the_newest_are_told(people: list[Told]) -> None:
    _, ben, cleo = people
    await post(cleo, *(f"@ben {number}" for number in range(3 * OF_ONE_MAX)))
    meet([cleo, ben])
    await ben.news()
    [view] = ben.notifications.all()
    assert (view.kind, view.count) == ("mentioned", OF_ONE_MAX)
