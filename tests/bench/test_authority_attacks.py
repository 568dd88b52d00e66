"""Who may give and take ranks makes nobody judge for long, whatever she writes.

Counted, not timed: the lines of Python that are run. Twice as many operations, with twice as many
frontiers at which something is judged, may cost little more than twice as much.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from tests.bench.authority_attacks import SHAPES, besieged

FEW = 120
GROWTH_MAX = 2.6  # of the lines; twice would be the same for each operation, four times for pairs


class Lines:
    """Counts the lines that are run."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        self.count += event == "line"
        return self


def lines_of(shape: str, operations: int) -> int:
    lines = Lines()
    before = sys.gettrace()
    sys.settrace(lines)
    try:
        besieged(shape, operations, operations // 5)
    finally:
        sys.settrace(before)
    return lines.count


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_written_later_costs_no_more_to_judge(shape: str) -> None:
    assert lines_of(shape, 2 * FEW) <= GROWTH_MAX * lines_of(shape, FEW)
