"""Which entries get new numbers when some of their device are shown again (see `interface`)."""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol.past import EntryRow


def first_seqs(again: Iterable[EntryRow]) -> dict[tuple[bytes, int, bytes], int]:
    """Return, by (container, kind, device), the seq from which on all entries are numbered anew.

    By device and not by log: what a branch of a forked log holds follows what it branched from.
    """
    firsts: dict[tuple[bytes, int, bytes], int] = {}
    for row in again:
        name = (row.container, row.kind, row.device)
        firsts[name] = min(row.seq, firsts.get(name, row.seq))
    return firsts
