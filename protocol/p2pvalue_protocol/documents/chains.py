"""Whether two units can have stood beside each other: a question about chains of left origins.

The chain of a unit is the unit, its left origin, the left origin of that, and so on. So runs make
trees, in which each is below the one that it was begun after. A run knows how deep it stands and
one that is far above it, so that any above it is found in few hops, however long its chain.
"""

from __future__ import annotations

from bisect import bisect_right

from p2pvalue_protocol.documents.steps import Steps
from p2pvalue_protocol.documents.strands import Char, Run, Strand

_SETTLED_PER_STEP = 4_096


def run_of(char: Char) -> Run:
    """Return the run that a unit is in."""
    strand, clock = char
    return strand.runs[bisect_right(strand.run_starts, clock) - 1]


def settle(run: Run, above: Run | None) -> None:
    """Give a run its depth and a jump; `above`, which it was begun after, has them. ~0.3 µs.

    Jumps are as long as those of skew-binary numbers: from depth d any depth above is reached in
    at most 3 log2(d) hops, by a jump each time that it does not go too far.
    """
    if above is None:
        run.depth = 0
        return
    run.depth = above.depth + 1
    run.jump = above
    jump = above.jump
    if jump is not None and jump.jump is not None:
        far = jump.jump
        if above.depth - jump.depth == jump.depth - far.depth:
            run.jump = far


def settling(strands: list[Strand]) -> Steps[None]:
    """Settle all runs, which may have been begun after each other in any order."""
    count = 0
    for run in (run for strand in strands for run in strand.runs):
        unsettled: list[Run] = []
        at: Run | None = run
        while at is not None and at.depth < 0:
            unsettled.append(at)
            at = _above(at)
            count += 1
            if count % _SETTLED_PER_STEP == 0:
                yield
        while unsettled:
            last = unsettled.pop()
            settle(last, _above(last))


def may_be_neighbours(origin: Char | None, right: Char) -> bool:
    """Return whether two units can have stood beside each other; ~1 µs, 30 in the longest chains.

    What stood right of an honest struct has its own left origin in the chain of the struct's, and
    is not in that chain itself.
    """
    strand, clock = right
    at = strand.run_of(clock)
    run = strand.runs[at]
    is_first = strand.run_starts[at] == clock
    left = run.origin if is_first else (strand, clock - 1)
    if left == origin:
        return True
    if left is None:  # it began what it is in
        assert origin is not None
        return _upwards(run_of(origin), 0) is not run
    if origin is None:
        return False
    upper = run_of(left) if is_first else run
    below, reached = _way_to(upper, origin)
    if reached is None or reached < left[1]:
        return False
    return below is not run if is_first else reached == left[1]


def _way_to(upper: Run, char: Char) -> tuple[Run | None, int | None]:
    """Return the last run on the way up from a unit to a run, and the clock at which it gets there.

    The run is None if the unit is in `upper` itself, the clock if the way does not lead there.
    """
    lowest = run_of(char)
    if lowest is upper:
        return None, char[1]
    if lowest.depth <= upper.depth:
        return None, None
    below = _upwards(lowest, upper.depth + 1)
    assert below.origin is not None, "only runs of depth 0 were begun after nothing"
    return below, below.origin[1] if run_of(below.origin) is upper else None


def _upwards(run: Run, depth: int) -> Run:
    """Return the run of a depth that is above a run, or it is itself."""
    while run.depth > depth:
        jump = run.jump
        if jump is not None and jump.depth >= depth:
            run = jump
        else:
            above = _above(run)
            assert above is not None, "only runs of depth 0 have none above"
            run = above
    return run


def _above(run: Run) -> Run | None:
    return None if run.origin is None else run_of(run.origin)
