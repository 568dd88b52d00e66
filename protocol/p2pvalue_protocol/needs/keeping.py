"""How the words that bind are kept, and who says so (spec: needs).

Each act counts or not by what came before it in the folding order, which is the same everywhere.
Nobody binds another: a released word binds whoever offers to take it over, by her own offer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Literal

from p2pvalue_protocol.kinds.need import NeedState, Terms
from p2pvalue_protocol.kinds.pledge import Pledge
from p2pvalue_protocol.needs.acts import Act, Acts, Offer, confirmers_of, stewards_of

MayJudge = Callable[[NeedState, Terms, "Word", bytes, frozenset[bytes]], bool]
WordState = Literal["binding", "released", "claimed", "confirmed", "disputed", "settled"]


class Word:
    """One pledge that binds, and what became of it so far; quantities in the unit of its line."""

    def __init__(self, offer: Offer, quantity: int) -> None:
        self.offer = offer
        self.quantity = quantity  # what it bound when it began to bind
        self.released = 0
        self.taken = 0  # of what was released
        self.claimed = 0
        self.reason = ""  # of the release, or of the last dispute or settlement
        self.to: bytes | None = None  # who is asked to take over
        self.confirmed: dict[bytes, int] = {}  # by who confirmed it
        self.disputed_by: set[bytes] = set()
        self.settled: int | None = None
        self.settled_by: bytes | None = None
        self.delivered_ms = 0  # when what was delivered was last said to be more, or less

    @property
    def bound(self) -> int:
        """What is promised still, or was delivered."""
        return self.quantity - self.released

    @property
    def delivered(self) -> int:
        """What others said was delivered."""
        if self.settled is not None:
            return self.settled
        return max(self.confirmed.values(), default=0)

    @property
    def witnesses(self) -> tuple[bytes, ...]:
        """Who said that as much was delivered: who settled it, else who confirmed all of it."""
        if self.settled_by is not None:
            return (self.settled_by,)
        return tuple(sorted(m for m, much in self.confirmed.items() if much == self.delivered))

    @property
    def state(self) -> WordState:
        """What it is to be called."""
        if self.settled is not None:
            return "settled"
        if self.disputed_by:
            return "disputed"
        if not self.bound:
            return "released"
        if self.delivered >= self.bound:
            return "confirmed"
        return "claimed" if self.claimed > self.delivered else "binding"


class Keeping:
    """The words that bind under the terms of one need, after all acts."""

    def __init__(
        self, need: NeedState, terms: Terms, terms_id: bytes, standing: Iterable[Offer]
    ) -> None:
        """Begin with the offers that stand when they begin to bind."""
        self._need, self._terms = need, terms
        self._terms_id = terms_id
        self.words: dict[bytes, Word] = {}
        self.heard: set[bytes] = set()  # the acts that had effect, by their names
        for offer in standing:
            assert offer.said.quantity is not None
            self.words[offer.pledge] = Word(offer, offer.said.quantity)

    def take(self, acts: Acts, withdrawals: Collection[Act]) -> None:
        """Take what was said of words, in folding order, but the withdrawals that were in time."""
        counted = {act.name for act in withdrawals}
        later: list[tuple[Act, Offer | None]] = [
            (offer.act, offer) for offer in acts.offers if offer.said.takes is not None
        ]
        later += [(act, None) for act in acts.of_pledges if act.name not in counted]
        for act, offer in sorted(later, key=lambda pair: pair[0].order):
            if offer is not None:
                self._take_over(offer)
            else:
                self._say(act)

    def _take_over(self, offer: Offer) -> None:
        said = offer.said
        assert said.takes is not None
        assert said.quantity is not None
        source = self.words.get(said.takes)
        if source is None or said.conditions or said.terms != self._terms_id:
            return
        rest = source.released - source.taken
        if said.line != source.offer.said.line or source.to not in (None, offer.member) or not rest:
            return
        quantity = min(rest, said.quantity)
        source.taken += quantity
        self.words[offer.pledge] = Word(offer, quantity)

    def _say(self, act: Act) -> None:
        said = act.payload
        assert isinstance(said, Pledge)
        assert said.pledge is not None
        word = self.words.get(said.pledge)
        if word is None or act.order < word.offer.act.order:
            return
        is_own = act.member == word.offer.member
        before = word.delivered
        match said.act:
            case "withdraw" if is_own:
                _release(word, said)
            case "claim" if is_own:
                word.claimed = min(said.quantity or 0, word.bound)
            case "confirm" if self._may(may_confirm, word, act):
                word.confirmed[act.member] = min(said.quantity or 0, word.bound)
                word.disputed_by.discard(act.member)
            case "dispute" if self._may(may_confirm, word, act):
                word.disputed_by.add(act.member)
                word.reason = said.reason or ""
            case "settle" if self._may(may_settle, word, act):
                word.settled = min(said.quantity or 0, word.bound)
                word.settled_by = act.member
                word.reason = said.reason or ""
            case _:
                return
        self.heard.add(act.name)
        if word.delivered != before:
            word.delivered_ms = act.order.time

    def _may(self, judges: MayJudge, word: Word, act: Act) -> bool:
        return judges(self._need, self._terms, word, act.member, act.absent)


def may_confirm(
    need: NeedState, terms: Terms, word: Word, member: bytes, absent: frozenset[bytes]
) -> bool:
    """Return whether a member may say what was delivered of a word, or dispute it.

    `absent` are those who were members and are out, as far as whoever judges knows.
    """
    pledger = {word.offer.member}
    return _may_judge(confirmers_of(need, terms) - absent, pledger, member)


def may_settle(
    need: NeedState, terms: Terms, word: Word, member: bytes, absent: frozenset[bytes]
) -> bool:
    """Return whether a member may decide what counts as delivered; `absent` as above."""
    parties = {word.offer.member} | word.disputed_by
    return _may_judge(frozenset(stewards_of(need, terms)) - absent, parties, member)


def _may_judge(named: frozenset[bytes], parties: set[bytes], member: bytes) -> bool:
    """Return whether a member may judge: no party, and one of those named unless none is left."""
    left = named - parties
    return member in left if left else member not in parties


def _release(word: Word, said: Pledge) -> None:
    if word.settled is not None:
        return
    word.released += max(0, word.bound - max(word.claimed, word.delivered))
    if word.released > word.taken:
        word.reason, word.to = said.reason or "", said.to
