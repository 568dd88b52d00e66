"""What about a need concerns one person, by where it stands: her pledges, her needs, her say.

A function of what is held and of the time, so it does not matter in which order things came. Each
concern has a key that is the same whenever it is found, and who did it: what one did oneself is no
news. What somebody saw to in the meantime is no concern any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from p2pvalue.node.needs.need_closer import NODES_CLOSE_AFTER_MS
from p2pvalue.node.needs.need_views import line_of, thing_of
from p2pvalue.node.needs.stand_ins import Others, asked_to_confirm, asked_to_settle, is_asked
from p2pvalue.notify_types import NotificationKind
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kinds.need import NeedState
from p2pvalue_protocol.kinds.pledge import Pledge
from p2pvalue_protocol.needs.acts import Act, Acts, Offer, confirmers_of, stewards_of
from p2pvalue_protocol.needs.keeping import Word
from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding

KEY_BYTES: Final = 8
AHEAD_MS: Final = 24 * 3_600_000
"""So long before a last day or a deadline it is told."""

Because = Literal["pledged", "asked", "steward", "confirmer", "stand-in", "named", "thanked"]
Amount = tuple[str, str, int]  # kind and unit of the line, quantity

_NOTHING: Final = {
    "void": "",
    "unmet": "its conditions did not hold",
    "early": "it was made before the first day to pledge",
    "late": "it arrived too late",
    "expired": "it was more than half a year old",
}
"""What a pledge can end as, and why if not because too little was pledged."""

_STAND: Final = ("offered", "binding", "claimed", "confirmed", "disputed", "settled")


class Concern(NamedTuple):
    """One thing that concerns a person.

    `by` did it, None where it is nobody's own deed. `said` are the words that came with it.
    `pledge` is the pledge that it is about, and `pledged` what was offered with that.
    `is_ahead`: it is about what is still to come, so it is never too old to be told.
    """

    kind: NotificationKind
    key: bytes
    because: Because
    time: int
    by: bytes | None = None
    amount: Amount | None = None
    said: str = ""
    is_ahead: bool = False
    pledge: bytes = b""
    pledged: Amount | None = None


class LastEdit(NamedTuple):
    """Who wrote the newest change of a need, and when (ms)."""

    member: bytes | None
    time: int


class HeldNeed(NamedTuple):
    """All that is held here of one need; `subject` is its id, `acts` are in their order.

    `left` are the pledges that bind who is no member any more.
    """

    subject: bytes
    state: NeedState
    edit: LastEdit
    standing: NeedStanding
    acts: Acts
    left: frozenset[bytes] = frozenset()


def is_concerned(
    need: NeedState, standing: NeedStanding, me: bytes, others: Others, left: frozenset[bytes]
) -> bool:
    """Return whether anything about a need can concern a member; looks at each pledge once.

    `left` as in `HeldNeed`.
    """
    if me in _owners(need, standing) or me in confirmers_of(need, standing.terms):
        return True
    return any(
        pledge.offer.member == me or (pledge.word is not None and pledge.word.to == me)
        for pledge in standing.pledges
    ) or is_asked(need, standing, me, others, left)


def concerns(held: HeldNeed, me: bytes, now_ms: int, others: Others) -> list[Concern]:
    """Return what of one need concerns `me` now; what she did herself is left out.

    `others` are who is asked where nobody named may confirm or settle. Costs a look at each
    act and each pledge.
    """
    seen = _Seen(held, me, now_ms, others)
    found = [*seen.own_pledges(), *seen.words_of_others(), *seen.own_need()]
    return [concern for concern in found if concern.by != me]


def next_ms(need: NeedState, standing: NeedStanding, me: bytes, now_ms: int) -> int | None:
    """Return when time alone changes what concerns `me`, or None."""
    times: list[int] = []
    if me in _owners(need, standing) and standing.state == "open":
        times += [standing.terms.closes - AHEAD_MS, standing.terms.closes]
    if any(p.offer.member == me and p.state == "binding" for p in standing.pledges):
        times += [need.deadline - AHEAD_MS, need.deadline]
    return min((time for time in times if time > now_ms), default=None)


def role_of(need: NeedState, standing: NeedStanding, me: bytes) -> Because | None:
    """Return why a need is the concern of `me` whatever was pledged to it; None: it is not."""
    if me not in _owners(need, standing):
        return None
    return "asked" if me == need.author else "steward"


def _owners(need: NeedState, standing: NeedStanding) -> set[bytes]:
    return {need.author, *stewards_of(need, standing.terms)}


def _newest_acts(acts: Acts) -> dict[tuple[bytes, str, bytes], Act]:
    """Return the newest act of each kind that each member said to each pledge."""
    said_by: dict[tuple[bytes, str, bytes], Act] = {}
    # What was closed counts although it is hidden: found here, unless something newer is not.
    for act in sorted(acts.of_pledges, key=lambda act: (not act.is_hidden, act.order)):
        said = act.payload
        assert isinstance(said, Pledge)
        if said.pledge is not None and said.act is not None:
            said_by[said.pledge, said.act, act.member] = act
    return said_by


class _Seen:
    """One need as one member sees it at one time."""

    def __init__(self, held: HeldNeed, me: bytes, now_ms: int, others: Others) -> None:
        self._subject, self._need, self._edit = held.subject, held.state, held.edit
        self._me, self._now_ms, self._others_here = me, now_ms, others
        self._standing = standing = held.standing
        self._terms = standing.terms
        self._said, self._left = _newest_acts(held.acts), held.left
        self._mine = [pledge for pledge in standing.pledges if pledge.offer.member == me]
        self._others = [pledge for pledge in standing.pledges if pledge.offer.member != me]
        self._has_ended = standing.is_closed or held.state.status == "dropped"
        self._role: Because = role_of(held.state, standing, me) or "steward"

    # --- what I promised

    def own_pledges(self) -> Iterator[Concern]:
        for pledge in self._mine:
            if pledge.state == "binding":
                yield from self._bound(pledge)
            elif pledge.state in _NOTHING and self._has_ended:
                came_to_nothing = self._of_mine("pledge-lapsed", pledge, *self._ended())
                yield came_to_nothing._replace(said=_NOTHING[pledge.state])
            elif pledge.state == "outdated" and not self._is_renewed(pledge):
                change = (self._edit.time, self._edit.member)
                yield self._of_mine("pledge-outdated", pledge, *change, self._standing.terms_id)
            if pledge.word is not None:
                yield from self._judged(pledge, pledge.word)

    def _bound(self, pledge: PledgeStanding) -> Iterator[Concern]:
        if self._terms.trigger != "none" and pledge.offer.said.takes is None:
            yield self._of_mine("pledge-triggered", pledge, *self._outcome())
        if self._is_near(self._need.deadline, pledge.offer.act.order.time):
            deadline = self._need.deadline
            due = self._of_mine(
                "due-tomorrow", pledge, deadline - AHEAD_MS, None, _number(deadline)
            )
            yield due._replace(is_ahead=True)

    def _judged(self, pledge: PledgeStanding, word: Word) -> Iterator[Concern]:
        if word.settled_by is not None:
            act = self._act(pledge, "settle", word.settled_by)
            yield self._by(act, "pledge-settled", pledge, "pledged", word.settled)
            return
        for member, much in word.confirmed.items():
            if much and member not in word.disputed_by:
                act = self._act(pledge, "confirm", member)
                yield self._by(act, "pledge-confirmed", pledge, "pledged", much)
        for member in word.disputed_by:
            act = self._act(pledge, "dispute", member)
            yield self._by(act, "pledge-disputed", pledge, "pledged", word.bound)

    def _is_renewed(self, old: PledgeStanding) -> bool:
        return any(
            thing_of(self._need, other.offer) == thing_of(self._need, old.offer)
            and other.state in _STAND
            and other.offer.act.order > old.offer.act.order
            for other in self._mine
        )

    # --- what others promised

    def words_of_others(self) -> Iterator[Concern]:
        is_owner = self._me in _owners(self._need, self._standing)
        for pledge in self._others:
            word = pledge.word
            if word is not None and word.released > word.taken and pledge.state != "void":
                yield from self._released(pledge, word, is_owner)
            if word is not None and pledge.state == "claimed":
                yield from self._claimed(pledge, word, is_owner)
            if word is not None and pledge.state == "disputed":
                yield from self._disputed(pledge, word)
            if word is not None and pledge.offer.pledge in self._left:
                yield from self._left_word(pledge, word)
            if is_owner and pledge.state in _STAND and pledge.offer.said.takes is None:
                act = pledge.offer.act
                yield self._by(act, "need-pledged", pledge, self._role, None)

    def _released(self, pledge: PledgeStanding, word: Word, is_owner: bool) -> Iterator[Concern]:
        act = self._act(pledge, "withdraw", pledge.offer.member)
        left = word.released - word.taken
        if word.to == self._me:
            yield self._by(act, "handed-over", pledge, "named", left)
        elif is_owner:
            yield self._by(act, "need-released", pledge, self._role, left)

    def _claimed(self, pledge: PledgeStanding, word: Word, is_owner: bool) -> Iterator[Concern]:
        act = self._act(pledge, "claim", pledge.offer.member)
        if self._me in asked_to_confirm(self._need, self._terms, word, self._others_here):
            is_named = self._me in confirmers_of(self._need, self._terms)
            because: Because = "confirmer" if is_named else "stand-in"
            yield self._by(act, "confirm-asked", pledge, because, word.claimed)
        elif is_owner:
            yield self._by(act, "need-claimed", pledge, self._role, word.claimed)

    def _left_word(self, pledge: PledgeStanding, word: Word) -> Iterator[Concern]:
        """What a member who is gone owes is still to be seen to, whenever she went."""
        if self._me in asked_to_settle(self._need, self._terms, word, self._others_here):
            is_steward = self._me in stewards_of(self._need, self._terms)
            because: Because = "steward" if is_steward else "stand-in"
            key = self._key("left-owing", pledge.offer.pledge)
            amount = self._amount(pledge.offer, word.bound - word.delivered)
            gone = pledge.offer.member
            told = Concern("left-owing", key, because, self._now_ms, gone, amount, is_ahead=True)
            yield self._with(pledge, told)

    def _disputed(self, pledge: PledgeStanding, word: Word) -> Iterator[Concern]:
        if self._me in asked_to_settle(self._need, self._terms, word, self._others_here):
            is_steward = self._me in stewards_of(self._need, self._terms)
            because: Because = "steward" if is_steward else "stand-in"
            for member in word.disputed_by:
                act = self._act(pledge, "dispute", member)
                yield self._by(act, "settle-asked", pledge, because, word.bound)

    # --- what I asked for

    def own_need(self) -> Iterator[Concern]:
        if self._me not in _owners(self._need, self._standing):
            return
        state, terms_id = self._standing.state, self._standing.terms_id
        if state == "lapsed" and not any(p.state == "void" for p in self._mine):
            yield self._of_need("need-lapsed", *self._outcome(), terms_id)
        is_told = any(p.state == "binding" and p.offer.said.takes is None for p in self._mine)
        if self._standing.is_closed and state not in ("lapsed", "dropped") and not is_told:
            yield self._of_need("need-triggered", *self._outcome(), terms_id)
        is_near = self._is_near(self._terms.closes, self._need.created)
        if state == "open" and not self._standing.is_met and is_near:
            ends = self._terms.closes
            near = self._of_need("need-closing", ends - AHEAD_MS, None, _number(ends))
            yield near._replace(is_ahead=True)

    # --- making them

    def _of_mine(
        self,
        kind: NotificationKind,
        pledge: PledgeStanding,
        time: int,
        by: bytes | None,
        detail: bytes = b"",
    ) -> Concern:
        word = pledge.word
        much = None if word is None else word.bound
        key = self._key(kind, pledge.offer.pledge + detail)
        amount = self._amount(pledge.offer, much)
        return self._with(pledge, Concern(kind, key, "pledged", time, by, amount))

    def _by(
        self,
        act: Act,
        kind: NotificationKind,
        pledge: PledgeStanding,
        because: Because,
        much: int | None,
    ) -> Concern:
        said = act.payload
        assert isinstance(said, Pledge)
        # Who claims the same again says nothing new.
        word = pledge.word
        detail = act.name if word is None or said.act != "claim" else _number(word.claimed)
        key = self._key(kind, pledge.offer.pledge + detail)
        amount = self._amount(pledge.offer, much)
        words = "" if act.is_hidden else said.reason or ""
        told = Concern(kind, key, because, act.order.time, act.member, amount, words)
        return self._with(pledge, told)

    def _with(self, pledge: PledgeStanding, told: Concern) -> Concern:
        offer = pledge.offer
        return told._replace(pledge=offer.pledge, pledged=self._amount(offer, None))

    def _of_need(
        self, kind: NotificationKind, time: int, by: bytes | None, detail: bytes
    ) -> Concern:
        return Concern(kind, self._key(kind, detail), self._role, time, by)

    def _key(self, kind: NotificationKind, detail: bytes) -> bytes:
        return key_of(kind, self._subject + detail)

    def _act(self, pledge: PledgeStanding, act: str, member: bytes) -> Act:
        return self._said[pledge.offer.pledge, act, member]

    def _amount(self, offer: Offer, much: int | None) -> Amount | None:
        assert offer.said.line is not None
        line = line_of(self._need, offer.said.terms, offer.said.line)
        quantity = offer.said.quantity if much is None else much
        return None if line is None else (line.kind, line.unit, quantity or 0)

    # --- times

    def _is_near(self, time: int, since: int) -> bool:
        """Return whether a time is near that was not near yet when it was agreed to."""
        return since < time - AHEAD_MS <= self._now_ms < time

    def _outcome(self) -> tuple[int, bytes | None]:
        """Return when it was said that the need is closed as it is now; and me, if I did by hand.

        On whatever device of mine: what a node closes by itself is nobody's own deed.
        """
        closings = self._standing.closings
        changing = [closing for closing in closings if closing.changed] or closings
        if not changing:
            return self._edit.time, None
        last = changing[-1]
        closes = self._terms.closes
        by_hand = not closes or last.order.time < closes + NODES_CLOSE_AFTER_MS
        return last.order.time, self._me if by_hand and last.member == self._me else None

    def _ended(self) -> tuple[int, bytes | None]:
        """Return when, and by whom, a need came to nothing."""
        if self._need.status == "dropped":
            return self._edit.time, self._edit.member
        return self._outcome()


def key_of(kind: NotificationKind, detail: bytes) -> bytes:
    """Return the key of a concern: 8 bytes, of its kind and of what it is about."""
    return tagged_hash("concern", kind.encode() + b"\0" + detail)[:KEY_BYTES]


def _number(number: int) -> bytes:
    return number.to_bytes(8, "big")
