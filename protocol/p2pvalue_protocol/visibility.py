"""Which content counts: by its own auth past, and after every removal held (R9, R10).

Both questions are asked about the same giving. What the first one answers never changes. What the
second answers changes with removals and keeps; `take_reconsidered` names the devices for whose
content it may have changed, so that nothing else needs to be looked at again.
"""

from __future__ import annotations

from p2pvalue_protocol.acts import Policy, Remove
from p2pvalue_protocol.auth_record import DeviceRemoval, Giving
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.device_tree import WEAKEST, Case
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.members import Standing

_REMEMBERED_MAX = 65_536

_Facts = dict[Giving, tuple[object, ...]]


class Visibility:
    """The rules for content over one `Authority`."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._record = authority.record
        self._changes = authority.changes()
        self._placings: dict[tuple[bytes, int], list[tuple[Giving, int]]] = {}
        self._policies: dict[int, Policy | None] = {}
        self._judged: dict[tuple[bytes, int, int], Standing | None] = {}
        self._left: dict[bytes, dict[tuple[Giving, bytes, int], int | None]] = {}  # by root
        self._left_count = 0
        self._kept: dict[bytes, dict[tuple[Giving, bytes], bool]] = {}  # by root
        self._facts: dict[bytes, _Facts] | None = None  # by device, when they were last taken
        self._unlooked: set[bytes] = set()  # devices whose facts may differ from those
        self._gone: dict[bytes, bool] = {}

    # --- by its own past (a)

    def judge(self, device: bytes, kind: int, frontier: int) -> Standing | None:
        """Return what a device was at a frontier if it might write that kind there, else None.

        Looks at nothing but the frontier's past. About 0.3 µs when the same was asked before.
        """
        asked = (device, kind, frontier)
        try:
            return self._judged[asked]
        except KeyError:
            pass
        limit = self._weakest_writer(kind, frontier)
        placings = self.placings(device, frontier)
        best = min(((rank, g.root) for g, rank in placings if rank <= limit), default=None)
        standing = None if best is None else Standing(best[1], best[0])
        if len(self._judged) >= _REMEMBERED_MAX:
            self._judged.clear()
        self._judged[asked] = standing
        return standing

    def placings(self, device: bytes, frontier: int) -> list[tuple[Giving, int]]:
        """Return the givings under which a device acts at a frontier, with the rank of each."""
        known = self._placings.get((device, frontier))
        if known is None:
            view = self._authority.view(frontier)
            case = Case(device, view.known)
            known = [
                (giving, rank)
                for root in self._record.roots_of.get(device, ())
                for giving in view.givings(root)
                if (rank := view.verdicts.outcome(giving, case)) is not None
            ]
            if len(self._placings) >= _REMEMBERED_MAX:
                self._placings.clear()
            self._placings[device, frontier] = known
        return known

    def policy(self, frontier: int) -> Policy | None:
        """Return the policy at a frontier; None before GENESIS."""
        if self._record.founding is None:
            return None
        policy = self._policies.get(frontier)
        if policy is None:
            policy = self._policies[frontier] = self._authority.view(frontier).policy()
        return policy

    def _weakest_writer(self, kind: int, frontier: int) -> int:
        policy = self.policy(frontier)
        return -1 if policy is None else policy.weakest_writer(kind)

    # --- after every removal held (b)

    def visible(self, device: bytes, kind: int, frontier: int, reference: Reference) -> bool:
        """Return whether a content operation counts by its past and by everything held.

        About 3 µs when the same device was asked about at the same frontier, unless keeps that
        may count for its member have to be looked at for this very operation.
        """
        self._renew()
        if self._facts is not None and device not in self._facts:
            self._facts[device] = self._facts_of(device)
        limit = self._weakest_writer(kind, frontier)
        return any(
            rank <= limit and self._counts(giving, device, frontier, reference, limit)
            for giving, rank in self.placings(device, frontier)
        )

    def _counts(
        self, giving: Giving, device: bytes, frontier: int, place: Reference, limit: int
    ) -> bool:
        if self._may_be_kept(giving, device):
            if self._is_kept(giving, device, frontier, place):
                return True
            rank = self._rank_left(giving, device, frontier, place)
            if self._is_hidden_by_fork(giving, device, frontier, place):
                return False
        else:
            left = self._left.setdefault(giving.root, {})
            asked = (giving, device, frontier)
            if asked not in left:
                if self._left_count >= _REMEMBERED_MAX:
                    self._left.clear()
                    left = self._left.setdefault(giving.root, {})
                    self._left_count = 0
                left[asked] = self._rank_left(giving, device, frontier, None)
                self._left_count += 1
            rank = left[asked]
        return rank is not None and rank <= limit

    def _is_kept(self, giving: Giving, device: bytes, frontier: int, place: Reference) -> bool:
        """Return whether somebody stronger kept an operation, whatever was taken from it."""
        verdicts = self._authority.view().verdicts
        carriers = verdicts.carriers_of(place, giving)
        if not carriers:
            return False
        _, demotions = verdicts.rank_of(giving, self._case(device, frontier, place), WEAKEST)
        return any(verdicts.is_strong(carrier, giving, demotions) for carrier in carriers)

    def _may_be_kept(self, giving: Giving, device: bytes) -> bool:
        """Return whether it may depend on the single operation of a device if it counts.

        What somebody without the strength for it says of a member or her devices is passed over
        here: there may be thousands of that, and it would be looked at for each operation of hers.
        """
        known = self._kept.setdefault(giving.root, {})
        asked = (giving, device)
        if asked not in known:
            reach = max(giving.rank, self._weakest_left(giving.root))
            strength = self._authority.view().verdicts.strength
            known[asked] = (
                any(strength(index) < reach for index in self._record.carriers.get(giving.root, ()))
                or bool(self._facts_about_votes(giving))
                or bool(self._facts_about_device(giving, device))
            )
        return known[asked]

    def _rank_left(
        self, giving: Giving, device: bytes, frontier: int, place: Reference | None
    ) -> int | None:
        """Return the rank that removals beyond a frontier leave of a giving for one operation."""
        verdicts = self._authority.view().verdicts
        case = self._case(device, frontier, place)
        rank, demotions = verdicts.rank_of(giving, case, WEAKEST)
        if rank is None or not verdicts.is_effective(giving):
            return None
        return rank if verdicts.devices.has_chain(giving, device, case, demotions) else None

    def _case(self, device: bytes, frontier: int, place: Reference | None) -> Case:
        past = self._authority.past(frontier)
        return Case(device, past, place=place, excluded=past)

    def _is_hidden_by_fork(
        self, giving: Giving, device: bytes, frontier: int, place: Reference
    ) -> bool:
        """Return whether proofs of a fork, none of them authorised, leave an operation out."""
        removals = self._record.device_removals.get(device, ())
        if not removals:
            return False
        view, case = self._authority.view(), self._case(device, frontier, place)
        if any(view.is_authorised_for(removal, device, giving, case) for removal in removals):
            return False
        proofs = [removal.at for removal in removals if self.is_proof(removal)]
        return bool(proofs) and not any(self._record.keeps(index, place, None) for index in proofs)

    def is_proof(self, removal: DeviceRemoval) -> bool:
        """Return whether a removal is a FORK, proven, by a member or stronger."""
        return (
            removal.at in self._record.forks
            and self._authority.is_proven(removal.at)
            and self._authority.view().verdicts.at_most(removal.at, 2)
        )

    # --- devices

    def was_ever_admitted(self, device: bytes) -> bool:
        """Return whether a member of this device was given a rank, whatever came later."""
        self._renew()
        return any(
            self._record.is_certified(device, root, -1) and self._authority.was_given(root)
            for root in self._record.roots_of.get(device, ())
        )

    def is_gone(self, device: bytes) -> bool:
        """Return whether a device was put out (not: left), or is proven to have forked its log."""
        self._renew()
        known = self._gone.get(device)
        if known is None:
            known = self._is_gone(device)
            if device in self._record.roots_of:  # by its roots it is told what to forget
                self._gone[device] = known
        return known

    def _is_gone(self, device: bytes) -> bool:
        if any(self.is_proof(r) for r in self._record.device_removals.get(device, ())):
            return True
        view = self._authority.view()
        return self.was_ever_admitted(device) and not view.stays(device)

    def keeps_of(self, device: bytes) -> list[Reference]:
        """Return the keeps that name operations of a device and may count, ascending."""
        record, verdicts = self._record, self._authority.view().verdicts
        found: set[int] = set()
        for root in record.roots_of.get(device, ()):
            for giving in record.givings.get(root, ()):
                found.update(
                    carrier
                    for carrier in record.carriers.get(root, ())
                    if verdicts.strength(carrier) < self._reach(giving)
                )
                found.update(
                    vote
                    for vote in record.votes_on.get(root, ())
                    if giving.rank <= 1 and verdicts.voter(vote, giving.rank) is not None
                )
                found.update(
                    removal.at
                    for removal in record.device_removals.get(device, ())
                    if removal.keeps and self._fact_about(removal, giving) is not None
                )
        kept = {kept for index in found for kept in record.keeps_of(index)}
        return sorted(reference for reference in kept if reference.device == device)

    # --- what changed

    def take_reconsidered(self) -> list[bytes]:
        """Return the devices, ascending, for whose content `visible` may answer anew.

        The first call begins to look: it returns nothing and costs a look at every device. Of
        devices that came later only those are looked at whose content was asked about.
        """
        self._renew()
        found, self._authority.reconsidered = self._authority.reconsidered, set()
        if self._facts is None:
            self._facts = {device: self._facts_of(device) for device in self._record.roots_of}
            self._unlooked = set()
            return []
        for device in sorted(self._unlooked & self._facts.keys()):
            before, now = self._facts[device], self._facts_of(device)
            if any(now.get(giving) != facts for giving, facts in before.items()):
                found.add(device)
            self._facts[device] = now
        self._unlooked = set()
        return sorted(found)

    def _renew(self) -> None:
        self._authority.settle()
        if not self._changes.roots and not self._changes.is_anew:
            return
        is_anew, roots = self._changes.take()
        if is_anew:
            self._left.clear()
            self._left_count = 0
            self._kept.clear()
            self._gone.clear()
            self._unlooked = set(self._record.roots_of)
        for root in sorted(roots):
            self._left.pop(root, None)
            self._kept.pop(root, None)
            for device in self._record.devices_of.get(root, ()):
                self._gone.pop(device, None)
                self._unlooked.add(device)

    def _facts_of(self, device: bytes) -> _Facts:
        """Return all that `visible` looks at beyond a device's own frontiers, by giving."""
        is_effective = self._authority.view().verdicts.is_effective
        found: _Facts = {}
        for root in self._record.roots_of.get(device, ()):
            strengths, weakest = self._strengths(root), self._weakest_left(root)
            able: dict[int, tuple[tuple[int, int], ...]] = {}  # by reach: many givings share it
            for giving in self._record.givings.get(root, ()):
                reach = max(giving.rank, weakest)
                if reach not in able:
                    able[reach] = tuple(known for known in strengths if known[1] < reach)
                found[giving] = (
                    is_effective(giving),
                    able[reach],
                    self._facts_about_votes(giving),
                    self._facts_about_device(giving, device),
                )
        return found

    def _strengths(self, root: bytes) -> list[tuple[int, int]]:
        """Return the removals of a member and what may keep for her, with their authors' ranks."""
        record, strength = self._record, self._authority.view().verdicts.strength
        named = (*record.removals.get(root, ()), *record.carriers.get(root, ()))
        return [(index, strength(index)) for index in named if index not in record.leaves]

    def _facts_about_votes(self, giving: Giving) -> list[object]:
        voter = self._authority.view().verdicts.voter
        votes = self._record.votes_on.get(giving.root, ()) if giving.rank <= 1 else ()
        found = [(vote, voter(vote, giving.rank)) for vote in votes]
        return [known for known in found if known[1] is not None]

    def _weakest_left(self, root: bytes) -> int:
        """Return the weakest rank that anybody demoted a member to, 0 if nobody did."""
        events = self._record.events
        acts = (events[index].act for index in self._record.removals.get(root, ()))
        return max((act.rank for act in acts if isinstance(act, Remove)), default=0)

    def _reach(self, giving: Giving) -> int:
        """Return the rank that a giving may be left with at the weakest."""
        return max(giving.rank, self._weakest_left(giving.root))

    def _facts_about_device(self, giving: Giving, device: bytes) -> list[object]:
        record = self._record
        if not record.device_removals:
            return []
        found: list[object] = []
        looked: set[bytes] = set()
        above = [device]
        while above:
            for certifier in record.certifiers(above.pop(), giving.root):
                if certifier in looked:
                    continue
                looked.add(certifier)
                for removal in record.device_removals.get(certifier, ()):
                    fact = self._fact_about(removal, giving)
                    if fact is not None:
                        found.append(fact)
                        above.append(record.events[removal.at].device)
        return found

    def _fact_about(self, removal: DeviceRemoval, giving: Giving) -> object | None:
        if removal.root not in (None, giving.root):
            return None
        verdicts = self._authority.view().verdicts
        if removal.is_by_root:
            return removal.at
        links = [n for n in range(2, 18) if verdicts.devices.removes_as_member(removal, giving, n)]
        strength = verdicts.strength(removal.at)
        is_proof = self.is_proof(removal)
        if not links and not is_proof and strength >= self._reach(giving):
            return None
        return removal.at, tuple(links), strength, is_proof
