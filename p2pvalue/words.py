"""The 24 words on paper that stand for a person: 32 bytes of entropy, by BIP-39's English list."""

from __future__ import annotations

import functools
from typing import Final

from mnemonic import Mnemonic

from p2pvalue_protocol.errors import LocalProtocolError

WORDS: Final = 24
ENTROPY_BYTES: Final = 32
TEXT_CHARACTERS_MAX: Final = 2_000
"""Far more than 24 words with their numbers take."""


def words_of(entropy: bytes) -> list[str]:
    """Return the 24 words for 32 bytes; the last one holds eight bits of checksum (BIP-39)."""
    if len(entropy) != ENTROPY_BYTES:
        raise LocalProtocolError(f"{WORDS} words stand for {ENTROPY_BYTES} bytes: give as many")
    return _list().to_mnemonic(entropy).split(" ")


def entropy_of(text: str) -> bytes:
    """Return the 32 bytes for which 24 words stand.

    Case, line ends and the numbers of a numbered list do not matter. Raises LocalProtocolError that
    tells the place of a word that is not in the list, but repeats none: a message may end in a log.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise LocalProtocolError(f"that is longer than {WORDS} words can be: give the words alone")
    given = [part for part in text.lower().split() if not part.rstrip(".):").isdecimal()]
    known = set(_list().wordlist)
    wrong = [str(place) for place, word in enumerate(given, 1) if word not in known]
    if wrong:
        which = f"word {wrong[0]} is" if len(wrong) == 1 else f"words {', '.join(wrong)} are"
        raise LocalProtocolError(f"{which} not in the list of words: compare with your paper")
    if len(given) != WORDS:
        raise LocalProtocolError(f"these are {len(given)} words and not {WORDS}: give all of them")
    try:
        return bytes(_list().to_entropy(given))
    except ValueError:
        raise LocalProtocolError(
            "all the words are in the list, but their checksum is wrong: one of them is another "
            "than on your paper, or two have changed places"
        ) from None


@functools.cache
def _list() -> Mnemonic:
    return Mnemonic("english")
