"""Updates that no honest editor of plain text writes, each named after what it would do.

They are those that were found to make the text library panic, hang, die, or show two people
different texts (docs/attacks.md), as a member would write them: in the name of her own session.
"""

from __future__ import annotations

from typing import NamedTuple

from p2pvalue_protocol.documents.numbers import write_number as n
from p2pvalue_protocol.documents.verdict import VoidReason as Reason

_ROOT = b"\x01\x07content"
_A = b"\x04" + _ROOT + b"\x01a"  # a string "a" in the text


class Hostile(NamedTuple):
    """The bytes of one attack, and for which reason they are without effect."""

    update: bytes
    reason: Reason


_BAD, _BIG, _DEEP = Reason.MALFORMED, Reason.TOO_LARGE, Reason.TOO_DEEP


def _section(client: int, clock: int, *structs: bytes, deletes: bytes = b"\x00") -> bytes:
    return b"\x01" + n(len(structs)) + n(client) + n(clock) + b"".join(structs) + deletes


def _place(client: int, clock: int) -> bytes:
    return n(client) + n(clock)


def _text(data: bytes) -> bytes:
    return n(len(data)) + data


def _deletes(client: int, *ranges: tuple[int, int]) -> bytes:
    spans = b"".join(n(start) + n(length) for start, length in ranges)
    return b"\x01" + n(client) + n(len(ranges)) + spans


def _untimely(own: int, victim: int) -> dict[str, Hostile]:
    """Who wrote what, and when."""
    return {
        "another's clock": Hostile(_section(victim, 3, _A), Reason.CLIENT_FOREIGN),
        "a gap": Hostile(_section(own, 1_000, _A), Reason.OUT_OF_TURN),
        "deletes what is yet to be written": Hostile(
            b"\x00" + _deletes(victim, (0, 100)), Reason.DELETES_UNSEEN
        ),
        "a client above 53 bits": Hostile(_section(2**53 + 1, 0, _A), _BAD),
        "a clock that runs over": Hostile(_section(own, 2**31 - 1, _A), _BIG),
        "its own future as origin": Hostile(
            _section(own, 0, b"\x84" + _place(own, 5) + b"\x01a"), Reason.UNSEEN
        ),
        "itself as origin": Hostile(
            _section(own, 0, b"\x84" + _place(own, 0) + b"\x01a"), Reason.UNSEEN
        ),
        "what nobody wrote as origin": Hostile(
            _section(own, 0, b"\x84" + _place(victim, 3) + b"\x01a"), Reason.UNSEEN
        ),
    }


def _misplaced(own: int, victim: int) -> dict[str, Hostile]:
    """Where it stands."""
    a0, a2 = _place(victim, 0), _place(victim, 2)
    return {
        "a character as parent": Hostile(
            _section(own, 0, b"\x04\x00" + a0 + b"\x01a"), Reason.PARENT_INVALID
        ),
        "sides that cross": Hostile(
            _section(own, 0, b"\xc4" + a2 + a0 + b"\x01a"), Reason.NOT_ADJACENT
        ),
        "sides that nobody saw together": Hostile(
            _section(own, 0, b"\xc4" + a0 + a2 + b"\x01a"), Reason.NOT_ADJACENT
        ),
        "one character on both sides": Hostile(
            _section(own, 0, b"\xc4" + a0 + a0 + b"\x01a"), Reason.SIDES_DIFFER
        ),
        "another root": Hostile(_section(own, 0, b"\x04\x01\x04test\x01a"), Reason.PARENT_INVALID),
        "a key in a text": Hostile(
            _section(own, 0, b"\x24" + _ROOT + b"\x01k\x01a"), Reason.CONTENT_MISPLACED
        ),
    }


