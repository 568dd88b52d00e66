"""Kills a daemon while people use it, again and again, and looks at what is left.

Ana posts as fast as her daemon answers, and it is killed by signal 9 at a random moment. Each time
it must start again, hold every message that it acknowledged, and go on in the same log; at the end
Ben, who was there all the time, must hold all of them too. Then Cleo joins, and her daemon is
killed at random moments of the join and of the sync that follows, and Ana's once more while it
makes all views anew, and while one of a version to come takes her folder to another schema.

    python -m tests.system.crash FOLDER --kills 200 --seed 7
"""

from __future__ import annotations

import contextlib
import random
import select
import threading
from pathlib import Path
from typing import Any

from tests.kills import kill_command
from tests.patience import WAIT_S
from tests.system.migrating import killed_while_migrating
from tests.system.person import Person, Refused, Unreachable, people, until_equal

LIFE_S_MAX = 0.25
JOIN_LIFE_S_MAX = 0.4
REBUILD_LIFE_S_MAX = 0.1
IN_TOUCH_SHARE = 0.15


class Poster:
    """Posts numbered messages until the daemon is gone; keeps those that were acknowledged."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._tried = 0
        self.acknowledged: list[str] = []
        self.is_heard = threading.Event()

    def post_until_gone(self) -> None:
        with contextlib.suppress(Unreachable):
            while True:
                self._tried += 1
                self._person.post(f"message {self._tried}")
                self.acknowledged.append(f"message {self._tried}")
                self.is_heard.set()


def life(rng: random.Random, seconds_max: float) -> None:
    """Let a random time pass: the kill must fall anywhere."""
    select.select([], [], [], rng.uniform(0, seconds_max))


def all_texts(person: Person) -> list[str]:
    """Every chat message, oldest first."""
    texts: list[str] = []
    after: dict[str, Any] = {"after": ""}
    page = person.ask("GET", "/messages", limit=1000)
    while page:
        texts = [message["text"] for message in page] + texts
        after = {"before": page[0]["cursor"]}
        page = person.ask("GET", "/messages", limit=1000, **after)
    return texts


def check_holds(person: Person, acknowledged: list[str]) -> None:
    """Raise AssertionError unless all these messages are there, once each and in order."""
    texts = [text for text in all_texts(person) if text.startswith("message ")]
    numbers = [int(text.split()[1]) for text in texts]
    assert numbers == sorted(set(numbers)), f"{person.name}: doubled or out of order"
    assert set(acknowledged) <= set(texts), f"{person.name}: an acknowledged message is gone"


def killed_while_posting(
    ana: Person, ben: Person, kills: int, rng: random.Random
) -> tuple[Poster, int]:
    """Kill Ana's daemon so many times while she posts; return what it said, and silent writes."""
    poster = Poster(ana)
    untold = held_more = 0
    for kill in range(kills):
        posting = threading.Thread(target=poster.post_until_gone)
        poster.is_heard.clear()
        posting.start()
        if kill == 0 or rng.random() < 0.8:  # else it may be killed before it answers
            poster.is_heard.wait(WAIT_S)
        life(rng, LIFE_S_MAX)
        ana.kill()
        posting.join()
        ana.start()
        ana.until_answering()
        if rng.random() < IN_TOUCH_SHARE:
            ana.until(lambda: ben.peer_id in ana.peers_in_touch(), "Ben")
        check_holds(ana, poster.acknowledged)
        more = len(all_texts(ana)) - len(poster.acknowledged)
        untold += more > held_more
        held_more = more
    return poster, untold


def killed_while_joining(ana: Person, cleo: Person, kills: int, rng: random.Random) -> int:
    """Kill a newcomer's daemon while it joins and syncs; return how often it was not done yet."""
    cleo.join(ana.invite())
    unfinished = 0
    for _ in range(kills):
        life(rng, JOIN_LIFE_S_MAX)
        with contextlib.suppress(Refused):
            unfinished += cleo.ask("GET", "/community")["operations"] < operations(ana)
        cleo.kill()
        cleo.start()
        cleo.until_up()
    cleo.until_member()
    return unfinished


def killed_while_rebuilding(ana: Person, kills: int, rng: random.Random) -> int:
    """Kill a daemon that makes all views anew; return how often it was not done yet."""
    before = ana.digest()
    unfinished = 0
    for _ in range(kills):
        asking = threading.Thread(target=_ask_for_a_rebuild, args=(ana,))
        asking.start()
        life(rng, REBUILD_LIFE_S_MAX)
        ana.kill()
        asking.join()
        ana.start()
        ana.until_answering()
        unfinished += ana.digest() != before
        ana.until(lambda: ana.digest() == before, "the views as they were")
    return unfinished


def _ask_for_a_rebuild(person: Person) -> None:
    with contextlib.suppress(Unreachable, ValueError):  # an answer of several lines, or cut off
        person.ask("POST", "/rebuild")


def operations(person: Person) -> int:
    return int(person.ask("GET", "/community")["operations"])


def check_sound(person: Person) -> None:
    """Raise AssertionError unless the whole store is sound and the person can go on writing."""
    person.post("still here")
    assert person.stop() == 0, person.log
    person.start()
    person.until_up()
    assert "ended by a fault" not in person.log, person.log


def kill_many(folder: Path, kills: int, seed: str) -> dict[str, int | str]:
    """Return what happened in so many kills; raises AssertionError on the first thing wrong."""
    rng = random.Random(seed)
    joins = max(3, kills // 7)
    rebuilds = max(2, kills // 7)
    migrations = max(2, kills // 7)
    with people(folder, "Ana", "Ben", "Cleo") as (ana, ben, cleo):
        ana.found("Garden")
        ben.join(ana.invite())
        ben.until_member()
        poster, untold = killed_while_posting(ana, ben, kills - joins - rebuilds - migrations, rng)
        ben.until(lambda: set(poster.acknowledged) <= set(all_texts(ben)), "all of Ana's messages")
        check_holds(ben, poster.acknowledged)
        unfinished = killed_while_joining(ana, cleo, joins, rng)
        rebuilding = killed_while_rebuilding(ana, rebuilds, rng)
        migrating = killed_while_migrating(ana, migrations, rng)
        check_holds(ana, poster.acknowledged)
        check_sound(cleo)
        ana.until(lambda: "still here" in ana.texts(), "Cleo's message")
        until_equal(ana, ben, cleo)
        check_holds(cleo, poster.acknowledged)
    return {
        "kills": kills,
        "seed": seed,
        "acknowledged": len(poster.acknowledged),
        "kills_after_the_disk_and_before_the_answer": untold,
        "kills_of_joins": joins,
        "kills_before_the_join_was_over": unfinished,
        "kills_of_rebuilds": rebuilds,
        "kills_before_the_views_were_made": rebuilding,
        "kills_of_migrations": migrations,
        "kills_before_the_schema_was_changed": migrating,
    }


if __name__ == "__main__":
    kill_command(kill_many, "a daemon that people use")
