"""24 words stand for 32 bytes, and a slip of the pen is found before it does harm."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest

from p2pvalue.words import entropy_of, words_of
from p2pvalue_protocol.errors import LocalProtocolError

# Test vectors of BIP-39 with 32 bytes: https://github.com/trezor/python-mnemonic/blob/master/vectors.json
LEGAL = "legal winner thank year wave sausage worth useful "
LETTER = "letter advice cage absurd amount doctor acoustic avoid "
VECTORS = [
    (bytes(32), "abandon " * 23 + "art"),
    (b"\x7f" * 32, LEGAL * 2 + LEGAL.removesuffix("useful ") + "title"),
    (b"\x80" * 32, LETTER * 2 + LETTER.removesuffix("avoid ") + "bless"),
    (b"\xff" * 32, "zoo " * 23 + "vote"),
]


@pytest.mark.parametrize(("entropy", "text"), VECTORS)
def test_words_are_those_of_bip_39(entropy: bytes, text: str) -> None:
    assert words_of(entropy) == text.split()
    assert entropy_of(text) == entropy


def test_every_entropy_comes_back_from_its_words() -> None:
    for seed in range(50):
        entropy = random.Random(seed).randbytes(32)
        assert entropy_of(" ".join(words_of(entropy))) == entropy, seed


def test_how_they_were_written_down_does_not_matter() -> None:
    entropy = sha256(b"on paper").digest()
    words = words_of(entropy)
    numbered = "\n".join(f"{place:2}. {word.upper()}" for place, word in enumerate(words, 1))
    assert entropy_of(numbered) == entropy
    assert entropy_of("\t" + "  ".join(words) + "\n\n") == entropy


def test_a_word_that_is_not_in_the_list_is_named_by_its_place_alone() -> None:
    words = words_of(sha256(b"a slip of the pen").digest())
    words[6] = "gardn"
    with pytest.raises(LocalProtocolError, match="word 7 is not in the list") as caught:
        entropy_of(" ".join(words))
    assert "gardn" not in str(caught.value)
    words[11] = "sooon"
    with pytest.raises(LocalProtocolError, match="words 7, 12 are not in the list"):
        entropy_of(" ".join(words))


def test_two_words_that_changed_places_are_found_by_the_checksum() -> None:
    words = words_of(sha256(b"in a hurry").digest())
    words[3], words[4] = words[4], words[3]
    with pytest.raises(LocalProtocolError, match="checksum is wrong"):
        entropy_of(" ".join(words))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "0 words and not 24"),
        ("abandon " * 12, "12 words and not 24"),
        ("abandon " * 25, "25 words and not 24"),
        ("1 2 3 4", "0 words and not 24"),
        ("abandon " * 10_000, "longer than 24 words can be"),
        ("żółć " * 24, "not in the list"),
    ],
)
def test_what_is_no_24_words_is_told_so(text: str, says: str) -> None:
    with pytest.raises(LocalProtocolError, match=says):
        entropy_of(text)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_only_32_bytes_have_24_words(size: int) -> None:
    with pytest.raises(LocalProtocolError, match="32 bytes"):
        words_of(bytes(size))
