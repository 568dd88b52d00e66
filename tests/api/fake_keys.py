"""Keys that anybody may know, for a node of straw."""

from __future__ import annotations

from p2pvalue import types as t
from p2pvalue.keyfile import WrongPassphrase
from p2pvalue.keystore import WordsNeeded
from p2pvalue.words import entropy_of
from p2pvalue_protocol.errors import LocalProtocolError


class FakeKeys:
    """Fulfils KeysInterface in memory."""

    def __init__(self) -> None:
        self.words = "abandon " * 23 + "art"
        self.are_shown = False
        self.has_words = True
        self.passphrase = ""

    @property
    def protection(self) -> t.Protection:
        return "passphrase" if self.passphrase else "none"

    def take_words(self) -> list[str]:
        if self.are_shown:
            raise LocalProtocolError("the words were shown once: look on your paper")
        self.are_shown = True
        return self.words.split()

    def check_words(self, words: str) -> bool:
        return entropy_of(words) == entropy_of(self.words)

    def forget_words(self) -> None:
        self.has_words = False

    def lend(self, words: str) -> None:
        if not self.has_words and not words:
            raise WordsNeeded("this takes your 24 words: give them with --words-file")
        if words and not self.check_words(words):
            raise LocalProtocolError("these are another person's words: take your own paper")

    async def protect(
        self, protection: t.Protection, *, passphrase: str = "", passphrase_before: str = ""
    ) -> None:
        if self.passphrase != passphrase_before:
            raise WrongPassphrase("the old passphrase is another: nothing was changed")
        self.passphrase = passphrase if protection == "passphrase" else ""
