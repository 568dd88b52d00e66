"""What decides a test's randomness: given from outside, or drawn and told."""

from __future__ import annotations

import os
import random
import secrets

SEED_VARIABLE = "P2PVALUE_TEST_SEED"


def drawn_seed(owner: str) -> int:
    """Return a number of the owner's own, made from the one that the environment gives, else drawn.

    What is printed repeats all of them.
    """
    given = os.environ.get(SEED_VARIABLE)
    origin = int(given) if given else secrets.randbits(32)
    print(f"repeat with {SEED_VARIABLE}={origin}")
    return random.Random(f"{origin} {owner}").getrandbits(32)
