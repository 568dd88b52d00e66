"""What is written in one view of a DAG, before any rule judges it.

A *view* is a set of auth operations that holds its own past. Everything here is asked again and
again and never changes, so it is remembered, and sorted by kind; nothing else is done for speed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec, Self, TypeVar, cast

from p2pvalue_protocol.acts import (
    OUT,
    Act,
    AddDevice,
    Admit,
    Event,
    Found,
    Give,
    OpenInvite,
    ProveFork,
    Remove,
    RemoveDevice,
    Vote,
)
from tests.dags.model import KEEPING, Content, Dag, pasts, reference_to

CHAIN_LINKS_MAX = 16
FOUNDER, ADMIN, MEMBER, GUEST = range(4)

A = TypeVar("A")
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Reading")
Answers = defaultdict[str, dict[tuple[Hashable, ...], object]]  # by method and arguments
_UNASKED = object()


def remembered(
    method: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Return the method, asked once in a view for the same arguments, given by place."""
    name = method.__name__

    @wraps(method)
    def ask(self: S, /, *args: Hashable) -> object:
        answers = self.answers[name]
        found = answers.get(args, _UNASKED)
        if found is _UNASKED:
            found = answers[args] = method(self, *args)  # type: ignore[call-arg, arg-type]  # what came
        return found

    return cast("Callable[Concatenate[S, P], R]", ask)


