"""Text as people write it, about as compressible, and the same for the same seed."""

from __future__ import annotations

import random

SYLLABLES = "ka lo mi ne ra to su vi pe da fo gu hi je ly mo na po qui ri se tu va wo".split()


class Filler:
    """Chat-like text of distinct words."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(12345)
        self._words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(3_000)]
        self._draw = random.Random(seed)

    def pad(self, text: str, size: int) -> str:
        """Return a text of `size` characters that begins with `text`."""
        draw = self._draw.random
        parts = [text]
        length = len(text)
        while length < size:
            word = " " + self._words[int(draw() * draw() * 3_000)]
            parts.append(word)
            length += len(word)
        return "".join(parts)[:size]
