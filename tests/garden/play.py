"""Plays a page of the garden: its commands on real daemons, and between them what others do.

A page names times in bold, **14 March, 18:00**. Before the next command time goes on to there: the
cast does what `half-a-year.txt` says up to then, and where the last day of a need is over, twenty
minutes later the daemons are told that time has passed. Nobody types before all who are there know
the same.
"""

from __future__ import annotations

import datetime
import os
import re
import sys
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import trio
from trio.testing import wait_all_tasks_blocked

from p2pvalue.folder import holder
from tests.cli.transcript import Step, Transcript
from tests.garden.cast import Cast
from tests.garden.clock import Clock
from tests.garden.daemon import TIME_PASSED
from tests.garden.deeds import YEAR, Meeting, do, read_meetings, time_ms
from tests.garden.program import CLOCK_VARIABLE
from tests.patience import WAIT_S
from tests.system.hostile import until
from tests.system.person import Unreachable, ask_daemon

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPT: Final = Path(__file__).parent / "half-a-year.txt"
_TIME: Final = re.compile(r"\*\*(\d+ [A-Z][a-z]+), (\d\d:\d\d)\*\*")
_MINUTE_MS: Final = 60_000
_CLOSED_AFTER_MS: Final = 21 * _MINUTE_MS  # stewards' daemons close after ten to twenty


class Story(Transcript):
    """One run of the page; commands are typed in a thread, the cast lives in trio."""

    program = "tests.garden.program"

    def __init__(self, home: Path, page: str, cast: Cast, clock: Clock) -> None:
        super().__init__(home)
        self._cast = cast
        self._clock = clock
        self._times = _times(page)
        self._meetings = read_meetings(SCRIPT.read_text(encoding="utf-8"))
        clock.start(self._times[0][1])
        self._bin = home / "bin"
        self._bin.mkdir()
        command = self._bin / "p2pvalue"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m {self.program} "$@"\n')
        command.chmod(0o700)

    def environment(self, person: str) -> dict[str, str]:
        found = super().environment(person)
        return found | {
            "PATH": f"{self._bin}:{found['PATH']}",
            "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
            "TZ": "UTC",
            CLOCK_VARIABLE: str(self.home / "clock"),
        }

    def before(self, step: Step) -> None:
        """Let time go on to where the page is, and everybody hear of everything."""
        trio.from_thread.run(self._go_on, step)

    def those_here(self) -> list[str]:
        """Return whose daemons run, and have a network."""
        running = [name for name in self.daemons if holder(self.home / name) is not None]
        return [name for name in running if "listen = []" not in self._settings(name)]

    def _settings(self, name: str) -> str:
        return (self.home / name / "config.toml").read_text(encoding="utf-8")

    def asked(self, name: str, path: str) -> Any:
        """Return what somebody's daemon answers."""
        return ask_daemon(self.home / name, "GET", path, {})

    async def _go_on(self, step: Step) -> None:
        while self._times and self._times[0][0] < step.line:
            _, now_ms = self._times.pop(0)
            while self._meetings and self._meetings[0].time_ms <= now_ms:
                meeting = self._meetings.pop(0)
                await self._pass_time(meeting.time_ms)
                await self._meet(meeting)
            await self._pass_time(now_ms)
        await self._until_equal()

    async def _pass_time(self, now_ms: int) -> None:
        """Go on to a time, with a stop wherever the daemons have a need to close."""
        await self._until_equal()
        for closes in self._last_days(now_ms):
            self._clock.advance(closes + _CLOSED_AFTER_MS)
            self._tell_time_passed()
            await until(partial(self._is_closed, closes))
            await self._until_equal()
        self._clock.advance(now_ms)
        self._tell_time_passed()

    def _is_closed(self, closes: int) -> bool:
        return closes not in self._last_days(closes + 1)

    def _last_days(self, now_ms: int) -> list[int]:
        """Return the last days, before a time, of needs that somebody who is here is to close."""
        hall, here = self._cast.hall, {name.capitalize() for name in self.those_here()}
        if hall is None or not hall.communities():
            return []
        needs = hall.community().needs
        return sorted(
            {
                found.closes
                for found in map(needs.view, needs.rows())
                if 0 < found.closes < now_ms and found.state == "open" and not found.is_closed
                if here & {person.name for person in found.stewards}
            }
        )

    def _tell_time_passed(self) -> None:
        for name in self.those_here():
            self.daemons[name].process.send_signal(TIME_PASSED)

    async def _meet(self, meeting: Meeting) -> None:
        cast = self._cast
        newcomers = [deed.name for deed in meeting.deeds if deed.words == "join"]
        if newcomers:
            await cast.join(newcomers, "p2pvalue:1#" + self.kept["[link]"])
        async with cast.gathered(meeting.names()) as nodes:
            for number, deed in enumerate(meeting.deeds):
                self._clock.advance(meeting.time_ms + number * _MINUTE_MS)
                if deed.words == "join":
                    continue
                if deed.is_away:
                    async with cast.away(deed.name) as node:
                        await do(deed, node.community())
                else:
                    await cast.caught_up(nodes[deed.name])
                    await do(deed, nodes[deed.name].community())
                    await cast.caught_up(nodes[deed.name])

    async def _until_equal(self) -> None:
        """Return when the hall and everybody whose daemon runs see the same."""
        hall = self._cast.hall
        assert hall is not None
        if not hall.communities():
            return
        with trio.fail_after(WAIT_S):
            for name in self.those_here():
                while await self._digest(name) != hall.community().digest():
                    await wait_all_tasks_blocked(0.02)

    async def _digest(self, name: str) -> str:
        with suppress(Unreachable):
            answer = await trio.to_thread.run_sync(partial(self.asked, name, "/digest"))
            return str(answer["digest"])
        return ""


S = TypeVar("S", bound=Story)


def _times(page: str) -> list[tuple[int, int]]:
    """Return the times that a page names, ms, each with its line."""
    found = []
    for match in _TIME.finditer(page):
        day = datetime.datetime.strptime(f"{match[1]} {YEAR}", "%d %B %Y")
        line = page.count("\n", 0, match.start()) + 1
        found.append((line, time_ms(f"{day.date()} {match[2]}")))
    return found


async def played(home: Path, page: str, kind: type[S]) -> S:
    """Play a page in an empty folder; raises AssertionError at the first that goes otherwise."""
    people = home / "people"
    people.mkdir(mode=0o700)
    with closing(Clock(home / "clock")) as clock:
        cast = Cast(people, clock)
        story = kind(home, page, cast, clock)
        async with cast.at_home("/ip4/127.0.0.1/tcp/0"):
            await trio.to_thread.run_sync(story.run, page)
    return story
