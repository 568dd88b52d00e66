"""Four daemons on lines that delay and lose packets, cut in two parts and joined again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.badnet.line import Line
from tests.badnet.places import why_not
from tests.badnet.town import Town, town

LOSSY = Line(delay_ms=15, jitter_ms=10, loss_share=0.01)
WHY_NOT = why_not()


@pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")
def test_parts_of_a_bad_network_go_on_apart_and_end_equal(tmp_path: Path, seed: int) -> None:
    with town(tmp_path, people=4, seed=seed, line=LOSSY) as four:
        four.start(*four.people)
        four.gather(*four.people)
        four.until_read([four.post(four.people[0])], four.people)
        go_on_apart(four)
        four.net.mend()
        four.until_equal()
        traffic = four.net.traffic().values()
        assert sum(t.lost_packets for t in traffic) > 0
        assert sum(t.cut_packets for t in traffic) > 0


def go_on_apart(four: Town) -> None:
    """Cut the town in two; each part reads its own part's words and none of the other's."""
    # All know the first, who let them in; whether also each other, when the cut comes, is chance.
    parts = four.people[:3], four.people[3:]
    four.cut(*parts, both=True)
    said = [[four.post(person) for person in part] for part in parts]
    for part, own, others in zip(parts, said, reversed(said), strict=True):
        four.until_read(own, part)
        for person in part:
            assert not set(others) & set(person.texts())