def _deadly(own: int, victim: int) -> dict[str, Hostile]:
    """What kills the library."""
    return {
        "an empty section, which panics": Hostile(b"\x01\x00" + n(own) + b"\x00\x00", _BAD),
        "the five bytes that panic": Hostile(bytes.fromhex("0100010100"), _BAD),
        "a skip before the first block, which panics": Hostile(
            _section(own, 0, b"\x0a\x05"), Reason.CONTENT_REFUSED
        ),
        "a block of nothing, which divides by zero": Hostile(
            _section(own, 0, b"\x01" + _ROOT + b"\x00"), _BAD
        ),
        "an empty string": Hostile(_section(own, 0, b"\x04" + _ROOT + b"\x00"), _BAD),
        "a string in a list, which hangs": Hostile(
            _section(
                own,
                0,
                b"\x07" + _ROOT + b"\x00",
                b"\x04\x00" + _place(own, 0) + _text("😀x".encode()),
            ),
            Reason.CONTENT_MISPLACED,
        ),
        "lists in lists, which end the process": Hostile(
            _section(own, 0, b"\x08" + _ROOT + b"\x01" + b"\x75\x01" * 20_000 + b"\x7e"), _DEEP
        ),
        "numbers without end": Hostile(_section(own, 0, b"\x08" + _ROOT + n(2**31)), _BIG),
        "JSON too deep": Hostile(
            _section(own, 0, b"\x05" + _ROOT + _text(b"[" * 10_000 + b"]" * 10_000)), _DEEP
        ),
        "a sub-document": Hostile(
            _section(own, 0, b"\x09" + _ROOT + b"\x01a\x7e"), Reason.CONTENT_REFUSED
        ),
        "a move": Hostile(_section(own, 0, b"\x0b" + _ROOT + b"\x00"), Reason.CONTENT_REFUSED),
        "old JSON": Hostile(
            _section(own, 0, b"\x02" + _ROOT + b"\x01\x021"), Reason.CONTENT_REFUSED
        ),
        "GC with flags": Hostile(_section(own, 0, b"\x80\x05"), _BAD),
        "two sections": Hostile(
            b"\x02\x01" + n(own) + b"\x00" + _A + b"\x01" + n(victim) + b"\x03" + _A + b"\x00",
            Reason.CLIENT_FOREIGN,
        ),
        "bytes after the end": Hostile(_section(own, 0, _A) + b"\x00", _BAD),
        "half of it": Hostile(_section(own, 0, _A)[:-4], _BAD),
        "no UTF-8": Hostile(_section(own, 0, b"\x04" + _ROOT + b"\x01\xff"), _BAD),
        "a number in a longer form": Hostile(
            b"\x01\x81\x00" + n(own) + b"\x00" + _A + b"\x00", _BAD
        ),
        "a number without end": Hostile(b"\x01" + b"\xff" * 20, _BAD),
    }


def _heavy(own: int, victim: int) -> dict[str, Hostile]:
    """What takes the library minutes, or gigabytes."""
    return {
        "more structs than one may write": Hostile(_section(own, 0, *[_A] * 4_097), _BIG),
        "a long block that others would split": Hostile(
            _section(own, 0, b"\x04" + _ROOT + _text(b"x" * 16_385)), _BIG
        ),
        "a long stretch written and deleted at once": Hostile(
            _section(own, 0, b"\x01" + _ROOT + n(65_537)), _BIG
        ),
        "deletions in thousands of pieces": Hostile(
            b"\x00" + _deletes(victim, *((2 * at, 1) for at in range(4_097))), _BIG
        ),
        "deletions that overlap": Hostile(b"\x00" + _deletes(victim, (0, 2), (1, 1)), _BAD),
        "deletions backwards": Hostile(b"\x00" + _deletes(victim, (2, 1), (0, 1)), _BAD),
        "a deletion of nothing": Hostile(b"\x00" + _deletes(victim, (0, 0)), _BAD),
        "one client's deletions twice": Hostile(
            b"\x00\x02" + (n(victim) + b"\x01\x00\x01") * 2, _BAD
        ),
    }


def hostile_updates(own: int, victim: int) -> dict[str, Hostile]:
    """Return all attacks of a fresh session with the client `own`.

    The document holds "abc" by the client `victim`, clocks 0 to 2, which the session has seen.
    """
    kinds = (_untimely, _misplaced, _deadly, _heavy)
    return {name: attack for kind in kinds for name, attack in kind(own, victim).items()}
