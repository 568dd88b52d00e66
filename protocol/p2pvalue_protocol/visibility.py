"""Which content counts: by its own auth past, and after every removal held (R9, R10).

Both questions are asked about the same giving. What the first one answers never changes. What the
second answers changes with removals and keeps; `take_reconsidered` names the devices for whose
content it may have changed, so that nothing else needs to be looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from p2pvalue_protocol.acts import Policy
from p2pvalue_protocol.auth_record import DeviceRemoval, Giving
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.bit_sets import bits_of
from p2pvalue_protocol.device_tree import WEAKEST, Case
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.members import Standing

_REMEMBERED_MAX = 65_536


class _Facts(NamedTuple):
    """What `visible` looks at beyond a device's own frontiers."""

    givings: dict[bytes, tuple[int, int]]  # by root: all of them, and those that have effect
    of_ranks: dict[tuple[bytes, int], tuple[object, ...]]  # by root and rank given

    def may_differ(self, now: _Facts) -> bool:
        """Return whether of what there was something is otherwise now."""
        return any(
            (now.givings[root][1] ^ effective) & givings
            for root, (givings, effective) in self.givings.items()
        ) or any(now.of_ranks.get(given) != facts for given, facts in self.of_ranks.items())


class Visibility:
    """The rules for content over one `Authority`."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._record = authority.record
        self._changes = authority.changes()
        self._placed: dict[bytes, dict[int, list[tuple[Giving, int]]]] = {}  # by device
        self._placed_count = 0
        self._policies: dict[int, Policy | None] = {}
        self._judged: dict[tuple[bytes, int, int], Standing | None] = {}
        self._left: dict[bytes, dict[tuple[Giving, bytes, int], int | None]] = {}  # by root
        self._left_count = 0
        self._kept: dict[bytes, dict[tuple[Giving, bytes], bool]] = {}  # by root
        self._facts: dict[bytes, _Facts] | None = None  # by device, when they were last taken
        self._unlooked: set[bytes] = set()  # devices whose facts may differ from those
        self._gone: dict[bytes, bool] = {}
        self._alike: tuple[tuple[bytes, int, int], bool] | None = None  # the last question

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
        view = self._authority.view(frontier)
        standing = view.verdicts.best(Case(device, view.known), limit)
        if len(self._judged) >= _REMEMBERED_MAX:
            self._judged.clear()
        self._judged[asked] = standing
        return standing

    def _placings(self, device: bytes, frontier: int) -> list[tuple[Giving, int]]:
        """Return the givings under which a device acts at a frontier, with the rank of each.

        Without those that can do no more for it than others, there and by all that is held.
        """
        of_device = self._placed.setdefault(device, {})
        known = of_device.get(frontier)
        if known is None:
            view, now = self._authority.view(frontier), self._authority.view().verdicts
            case = Case(device, view.known)
            known = [
                (giving, rank)
                for root in self._record.roots_of.get(device, ())
                for giving in view.verdicts.givings_left(root, case, now=now)
                if (rank := view.verdicts.outcome(giving, case)) is not None
            ]
            if self._placed_count >= _REMEMBERED_MAX:
                self._placed.clear()
                self._placed_count = 0
            self._placed.setdefault(device, {})[frontier] = known
            self._placed_count += 1
        return known

    def policy(self, frontier: int) -> Policy | None:
        """Return the policy at a frontier; None before GENESIS."""
        if self._record.founding is None:
            return None
        policy = self._policies.get(frontier)
        if policy is None:
            if len(self._policies) >= _REMEMBERED_MAX:
                self._policies.clear()
            policy = self._policies[frontier] = self._authority.view(frontier).policy()
        return policy

    def _weakest_writer(self, kind: int, frontier: int) -> int:
        policy = self.policy(frontier)
        return -1 if policy is None else policy.weakest_writer(kind)

    # --- after every removal held (b)

    def visible(self, device: bytes, kind: int, frontier: int, reference: Reference) -> bool:
        """Return whether a content operation counts by its past and by everything held.

        Under 1 µs when the last question was about the same device, kind and frontier, and 3 when
        another was, unless keeps that may count for its member have to be looked at for this very
        operation.
        """
        self._renew()
        asked = (device, kind, frontier)
        if self._alike is not None and self._alike[0] == asked:
            return self._alike[1]
        if self._facts is not None and device not in self._facts:
            self._facts[device] = self._facts_of(device)
        limit, placings = self._weakest_writer(kind, frontier), self._placings(device, frontier)
        counts = any(
            rank <= limit and self._counts(giving, device, frontier, reference, limit)
            for giving, rank in placings
        )
        if not any(self._may_be_kept(giving, device) for giving, _ in placings):
            self._alike = asked, counts
        return counts

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
        return any(strong for _, strong in verdicts.strong(carriers, giving, demotions))

    def _may_be_kept(self, giving: Giving, device: bytes) -> bool:
        """Return whether it may depend on the single operation of a device if it counts.

        What somebody without the strength for it says of a member or her devices is passed over
        here: there may be thousands of that, and it would be looked at for each operation of hers.
        """
        known = self._kept.setdefault(giving.root, {})
        asked = (giving, device)
        if asked not in known:
            carriers = self._record.carriers.get(giving.root, 0)
            known[asked] = (
                bool(self._authority.view().verdicts.acting(carriers, self._reach(giving) - 1))
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
        removals = self._authority.takings.of_devices.get(device, 0)
        if not removals:
            return False
        view, case = self._authority.view(), self._case(device, frontier, place)
        demotions = view.demotions(giving, case)
        if view.authorised(removals, device, giving, demotions, case.before):
            return False
        proofs = self._proofs(removals)
        return bool(proofs) and not any(
            self._record.keeps(index, place, None) for index in bits_of(proofs)
        )

    def is_proof(self, removal: DeviceRemoval) -> bool:
        """Return whether a removal is a FORK, proven, by a member or stronger."""
        return bool(self._proofs(1 << removal.at))

    def _proofs(self, among: int) -> int:
        """Return those of a set of removals that are FORKs, proven, by members or stronger."""
        verdicts = self._authority.view().verdicts
        return verdicts.acting(among & self._authority.proven_forks, WEAKEST - 1)

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
        if self._proofs(self._authority.takings.of_devices.get(device, 0)):
            return True
        view = self._authority.view()
        return self.was_ever_admitted(device) and not view.stays(device)

    def keeps_of(self, device: bytes) -> list[Reference]:
        """Return the keeps that name operations of a device and may count, ascending."""
        record, takings = self._record, self._authority.takings
        verdicts, found = self._authority.view().verdicts, 0
        for root in record.roots_of.get(device, ()):
            for giving in self._one_of_each_rank(root):
                found |= verdicts.acting(record.carriers.get(root, 0), self._reach(giving) - 1)
                for votes in self._facts_about_votes(giving).values():
                    found |= votes
                for facts in self._facts_about_removals(giving, device):
                    found |= facts
        named = found & takings.keeping.get(device, 0)
        kept = {kept for index in bits_of(named) for kept in record.keeps_of(index)}
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
            if before.may_differ(now):
                found.add(device)
            self._facts[device] = now
        self._unlooked = set()
        return sorted(found)

    def _renew(self) -> None:
        self._authority.settle()
        if not self._changes.roots and not self._changes.is_anew:
            return
        self._alike = None
        is_anew, roots = self._changes.take()
        if is_anew:
            self._left.clear()
            self._left_count = 0
            self._kept.clear()
            self._gone.clear()
            self._placed.clear()
            self._placed_count = 0
            self._unlooked = set(self._record.roots_of)
        for root in sorted(roots):
            self._left.pop(root, None)
            self._kept.pop(root, None)
            for device in self._record.devices_of.get(root, ()):
                self._gone.pop(device, None)
                self._placed_count -= len(self._placed.pop(device, ()))
                self._unlooked.add(device)

    def _facts_of(self, device: bytes) -> _Facts:
        """Return all that `visible` looks at beyond a device's own frontiers."""
        facts = _Facts({}, {})
        takings, verdicts = self._authority.takings, self._authority.view().verdicts
        for root in self._record.roots_of.get(device, ()):
            facts.givings[root] = verdicts.effective_givings(root)
            named = takings.revokes.get(root, 0) | self._record.carriers.get(root, 0)
            named &= ~takings.leaves
            for giving in self._one_of_each_rank(root):
                facts.of_ranks[root, giving.rank] = (
                    [verdicts.acting(named, level) for level in range(self._reach(giving))],
                    dict(self._facts_about_votes(giving)),
                    self._facts_about_device(giving, device),
                )
        return facts

    def _one_of_each_rank(self, root: bytes) -> Iterator[Giving]:
        """Yield a giving of each rank that a member got: others differ in their pasts only."""
        for givings in self._authority.takings.givings.get(root, ()):
            if givings:
                yield self._record.given_at[root, givings.bit_length() - 1]

    def _facts_about_votes(self, giving: Giving) -> dict[bytes, int]:
        """Return for whom votes against a member speak, and which."""
        votes = self._authority.takings.votes.get(giving.root, 0)
        if not votes or giving.rank > 1:
            return {}
        return self._authority.view().verdicts.votes.voters_of(votes, giving.root, giving.rank)

    def _reach(self, giving: Giving) -> int:
        """Return the rank that a giving may be left with at the weakest."""
        return max(giving.rank, self._authority.takings.weakest_left(giving.root))

    def _facts_about_device(self, giving: Giving, device: bytes) -> list[object]:
        """Return what removals of a device, and of those on whom it or they rest, may do."""
        record, takings = self._record, self._authority.takings
        if not takings.of_devices:
            return []
        found: list[object] = []
        looked: set[bytes] = set()
        above = [device]
        while above:
            for certifier in record.certifiers(above.pop(), giving.root):
                if certifier in looked:
                    continue
                looked.add(certifier)
                facts = self._facts_about_removals(giving, certifier)
                if any(facts):
                    found.append((certifier, facts))
                above += [
                    author
                    for author, removals in takings.removers.get(certifier, {}).items()
                    if any(removals & fact for fact in facts)
                ]
        return found

    def _facts_about_removals(self, giving: Giving, device: bytes) -> list[int]:
        """Return the removals of a device that may count: by the root, as proofs, by whom else."""
        takings, verdicts = self._authority.takings, self._authority.view().verdicts
        removals = takings.of_device(device, giving.root)
        if not removals:
            return []
        by_root = removals & takings.by_root
        removals &= ~by_root
        proofs = self._proofs(removals)
        found = proofs | verdicts.acting(removals, self._reach(giving) - 1)
        links = []
        if own := takings.by_member(removals, giving.root):
            links = [verdicts.devices.removing_as_member(own, giving, n) for n in range(2, 18)]
            for revoking in links:
                found |= revoking
        return [by_root, proofs, *links, *(verdicts.acting(found, n) for n in range(WEAKEST + 1))]
