"""The examples of docs/needs.md come out as they say: lines are played, what follows `->` holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from p2pvalue_protocol.kinds.need import NeedLine
from p2pvalue_protocol.kinds.pledge import Condition
from tests.needs.by_hand import Board, root

PAGE = Path(__file__).resolve().parents[2] / "docs" / "needs.md"
EXAMPLES = re.findall(r"^```example\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
HOUR = "hour"


class Example:
    """One need, and what people do about it, in the words of the page."""

    def __init__(self) -> None:
        self.board = Board()
        self.pledges: dict[str, bytes] = {}
        self.units: list[str] = []

    def play(self, line: str) -> None:
        """Do what one line says; raises AssertionError if it comes out otherwise."""
        said, _, expected = (part.strip() for part in line.partition("->"))
        doings: dict[str, Callable[..., None]] = {
            r"Ana needs (.+?)(?:; (\w+) is the steward)?(, with the trigger none)?": self.need,
            r"(\w+) offers (\d+) (\w+)(?:, if (\w+) (others )?(?:do|does))?": self.offer,
            r"(\w+) withdraws(?:, handing it to (\w+))?": self.withdraw,
            r"(\w+) takes over (\d+) hours of (\w+)": self.take,
            r"(\w+) (claim|confirm)s (\d+) hours of (\w+)": self.tell,
            r"(\w+) closes(?:, leaving out (\w+))?": self.close,
        }
        found = {do: match for form, do in doings.items() if (match := re.fullmatch(form, said))}
        assert found, f"nobody knows what this means: {said}"
        for do, match in found.items():
            do(*match.groups())
        for outcome in filter(None, expected.split("; ")):
            self.check(outcome)

    def need(self, what: str, steward: str | None, untriggered: str | None) -> None:
        lines = []
        for minimum, unit in (asked.split() for asked in what.split(" and ")):
            self.units.append(unit.removesuffix("s"))
            if self.units[-1] == HOUR:
                lines.append(NeedLine("hours", "minute", 60 * int(minimum), 60 * int(minimum)))
            else:
                lines.append(NeedLine("material", unit, int(minimum), int(minimum)))
        stewards = [steward] if steward else []
        if untriggered:
            self.board = Board(*lines, stewards=stewards, trigger="none", closes=0)
        else:
            self.board = Board(*lines, stewards=stewards)

    def offer(self, who: str, count: str, unit: str, other: str | None, many: str | None) -> None:
        unit = unit.removesuffix("s")
        conditions = []
        if other is not None:
            found = Condition(others=int(other)) if many else Condition(member=root(other))
            conditions.append(found)
        quantity = int(count) * (60 if unit == HOUR else 1)
        line = self.units.index(unit)
        self.pledges[who] = self.board.offer(who, quantity, *conditions, line=line)

    def withdraw(self, who: str, to: str | None) -> None:
        self.board.say(who, "withdraw", self.pledges[who], to=to)

    def take(self, who: str, hours: str, whose: str) -> None:
        source = self.pledges[whose]
        self.pledges[who] = self.board.offer(who, 60 * int(hours), takes=source)

    def tell(self, who: str, act: str, hours: str, whose: str) -> None:
        self.board.say(who, act, self.pledges[whose], 60 * int(hours))

    def close(self, who: str, left_out: str | None) -> None:
        author = "ana" if who == "Ana" else who  # as the board calls her
        self.board.close(author, but=[self.pledges[left_out]] if left_out else [])

    def check(self, outcome: str) -> None:
        """`Bea binding` is said of her pledge, `triggered` of the need."""
        *whose, state = outcome.split()
        if whose:
            assert self.board.states(self.pledges[whose[0]]) == [state], outcome
        else:
            assert self.board.state() == state


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.partition("\n")[0][:40])
def test_the_example_comes_out_as_the_page_says(text: str) -> None:
    example = Example()
    assert "->" in text
    for line in text.splitlines():
        example.play(line)


def test_every_example_of_the_page_is_played() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```example") >= 5
