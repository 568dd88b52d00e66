"""How much memory the text library takes for a byte of update, by what the updates say.

A text of 256,000 letters comes first where one is needed. Each kind is measured in a process of its
own; prints one JSON line, by kind the bytes of payload and how many of memory each of them took:

    python -m tests.bench.text_memory
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pycrdt

from p2pvalue_protocol.documents.numbers import write_number as n

ROOT = b"\x01\x07content"
OWN, OTHER = 2**52 + 1, 2**52 + 2
PAGE_BYTES = 4_096
LETTERS = 256_000
PIECE = 16_000


def section(client: int, clock: int, *structs: bytes) -> bytes:
    """Return an update of one section that deletes nothing."""
    return b"\x01" + n(len(structs)) + n(client) + n(clock) + b"".join(structs) + b"\x00"


def long_text() -> Iterator[bytes]:
    """A text in pieces as long as may be."""
    for clock in range(0, LETTERS, PIECE):
        begins = b"\x84" + n(OWN) + n(clock - 1) if clock else b"\x04" + ROOT
        yield section(OWN, clock, begins + n(PIECE) + b"x" * PIECE)


def deletes_every_second() -> Iterator[bytes]:
    """Ranges of one letter each."""
    for start in range(0, LETTERS, 8_000):
        ranges = b"".join(n(clock) + n(1) for clock in range(start, start + 8_000, 2))
        yield b"\x00\x01" + n(OWN) + n(4_000) + ranges


def writes_between() -> Iterator[bytes]:
    """A letter between each two."""
    for number, start in enumerate(range(0, LETTERS - 4_000, 4_000)):
        places = range(start, start + 4_000, 2)
        sides = [n(OWN) + n(clock) + n(OWN) + n(clock + 1) for clock in places]
        yield section(OTHER, 2_000 * number, *(b"\xc4" + both + b"\x01a" for both in sides))


def writes_at_the_front() -> Iterator[bytes]:
    """Each letter before all others."""
    first = b"\x04" + ROOT + b"\x01a"
    yield section(OTHER, 0, first, *(b"\x44" + n(OTHER) + n(at) + b"\x01a" for at in range(4_000)))


KINDS: dict[str, tuple[bool, Callable[[], Iterator[bytes]]]] = {
    "deletes_every_second": (True, deletes_every_second),
    "writes_between": (True, writes_between),
    "writes_at_the_front": (False, writes_at_the_front),
}
"""Whether a text comes first, and what is measured."""


def resident_bytes() -> int:
    """Return the memory that this process takes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES


def measured(kind: str) -> dict[str, float]:
    """Return what one kind takes, in this process."""
    needs_text, updates = KINDS[kind]
    document: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=1)
    document.get("content", type=pycrdt.Text)
    for update in long_text() if needs_text else ():
        document.apply_update(update)
    before, payload_bytes = resident_bytes(), 0
    for update in updates():
        document.apply_update(update)
        payload_bytes += len(update)
    taken = resident_bytes() - before
    return {"payload_bytes": payload_bytes, "memory_per_byte": round(taken / payload_bytes, 1)}


def main() -> None:
    """Measure one kind, or all."""
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1])))
        return
    found = {}
    for kind in KINDS:
        command = [sys.executable, "-m", "tests.bench.text_memory", kind]
        found[kind] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
