"""What a running node does with its person's keys: her words, and how the key file is closed."""

from __future__ import annotations

import os
from functools import partial

import trio

from p2pvalue import types as t
from p2pvalue.keyfile import (
    COST,
    Cost,
    Seal,
    WrongPassphrase,
    seal_open,
    seal_with_keyring,
    seal_with_passphrase,
)
from p2pvalue.keystore import Keystore, WordsNeeded
from p2pvalue.words import entropy_of, words_of
from p2pvalue_protocol.errors import LocalProtocolError


class OwnKeys:
    """The keys in the data folder, for callers; `KeysInterface` says what each method promises."""

    def __init__(self, keystore: Keystore, *, cost: Cost = COST) -> None:
        self._keystore = keystore
        self._cost = cost
        self._resealing = trio.Lock()

    @property
    def protection(self) -> t.Protection:
        """How the key file is closed."""
        return self._keystore.protection

    def take_words(self) -> list[str]:
        """Return the words, and never again."""
        keystore = self._keystore
        if keystore.are_words_shown or keystore.entropy is None:
            raise LocalProtocolError(
                "the words were shown once, and are never shown again: "
                "`p2pvalue words check` tells whether what is on your paper is right"
            )
        keystore.note_words_shown()
        return words_of(keystore.entropy)

    def check_words(self, words: str) -> bool:
        """Return whether these are the person's words."""
        return self._keystore.is_hers(entropy_of(words))

    def forget_words(self) -> None:
        """Remove from this machine what the words stand for."""
        if not self._keystore.are_words_shown:
            raise LocalProtocolError(
                "nobody has seen the words yet, and without them they would be lost for ever: "
                "write them down first with `p2pvalue words show`"
            )
        self._keystore.forget_entropy()

    def lent(self, words: str) -> bytes | None:
        """Return what given words stand for, None without any where the machine has its own.

        Raises LocalProtocolError for words that are wrong, WordsNeeded where there must be some.
        """
        if words:
            entropy = entropy_of(words)
            self._keystore.refuse_others(entropy)
            return entropy
        if self._keystore.entropy is None:
            raise WordsNeeded(
                "this takes your 24 words, which this machine does not keep: give them where the "
                "command asks, or with --words-file"
            )
        return None

    async def protect(
        self, protection: t.Protection, *, passphrase: str = "", passphrase_before: str = ""
    ) -> None:
        """Close the key file in another way from now on."""
        async with self._resealing:
            if self._keystore.protection == "passphrase":
                opens = partial(self._keystore.opens, passphrase_before)
                if not await trio.to_thread.run_sync(opens):
                    raise WrongPassphrase("the old passphrase is another: nothing was changed")
            seal = await trio.to_thread.run_sync(
                partial(new_seal, protection, passphrase, self._cost)
            )
            self._keystore.reseal(seal)


def new_seal(protection: t.Protection, passphrase: str = "", cost: Cost = COST) -> Seal:
    """Return the seal that a person chose; may take some tenths of a second."""
    match protection:
        case "none":
            return seal_open(is_chosen=True)
        case "keyring":
            return seal_with_keyring(os.urandom)
        case "passphrase":
            return seal_with_passphrase(passphrase, os.urandom, cost)
