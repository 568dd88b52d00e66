"""Which blocks of one document are which of another: equal ones, and those that were changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from p2pvalue.texts.blocks import Node, key_of, text_of
from p2pvalue.texts.difference import stretches
from p2pvalue.texts.schema import name_of

_COMPARED_MAX: Final = 10_000  # pairs; more are taken in their order
_ALIKE: Final = 0.3  # share of the words that two have in common


class Change(NamedTuple):
    """`old[i:j]` is `new[k:m]` now; with `is_same` one block that reads otherwise."""

    i: int
    j: int
    k: int
    m: int
    is_same: bool


def changes(old: Sequence[Node], new: Sequence[Node]) -> Iterator[Change]:
    """Yield what turns `old` into `new`, in their order; nothing for what is equal."""
    keys = [key_of(node) for node in old], [key_of(node) for node in new]
    for is_equal, i, j, k, m in stretches(*keys):
        if is_equal:
            continue
        for at_old, at_new in _pairs(old[i:j], new[k:m]):
            yield from _replaced(i, i + at_old, k, k + at_new)
            i, k = i + at_old, k + at_new
            yield Change(i, i + 1, k, k + 1, is_same=True)
            i, k = i + 1, k + 1
        yield from _replaced(i, j, k, m)


def _replaced(i: int, j: int, k: int, m: int) -> Iterator[Change]:
    if i < j or k < m:
        yield Change(i, j, k, m, is_same=False)


def _pairs(old: Sequence[Node], new: Sequence[Node]) -> Iterator[tuple[int, int]]:
    """Yield which are the same block, both as counted from behind the pair before."""
    done_old = done_new = 0
    for at_old, at_new in _paired(old, new):
        yield at_old - done_old, at_new - done_new
        done_old, done_new = at_old + 1, at_new + 1


def _paired(old: Sequence[Node], new: Sequence[Node]) -> list[tuple[int, int]]:
    if len(old) * len(new) > _COMPARED_MAX or len(old) == len(new) == 1:
        pairs = enumerate(zip(old, new, strict=False))
        return [(at, at) for at, pair in pairs if len({*map(name_of, pair)}) == 1]
    share = _shares(old, new)
    best = _best(share)
    found: list[tuple[int, int]] = []
    i = k = 0
    while i < len(old) and k < len(new):
        if best[i][k] == best[i + 1][k]:
            i += 1
        elif best[i][k] == best[i][k + 1]:
            k += 1
        else:
            found.append((i, k))
            i, k = i + 1, k + 1
    return found


def _best(share: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return how much the best pairs share, of what is left of both behind each place."""
    rows, columns = len(share), len(share[0]) if share else 0
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in reversed(range(rows)):
        for k in reversed(range(columns)):
            paired = share[i][k] + best[i + 1][k + 1] if share[i][k] else 0.0
            best[i][k] = max(best[i + 1][k], best[i][k + 1], paired)
    return best


def _shares(old: Sequence[Node], new: Sequence[Node]) -> list[list[float]]:
    words = [Counter(re.findall(r"\w+", text_of(node))) for node in new]
    found = []
    for node in old:
        own = Counter(re.findall(r"\w+", text_of(node)))
        found.append(
            [
                _share(own, other) if name_of(node) == name_of(counterpart) else 0.0
                for other, counterpart in zip(words, new, strict=True)
            ]
        )
    return found


def _share(old: Counter[str], new: Counter[str]) -> float:
    """Return how alike two are, from 0 (too little) to 1."""
    most = max(old.total(), new.total())
    share = (old & new).total() / most if most else 1.0
    return share if share >= _ALIKE else 0.0
