"""What was said about one need: the offers, what was said of each, and the CLOSEs (spec: needs)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from p2pvalue_protocol.ids import CONTENT, Reference, subject_of
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.close import Close, operation_name
from p2pvalue_protocol.kinds.need import NeedState, Terms
from p2pvalue_protocol.kinds.pledge import Pledge


class Act(NamedTuple):
    """One operation of the list of a need, hidden or not, with its author's root key.

    `past` is there for CLOSEs that may count: the ids of what is hidden, named and in its past.
    `absent` is there for judgements by others than those named: who of these is out in its past.
    """

    order: Order
    member: bytes
    payload: Pledge | Close
    is_hidden: bool = False
    past: frozenset[bytes] = frozenset()
    absent: frozenset[bytes] = frozenset()

    @property
    def name(self) -> bytes:
        """What a CLOSE calls it."""
        return operation_name(self.order.op_id)

    @property
    def reference(self) -> Reference:
        """Where it is in its log."""
        return Reference(self.order.device, CONTENT, self.order.seq, self.order.op_id)


class Offer(NamedTuple):
    """A pledge as it was made; `pledge` is its id, 16 bytes."""

    pledge: bytes
    act: Act
    said: Pledge

    @property
    def member(self) -> bytes:
        """Whose word it is."""
        return self.act.member


class Acts(NamedTuple):
    """All acts of one need, in folding order, sorted by what they are."""

    offers: tuple[Offer, ...]
    of_pledges: tuple[Act, ...]  # withdraw, claim, confirm, dispute, settle
    closes: tuple[Act, ...]


def sorted_acts(acts: Iterable[Act]) -> Acts:
    """Return acts in folding order, whatever order they come in; each counts once."""
    offers: list[Offer] = []
    of_pledges: list[Act] = []
    closes: list[Act] = []
    once = {act.order: act for act in acts}
    for _, act in sorted(once.items()):
        said = act.payload
        if isinstance(said, Close):
            closes.append(act)
        elif said.act is None:
            offers.append(Offer(subject_of(act.order.op_id), act, said))
        else:
            of_pledges.append(act)
    return Acts(tuple(offers), tuple(of_pledges), tuple(closes))


def withdrawals(acts: Acts, among: Container[bytes] | None = None) -> dict[bytes, Act]:
    """Return the first withdrawal of each pledge by who made it, of those in `among` if given."""
    members = {offer.pledge: offer.member for offer in acts.offers}
    found: dict[bytes, Act] = {}
    for act in acts.of_pledges:
        said = act.payload
        assert isinstance(said, Pledge)
        is_in = among is None or act.order.op_id in among
        if said.act == "withdraw" and is_in and members.get(said.pledge or b"") == act.member:
            found.setdefault(said.pledge or b"", act)
    return found


def stewards_of(need: NeedState, terms: Terms) -> Sequence[bytes]:
    """Return who answers for a need: those named, or its author."""
    return terms.stewards or (need.author,)


def confirmers_of(need: NeedState, terms: Terms) -> frozenset[bytes]:
    """Return who may say that something was delivered: those named, or author and stewards."""
    return frozenset(terms.confirmers or (need.author, *stewards_of(need, terms)))


def judges_of(need: NeedState, terms: Terms) -> frozenset[bytes]:
    """Return all who are named to confirm or to settle."""
    return confirmers_of(need, terms).union(stewards_of(need, terms))
