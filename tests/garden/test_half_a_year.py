"""The garden's half-year, as its page tells it, on real daemons that say the same at its end."""

from __future__ import annotations

import re
from pathlib import Path

from tests.garden.clock import Clock
from tests.garden.deeds import Deed, Meeting, read_meetings, time_ms
from tests.garden.play import ROOT, Story, played

ALL_THAT_IS_TOLD = """
p2pvalue need list --all --json
p2pvalue need rank --json
p2pvalue need rank --json | grep -o '"need": "[0-9a-f]*"' | cut -d '"' -f 4 | while read need
do p2pvalue need explain "$need" --json
done
p2pvalue pledge list --json
p2pvalue contribution list --json
p2pvalue thanks list --json
"""


OF_THE_READER = re.compile(r'"is_(mine|wanted)": (true|false)')
"""What says of a need whether it concerns who asks; all else is the same for everybody."""


class AskedAtTheEnd(Story):
    """Lets four people print everything when the page is over."""

    told: dict[str, str]

    def ended(self) -> None:
        self.told = {
            name: OF_THE_READER.sub("", self.output(name, ALL_THAT_IS_TOLD))
            for name in self.those_here()
        }


async def test_forty_people_and_half_a_year_end_with_the_same_on_all_daemons(
    tmp_path: Path,
) -> None:
    page = (ROOT / "docs" / "half-a-year.md").read_text(encoding="utf-8")
    story = await played(tmp_path, page, AskedAtTheEnd)
    assert sorted(story.told) == ["alice", "bob", "carla", "dora"]
    alices, *others = story.told.values()
    assert "Error" not in alices
    assert alices.count("\n") >= len(("needs", "order", "pledges", "contributions", "thanks"))
    assert others == [alices] * 3


def test_a_script_says_who_does_what_and_when() -> None:
    text = "# A pond\n2027-03-01 18:00\nIda, Jon: want A pond\n\nEmil, away: say Hello\n"
    deeds = [
        Deed("Ida", "want A pond"),
        Deed("Jon", "want A pond"),
        Deed("Emil", "say Hello", True),
    ]
    assert read_meetings(text) == [Meeting(time_ms("2027-03-01 18:00"), deeds)]


def test_a_clock_goes_on_from_where_it_was_set_and_never_back(tmp_path: Path) -> None:
    clock, seen_by_another = Clock(tmp_path / "clock"), Clock(tmp_path / "clock")
    clock.start(1_000_000)
    assert seen_by_another.now_ms() >= 1_000_000
    clock.advance(2_000_000)
    clock.advance(1_500_000)
    assert seen_by_another.now_ms() >= 2_000_000
    for each in (clock, seen_by_another):
        each.close()
