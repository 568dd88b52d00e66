"""A need and what is said about it, written act by act; times count up by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.close import Close, operation_name
from p2pvalue_protocol.kinds.need import NeedLine, NeedState, Terms, terms_id
from p2pvalue_protocol.kinds.pledge import Condition, Pledge
from p2pvalue_protocol.needs.acts import Act
from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding, standing_of

NEED = b"n" * 16
CLOSES = 1_000
HOURS = NeedLine("hours", "minute", 120, 600)
BARROW = NeedLine("material", "wheelbarrow", 1, 1)


def root(name: str) -> bytes:
    return name.encode().ljust(32, b".")


class Board:
    """One need that Ana asks for, with the acts about it in the order of their writing."""

    def __init__(
        self,
        *lines: NeedLine,
        trigger: str = "all",
        opens: int = 0,
        closes: int = CLOSES,
        stewards: Sequence[str] = (),
        confirmers: Sequence[str] = (),
    ) -> None:
        first = Terms(
            lines=lines or (HOURS,),
            trigger=trigger,  # type: ignore[arg-type]  # the tests' own words
            opens=opens,
            closes=closes,
            stewards=tuple(map(root, stewards)),
            confirmers=tuple(map(root, confirmers)),
        )
        self.need = NeedState(author=root("ana"), created=0, title="Dig the pond", terms=(first,))
        self.acts: list[Act] = []

    @property
    def terms(self) -> Terms:
        return self.need.terms[-1]

    # --- what people do

    def offer(
        self,
        who: str,
        quantity: int = 60,
        *conditions: Condition,
        line: int = 0,
        takes: bytes | None = None,
        terms: Terms | None = None,
        at: int | None = None,
        is_hidden: bool = False,
    ) -> bytes:
        said = Pledge(
            need=NEED,
            terms=terms_id(terms or self.terms),
            line=line,
            quantity=quantity,
            conditions=conditions,
            takes=takes,
        )
        return subject_of(self._add(who, said, at, is_hidden=is_hidden).order.op_id)

    def say(
        self,
        who: str,
        act: str,
        pledge: bytes,
        quantity: int | None = None,
        *,
        reason: str | None = None,
        to: str | None = None,
        at: int | None = None,
        absent: Sequence[str] = (),
    ) -> None:
        """Say something of a pledge, knowing that `absent` are out."""
        said = Pledge(
            need=NEED,
            pledge=pledge,
            act=act,  # type: ignore[arg-type]  # the tests' own words
            quantity=quantity,
            reason=reason,
            to=None if to is None else root(to),
        )
        self._add(who, said, at, absent=frozenset(map(root, absent)))

    def close(
        self,
        who: str,
        *,
        but: Sequence[bytes] = (),
        naming: Sequence[bytes] | None = None,
        unread: Sequence[bytes] = (),
        at: int | None = None,
        terms: Terms | None = None,
        is_hidden: bool = False,
    ) -> None:
        """Close with all that was offered and withdrawn so far, `but` these, or `naming` others.

        All of it was read but the offers in `unread`.
        """
        named = naming or [
            act.name
            for act in self.acts
            if isinstance(act.payload, Pledge)
            and act.payload.act in (None, "withdraw")
            and subject_of(act.order.op_id) not in but
            and act.payload.pledge not in but
        ]
        closing = Close(NEED, terms_id(terms or self.terms), b"".join(sorted(named)))
        self._add(
            who,
            closing,
            max(self._next(), self.terms.closes) if at is None else at,
            is_hidden=is_hidden,
            past=frozenset(
                act.order.op_id
                for act in self.acts
                if act.is_hidden and act.name in named and subject_of(act.order.op_id) not in unread
            ),
        )

    def change(self, **changes: object) -> None:
        """Change the terms."""
        terms = msgspec.structs.replace(self.terms, **changes)
        self.need = msgspec.structs.replace(self.need, terms=(*self.need.terms, terms))

    # --- what comes of it

    def standing(self) -> NeedStanding:
        return standing_of(self.need, self.acts)

    def state(self) -> str:
        return self.standing().state

    def pledge(self, pledge: bytes) -> PledgeStanding:
        [found] = [p for p in self.standing().pledges if p.offer.pledge == pledge]
        return found

    def states(self, *pledges: bytes) -> list[str]:
        return [self.pledge(pledge).state for pledge in pledges]

    def _next(self) -> int:
        return max((act.order.time for act in self.acts), default=0) + 1

    def _add(
        self,
        who: str,
        said: Pledge | Close,
        at: int | None,
        *,
        is_hidden: bool = False,
        past: frozenset[bytes] = frozenset(),
        absent: frozenset[bytes] = frozenset(),
    ) -> Act:
        number = len(self.acts)
        op_id = sha256(f"{who} {number} {said}".encode()).digest()
        device = root(f"{who}'s")
        own = [act.order.time for act in self.acts if act.order.device == device]
        time = self._next() if at is None else max(at, *own, 0)  # a log's times only grow
        order = Order(time, device, number, op_id)
        act = Act(order, root(who), said, is_hidden, past, absent)
        assert act.name == operation_name(op_id)
        self.acts.append(act)
        return act


def told(standing: NeedStanding) -> str:
    """What a standing says, with all that a word became."""
    words = [
        None if pledge.word is None else sorted(map(_told, vars(pledge.word).items()))
        for pledge in standing.pledges
    ]
    pledges = [pledge._replace(word=None) for pledge in standing.pledges]
    return f"{standing._replace(pledges=())} {pledges} {words}"


def _told(field: tuple[str, object]) -> str:
    name, value = field
    if isinstance(value, dict):
        value = sorted(value.items())
    return f"{name}={sorted(value) if isinstance(value, set) else value}"
