"""Who may give and take ranks makes nobody judge for long, whatever she writes.

Counted, not timed: the lines of Python that are run. Twice as many operations, with twice as many
frontiers at which something is judged, may cost little more than twice as much.
"""

from __future__ import annotations

import pytest

from tests.bench.authority_attacks import SHAPES, besieged
from tests.bench.lines import lines_of

FEW = 120
GROWTH_MAX = 2.6  # of the lines; twice would be the same for each operation, four times for pairs


def cost_of(shape: str, operations: int) -> int:
    return lines_of(lambda: besieged(shape, operations, operations // 5))


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_written_later_costs_no_more_to_judge(shape: str) -> None:
    assert cost_of(shape, 2 * FEW) <= GROWTH_MAX * cost_of(shape, FEW)
