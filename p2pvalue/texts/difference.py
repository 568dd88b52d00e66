"""What changed between two texts, as the edits that turn one into the other.

Lines are compared first, then the words inside lines that changed, then the characters at the ends
of words: whoever merges the edits keeps what others wrote in the rest of a line. The time is
bounded: texts with little order in them become one replacement.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from p2pvalue.texts.edits import Edit

_COMPARISONS_MAX: Final = 4_000_000  # about a second on a small computer
_POPULAR_FROM: Final = 200  # from here on difflib leaves out what is in more than one of a hundred
_WORD = re.compile(r"\w+|\W", re.DOTALL)


def edits_between(old: str, new: str) -> list[Edit]:
    """Return edits that, one after the other, turn `old` into `new`; none if they are equal.

    A page with a changed sentence costs about a millisecond.
    """
    edits: list[Edit] = []
    moved = 0
    for start, end, text in _by_lines(old, new):
        if start != end or text:
            edits.append(Edit(start + moved, end - start, text))
            moved += len(text) - (end - start)
    return edits


_Change = tuple[int, int, str]  # a range of the old text, and what comes in its place


def _by_lines(old: str, new: str) -> list[_Change]:
    head, tail = _common(old, new)
    # Whole lines, so that lines can be compared.
    head = old.rfind("\n", 0, head) + 1
    line_end = old.find("\n", len(old) - tail)
    tail = 0 if tail == 0 or line_end < 0 else len(old) - line_end - 1
    old_lines = old[head : len(old) - tail].splitlines(keepends=True)
    new_lines = new[head : len(new) - tail].splitlines(keepends=True)
    found: list[_Change] = []
    for start, end, before, after in _replaced(old_lines, new_lines, head):
        found.extend(_by_words(start, end, before, after))
    return found


def _by_words(start: int, end: int, before: str, after: str) -> list[_Change]:
    words = _WORD.findall(before), _WORD.findall(after)
    return [
        _trimmed(word_start, word_end, old, new)
        for word_start, word_end, old, new in _replaced(*words, start)
    ] or [(start, end, after)]


def _replaced(
    old: Sequence[str], new: Sequence[str], offset: int
) -> list[tuple[int, int, str, str]]:
    """Return the unequal stretches: their range in the old text, the old and the new text."""
    found = []
    at = offset
    for is_equal, i, j, k, m in stretches(old, new):
        before = "".join(old[i:j])
        if not is_equal:
            found.append((at, at + len(before), before, "".join(new[k:m])))
        at += len(before)
    return found


def stretches(old: Sequence[str], new: Sequence[str]) -> list[tuple[bool, int, int, int, int]]:
    """Return the stretches in which two lists are equal or not: whether, and both ranges.

    Lists with little order in them are one stretch.
    """
    if _comparisons(old, new) > _COMPARISONS_MAX:
        return [(False, 0, len(old), 0, len(new))]
    found = SequenceMatcher(None, old, new).get_opcodes()
    return [(tag == "equal", i, j, k, m) for tag, i, j, k, m in found]


def _comparisons(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how much work difflib may have: equal pairs, as often as it may look at them."""
    counts = Counter(new)
    popular = len(new) // 100 + 1 if len(new) >= _POPULAR_FROM else len(new)
    pairs = sum(n * counts[item] for item, n in Counter(old).items() if counts[item] <= popular)
    return pairs * max(1, min(len(old), len(new)).bit_length()) + len(old) + len(new)


def _trimmed(start: int, end: int, before: str, after: str) -> _Change:
    head, tail = _common(before, after)
    return start + head, end - tail, after[head : len(after) - tail]


def _common(old: str, new: str) -> tuple[int, int]:
    """Return how many characters are equal at the start and, apart from these, at the end."""
    most = min(len(old), len(new))
    head = _equal_length(old, new, most)
    tail = _equal_length(old[::-1], new[::-1], most - head)
    return head, tail


def _equal_length(old: str, new: str, most: int) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
