"""What an honest editor writes between two units that are no neighbours, put where it shows it.

Yjs's undo brings what stood in a deleted block back in a new one, and looks for both sides of it
among what came back. Of a text that was deleted and brought back before, it finds the same unit for
both, or one on the wrong side. The editor then shows what it wrote behind its origin, as if it had
no right side, and other editors elsewhere, each where its memory happens to be split. So before
such an update is signed it says for everybody what its own editor shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from p2pvalue_protocol.documents.chains import run_of
from p2pvalue_protocol.documents.rules import side_of, take_struct
from p2pvalue_protocol.documents.update_form import Struct, read_update, write_update
from p2pvalue_protocol.documents.verdict import UpdateInvalid, VoidReason

if TYPE_CHECKING:
    from p2pvalue_protocol.documents.facts import Facts
    from p2pvalue_protocol.documents.past import Past
    from p2pvalue_protocol.documents.steps import Steps
    from p2pvalue_protocol.documents.strands import Char

HOPS_MAX: Final = 65_536  # to mend one update; one that takes more is judged as it is
_STRUCTS_PER_STEP: Final = 256
_APART: Final = (VoidReason.SIDES_DIFFER, VoidReason.NOT_ADJACENT)


def mending(
    facts: Facts, branch: int, device: bytes, session: int, heads: tuple[bytes, ...], data: bytes
) -> Steps[bytes]:
    """Return an update that is to be written next, with sides that are neighbours.

    One that breaks another rule stays as it is, and so does one whose sides are. Changes no facts;
    takes as long as judging.
    """
    try:
        update = read_update(data)
        if all(struct.right is None for struct in update.structs):
            return data
        past = facts.past_of(branch, device, session, heads)
        mended = yield from _mended(update.structs, past, facts)
    except UpdateInvalid:
        return data
    return data if mended == update.structs else write_update(update._replace(structs=mended))


def _mended(structs: tuple[Struct, ...], past: Past, facts: Facts) -> Steps[tuple[Struct, ...]]:
    strand = past.writing
    assert strand is not None, "a session writes"
    runs, mended, hops = len(strand.runs), [], 0
    try:
        for struct in structs:
            fits = struct
            try:
                take_struct(struct, strand, past, facts.roots)
            except UpdateInvalid as error:
                if error.reason not in _APART or struct.right is None or hops > HOPS_MAX:
                    raise
                fits, taken = _beside(struct, past)
                hops += taken
                take_struct(fits, strand, past, facts.roots)
                yield
            mended.append(fits)
            if len(mended) % _STRUCTS_PER_STEP == 0:
                yield
    finally:
        strand.cut(past.first, runs)
    return tuple(mended)


def _beside(struct: Struct, past: Past) -> tuple[Struct, int]:
    """Return a struct with the right side that its editor met first, and the hops to find it.

    That is the unit begun after its origin in whose chain the one told is; none if it is in none.
    """
    origin, char = side_of(struct.origin, past), side_of(struct.right, past)
    hops = 0
    while char is not None:
        met = _after(origin, char)
        if met is not None:
            return struct._replace(right=_called(met, past)), hops
        char = run_of(char).origin
        hops += 1
    return struct._replace(right=None), hops


def _after(origin: Char | None, char: Char) -> Char | None:
    """Return the unit whose left origin is `origin`, if it is in the run of a unit, up to there."""
    strand, clock = char
    at = strand.run_of(clock)
    start = strand.run_starts[at]
    if strand.runs[at].origin == origin:
        return strand, start
    if origin is not None and origin[0] is strand and start <= origin[1] < clock:
        return strand, origin[1] + 1
    return None


def _called(char: Char, past: Past) -> tuple[int, int]:
    strand, clock = char
    if strand is past.writing and clock >= past.first:
        return past.name, clock - past.shift
    return past.naming.called(strand, clock)
