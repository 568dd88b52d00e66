"""What happens in a town with a bad network: crowds, comings and goings, and cut lines."""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import partial

from tests.badnet.town import Resident, Town

CHURN_ROUNDS_PER_PERSON = 4
APART_POSTS = 3
FLAP_OPEN_S, FLAP_CLOSED_S = 4.0, 4.0


def join_storm(town: Town) -> None:
    """All ask at once to be let in by one link."""
    town.start(*town.people)
    with town.timed(f"{len(town.people) - 1} joined by one link at once"):
        town.gather(*town.people)
    with town.timed("all see the same"):
        town.until_equal()
    with town.timed("everybody said something, and all have read it"):
        town.until_read([town.post(person) for person in town.people], town.people)
    town.until_equal()


def churn(town: Town) -> None:
    """Daemons are killed and started again at random while people post."""
    town.start(*town.people)
    town.gather(*town.people)
    kills = 0
    for _ in range(CHURN_ROUNDS_PER_PERSON * len(town.people)):
        running = [person for person in town.people if person.is_alive]
        away = [person for person in town.people if not person.is_alive]
        town.post(town.rng.choice(running))
        if away and town.rng.random() < len(away) / len(running):
            town.start(town.rng.choice(away))
        elif len(running) > 2:
            victim = town.rng.choice(running)
            town.post(victim, "says something and is gone")
            victim.kill()
            kills += 1
    town.say(f"{kills} daemons were killed, {len(town.posts)} posts acknowledged")
    town.start(*(person for person in town.people if not person.is_alive))
    with town.timed("after the last start, all see the same"):
        town.until_equal()


def partition(town: Town) -> None:
    """Two halves part: in both directions, in one, and again and again."""
    town.start(*town.people)
    town.gather(*town.people)
    town.until_equal()
    middle = len(town.people) // 2
    halves = town.people[:middle], town.people[middle:]
    for both in (True, False):
        town.cut(*halves, both=both)
        kind = "in both directions" if both else "in one direction"
        with town.timed(f"cut {kind}: both halves have noticed"):
            _until_parted(*halves)
        _talk_apart(*halves, town=town)
        town.net.mend()
        with town.timed("mended: all see the same"):
            town.until_equal()
    town.flap(*halves, FLAP_OPEN_S, FLAP_CLOSED_S)
    town.say(f"ways flap: {FLAP_OPEN_S:.0f} s open, {FLAP_CLOSED_S:.0f} s closed")
    with town.timed("everybody's post is read by all before the next, while ways flap"):
        for person in town.people:
            town.until_read([town.post(person)], town.people)
    town.net.mend()
    with town.timed("mended: all see the same"):
        town.until_equal()


def _until_parted(left: Sequence[Resident], right: Sequence[Resident]) -> None:
    """Return when nobody counts anybody of the other half as being in touch."""
    for own, other in ((left, right), (right, left)):
        strangers = {person.peer_id for person in other}
        for person in own:
            person.until_soon(partial(_is_apart, person, strangers), "being parted")


def _is_apart(person: Resident, strangers: Set[str]) -> bool:
    return not strangers & set(person.peers_in_touch())


def _talk_apart(left: Sequence[Resident], right: Sequence[Resident], town: Town) -> None:
    """Let each half post and read its own half; nothing of the other may come through."""
    said = [
        [town.post(person, "says something apart") for person in half for _ in range(APART_POSTS)]
        for half in (left, right)
    ]
    for half, own, others in zip((left, right), said, reversed(said), strict=True):
        town.until_read(own, half)
        for person in half:
            heard = set(others) & set(person.texts())
            assert not heard, f"{person.name} heard {heard} over a closed way"