def same_in_all_views(
    method: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Return the method, asked once for the same arguments: they say what is looked at."""
    name = method.__name__

    @wraps(method)
    def ask(self: S, /, *args: Hashable) -> object:
        answers = self.shared_answers[name]
        found = answers.get(args, _UNASKED)
        if found is _UNASKED:
            found = answers[args] = method(self, *args)  # type: ignore[call-arg, arg-type]  # what came
        return found

    return cast("Callable[Concatenate[S, P], R]", ask)


class Place(NamedTuple):
    """Somebody who writes, or would write, something: the o of the rules."""

    device: bytes
    before: frozenset[bytes]
    op_id: bytes = b""  # empty: it is not written, so nobody knows or keeps it


class Claim(NamedTuple):
    """That somebody holds the rank which one operation gave: the pair (m, g) of the rules."""

    root: bytes
    giving: bytes
    rank: int


class Link(NamedTuple):
    """A device's place in a chain of certificates, and the operation that carries its own."""

    device: bytes
    certificate: bytes


Chain = tuple[Link, ...]  # from the root's first device on


def _certificates(dag: Dag) -> dict[bytes, list[tuple[bytes, Event]]]:
    """Return by device what names a root for it."""
    certificates: dict[bytes, list[tuple[bytes, Event]]] = {d: [] for d in dag.devices()}
    for event in dag.events:
        if isinstance(event.act, AddDevice):
            certificates[event.device].append((event.op_id, event))
        elif isinstance(event.act, Found):
            for _, device in event.act.founders:
                certificates[device].append((event.op_id, event))
    return certificates


class Reading:
    """The operations of a view: who wrote them, with which certificates, and what they keep."""

    def __init__(
        self, dag: Dag, whole: Self | None = None, view: frozenset[bytes] = frozenset()
    ) -> None:
        self.dag = dag
        self.whole = whole or self
        self.answers: Answers = defaultdict(dict)
        self.found = dag.found()
        self.held: dict[bytes, Event | Content]
        if whole is None:
            self.views: dict[frozenset[bytes], Self] = {}
            self.shared_answers: Answers = defaultdict(dict)
            self.before = pasts(dag)
            self.events = {event.op_id: event for event in dag.events}
            self.everything = frozenset(self.events)
            self.held = {**self.events, **{c.op_id: c for c in dag.contents}}
            self.certificates = _certificates(dag)
        else:
            self.shared_answers, self.before = whole.shared_answers, whole.before
            self.events = {event.op_id: event for event in dag.events if event.op_id in view}
            self.everything = view
            self.held = {**self.events}
        self._acts: defaultdict[type, list[tuple[bytes, Act]]] = defaultdict(list)
        for op_id, event in self.events.items():
            self._acts[type(event.act)].append((op_id, event.act))

    def alone(self, view: frozenset[bytes]) -> Self:
        """Return what holds if nothing but `view` is held."""
        views = self.whole.views
        if view not in views:
            views[view] = type(self)(self.dag, self.whole, view)
        return views[view]

    def acts(self, kind: type[A]) -> list[tuple[bytes, A]]:
        return self._acts[kind]  # type: ignore[return-value]  # each under its own kind

    @same_in_all_views
    def devices(self) -> list[bytes]:
        return self.dag.devices()

    @remembered
    def removals_from(self, root: bytes) -> list[tuple[bytes, Remove]]:
        """Return the REVOKEs of a member, demotions first."""
        removals = [(op_id, act) for op_id, act in self.acts(Remove) if act.root == root]
        return sorted(removals, key=lambda removal: removal[1].rank == OUT)

    @same_in_all_views
    def place(self, op_id: bytes) -> Place:
        return Place(self.events[op_id].device, self.before[op_id], op_id)

    def end(self, device: bytes) -> Place:
        """Return where the device would write next."""
        return Place(device, self.everything)

    @remembered
    def roots(self) -> list[bytes]:
        """Return everybody who is named as somebody, with a device or without."""
        founders = {root for root, _ in self.found.founders}
        devices = {act.root for _, act in self.acts(AddDevice)}
        return sorted(founders | devices | {act.root for _, act in self.acts(Give)})

    @same_in_all_views
    def roots_of(self, place: Place) -> list[bytes]:
        """Return those for whom certificates let a place speak, with a rank or without."""
        return [root for root in self.certified_roots(place.device) if self.chains(place, root)]

    @same_in_all_views
    def certified_roots(self, device: bytes) -> list[bytes]:
        """Return those for whom any certificate in any view says that it speaks, ascending."""
        acts = [event.act for _, event in self.whole.certificates.get(device, ())]
        found = {root for act in acts if isinstance(act, Found) for root, _ in act.founders}
        return sorted(found | {act.root for act in acts if isinstance(act, AddDevice)})

    @same_in_all_views
    def chains(self, place: Place, root: bytes) -> list[Chain]:
        """Return the chains of certificates that make the device one of that root, if any."""
        return list(self._chains(place.before | {place.op_id}, root, place.device, CHAIN_LINKS_MAX))

    def _chains(
        self, certificates: frozenset[bytes], root: bytes, device: bytes, links_max: int
    ) -> Iterator[Chain]:
        if links_max == 0:
            return
        for op_id, event in self.whole.certificates.get(device, ()):
            if op_id not in certificates:
                continue
            link = Link(device, op_id)
            match event.act:
                case Found(founders=founders) if (root, device) in founders:
                    yield (link,)
                case AddDevice(root=of, certifier=b"") if (of, event.device) == (root, device):
                    yield (link,)
                case AddDevice(root=of, certifier=by) if (of, event.device) == (root, device):
                    for chain in self._chains(certificates, root, by, links_max - 1):
                        if device not in [nearer.device for nearer in chain]:
                            yield (*chain, link)

    @same_in_all_views
    def is_of(self, op_id: bytes, root: bytes) -> bool:
        """Tell whether an operation is by a device of that root, removed or not."""
        return bool(self.chains(self.place(op_id), root))

    @same_in_all_views
    def claims(self, place: Place, root: bytes) -> list[Claim]:
        return [claim for claim in self.claimable(root) if claim.giving in place.before]

    @same_in_all_views
    def gives(self, op_id: bytes, root: bytes) -> int | None:
        """Return the rank that an operation says it gives to that root, if it has the form."""
        match self.whole.events[op_id].act:
            case Found(founders=founders) if root in dict(founders):
                return FOUNDER
            case Give(root=to, rank=rank) if to == root:
                return rank
            case Admit(root=to) as admit if to == root:
                return self._gives_by_invite(op_id, admit)
        return None

    def _gives_by_invite(self, op_id: bytes, admit: Admit) -> int | None:
        before = self.before[op_id]
        invite = self.whole.events[admit.invite].act if admit.invite in before else None
        if not isinstance(invite, OpenInvite) or invite.invite_key != admit.invite_key:
            return None
        return invite.rank if self.chains(Place(admit.device, before), admit.root) else None

    @remembered
    def keeping(self) -> list[bytes]:
        """Return the operations that carry keeps, but for votes."""
        kept = ((i, e.act) for i, e in self.events.items() if not isinstance(e.act, Vote))
        return [op_id for op_id, act in kept if isinstance(act, KEEPING) and act.keeps]

    @same_in_all_views
    def claimable(self, root: bytes) -> list[Claim]:
        """Return every claim that anything in any view makes for that root, by its operation."""
        ranks = ((op_id, self.gives(op_id, root)) for op_id in sorted(self.whole.events))
        return [Claim(root, op_id, rank) for op_id, rank in ranks if rank is not None]

    @remembered
    def names_in_keep(self, keeper: bytes, op_id: bytes) -> bool:
        """Tell whether an operation keeps another: names it or what follows it in its own log."""
        act = self.events[keeper].act
        for keep in act.keeps if isinstance(act, KEEPING) else ():
            name = keep.op_id
            while name in self.held:
                if name == op_id:
                    return True
                if self.held[name].seq == 0:
                    break
                name = self.held[name].backlink
        return False

    def names_in_some_keep(self, keeper: bytes, op_ids: Iterable[bytes]) -> bool:
        return any(self.names_in_keep(keeper, op_id) for op_id in op_ids)

    @remembered
    def leaves(self, root: bytes) -> list[bytes]:
        """Return the removals of a member by one of her own devices."""
        return [i for i, act in self.acts(Remove) if act.root == root and self.is_of(i, root)]

    @remembered
    def depth(self, device: bytes, root: bytes) -> int:
        """Return the fewest certificates from a root to a device; 0: there are none."""
        return min((len(chain) for chain in self.chains(self.end(device), root)), default=0)

    def is_proven(self, proof: ProveFork) -> bool:
        """Tell whether both operations of a proof are held, be it outside the view."""
        held = self.whole.held
        return all(
            named.op_id in held and reference_to(held[named.op_id]) == named
            for named in (proof.first, proof.second)
        )

    @remembered
    def removals_of(self, device: bytes, root: bytes) -> list[bytes]:
        """Return what would remove that device of that root."""
        named = [op_id for kind in (RemoveDevice, ProveFork) for op_id, _ in self.acts(kind)]
        return [op_id for op_id in named if self.names_device(op_id, root, device)]

    def names_device(self, op_id: bytes, root: bytes, device: bytes) -> bool:
        """Tell whether an operation would remove that device of that root.

        A root's removal does not if it speaks of operations that its carrier had not seen.
        """
        match self.events[op_id].act:
            case RemoveDevice(root=of, device=removed, is_by_root=is_by_root, seen=seen):
                is_blind = is_by_root and not self.before[op_id].issuperset(seen)
                return (of, removed) == (root, device) and not is_blind
            case ProveFork(first=first):
                return first.device == device
        return False
