"""What operations may do, judged by one set of auth operations (spec: membership, "Authority").

`Verdicts` are by a set that holds the past of each of its members. Every question is one about a
*level*: may the author of this operation act as rank k or stronger? A giving of rank r counts if
its giver acts as less than r, and falls to removals by who acts as less than r; so a question about
a level leads to questions about lower ones, and to earlier votes of equals. It always ends, and
nothing here runs deeper than the four ranks and the sixteen links of a chain of certificates.

The rules ask about a giving and a *case*, which is what is done under it: an operation, or
somebody about to write at a frontier. A demotion that acts on a case makes weaker authors strong
for it. Givings of one rank to one member differ only in what came before them.

Nobody may be made to judge for long: whoever may give and take ranks can write thousands of both.
So removals are looked at as sets, each author's strength is asked once, and what was found is kept
(`settled`) for all views that cannot differ in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from p2pvalue_protocol import acts
from p2pvalue_protocol.acts import Policy
from p2pvalue_protocol.auth_record import Giving
from p2pvalue_protocol.bit_sets import bits_of
from p2pvalue_protocol.device_tree import UNDEMOTED, WEAKEST, Case, Demotions, DeviceTree
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.members import Standing
from p2pvalue_protocol.settled import Settled
from p2pvalue_protocol.takings import Takings
from p2pvalue_protocol.votes import Votes

_POLICIES_KEPT_MAX = 1_024  # each with a bit for every auth operation up to its last POLICY
_LEAVES = -2
"""Stands before every level: leaving is judged before anybody's strength."""


class Verdicts:
    """The verdicts by one set of auth operations.

    `known` has a bit for each of them; None stands for all that are held.
    """

    def __init__(
        self,
        takings: Takings,
        known: int | None,
        static: dict[int, bool],
        settled: Settled,
    ) -> None:
        self.takings = takings
        self.record = takings.record
        self.mask = known
        self.held = -1 if known is None else known
        self.settled = settled
        self._static = static  # by ADMIT: whether its author had a standing by its past alone
        self._carriers: tuple[Reference, bytes, int] | None = None  # those asked for last
        self._chains: tuple[Case, dict[tuple[bytes, int, Demotions], bool]] | None = None
        self.devices = DeviceTree(self)
        self.votes = Votes(self)

    def forget_keeps(self) -> None:
        """Look anew at what is kept: more is held."""
        self._carriers = self._chains = None

    def case_of(self, index: int) -> Case:
        """Return the case that an auth operation is."""
        past = self.record.past(index)
        return Case(
            self.record.events[index].device,
            past ^ 1 << index,
            index,
            self.record.place(index),
            past,
        )

    # --- levels

    def at_most(self, index: int, level: int) -> bool:
        """Return whether the author of an operation acts there as `level` or stronger."""
        if level < 0:
            return False
        return self.settled.acting[level].of(
            index, lambda at: self.best(self.case_of(at), level) is not None
        )

    def acting(self, among: int, level: int) -> int:
        """Return those of a set of operations whose authors act there as `level` or stronger."""
        if level < 0 or not among:
            return 0
        known = self.settled.acting[level]
        return known.among(among, lambda at: self.best(self.case_of(at), level) is not None)

    def best(self, case: Case, level: int = WEAKEST) -> Standing | None:
        """Return the strongest standing in a case up to a level, then that of the smallest root."""
        best: Standing | None = None
        for root in self.record.roots_of.get(case.device, ()):
            for giving in self.givings_left(root, case, level):
                if best is not None and giving.rank >= best.rank:
                    break
                rank = self.outcome(giving, case, level)
                if rank is not None and (best is None or rank < best.rank):
                    best = Standing(root, rank)
        return best

    def givings_left(
        self, root: bytes, case: Case, level: int = WEAKEST, now: Verdicts | None = None
    ) -> Iterator[Giving]:
        """Yield the givings with effect that a case knows, strongest first, up to a level.

        And of each rank the newest first. Those are passed over that were plainly taken, and those
        that leave no more than a newer one does; with `now` if that has effect in those verdicts.
        """
        takings = self.takings
        for rank, givings in enumerate(takings.givings.get(root, ())):
            if rank > level:
                return
            left = givings and givings & case.before
            if left and root in takings.revokes:
                taken = self._last_taking(root, rank, case)
                left = left >> taken + 1 << taken + 1
            while left:
                index = left.bit_length() - 1
                left ^= 1 << index
                giving = self.record.given_at[root, index]
                if self.is_effective(giving):
                    yield giving
                    if left and self.covers(giving) and (now is None or now.covers(giving)):
                        left &= ~giving.past

    def covers(self, giving: Giving) -> bool:
        """Return whether givings of a rank leave no more than a newer one, which knows them.

        It escapes whatever they escape. But what acts on one of them alone, a demotion, may make
        those strong who keep something, or who say something of a device.
        """
        takings, root = self.takings, giving.root
        if not self.is_effective(giving):
            return False
        if not takings.demotions(root):
            return True
        carriers = self.record.carriers.get(root, 0) & self.held
        is_any_weak = carriers != self._acting_as(carriers, giving.rank - 1)
        return not is_any_weak and not takings.has_removed_devices(root)

    def _last_taking(self, root: bytes, rank: int, case: Case) -> int:
        """Return the newest removal that plainly takes a rank in a case; -1 if none does.

        A removal of all ranks by somebody stronger takes all that was given before it came.
        """
        takings = self.takings
        out = takings.put_out(root)
        if not out:
            return -1
        found = self.acting(out & self.meeting(case) & ~case.excluded, rank - 1)
        newest = self.record.given_at[root, takings.givings[root][rank].bit_length() - 1]
        if not found or self.is_spared(case.place, newest, UNDEMOTED, rank - 1):
            return -1
        return found.bit_length() - 1

    def meeting(self, case: Case) -> int:
        """Return the set of what is held and acts on a case if it takes from its author."""
        return self.held if case.at < 0 else self.held & self.takings.meeting(case.at)

    def outcome(self, giving: Giving, case: Case, level: int = WEAKEST) -> int | None:
        """Return the rank left of a giving with effect; None if none, or weaker than `level`."""
        rank, demotions = self.rank_of(giving, case, level)
        if rank is None or not self._has_chain(giving, case, demotions):
            return None
        return rank

    def _has_chain(self, giving: Giving, case: Case, demotions: Demotions) -> bool:
        """Return whether a device is live in a case; many givings of one rank ask in turn."""
        if self._chains is None or self._chains[0] is not case:
            self._chains = case, {}
        chains, asked = self._chains[1], (giving.root, giving.rank, demotions)
        if asked not in chains:
            chains[asked] = self.devices.has_chain(giving, case.device, case, demotions)
        return chains[asked]

    # --- givings

    def is_effective(self, giving: Giving) -> bool:
        """Return whether whoever gave a rank might give it."""
        return giving.is_founders or self.settled.effective.of(giving.index, self._is_effective)

    def _is_effective(self, index: int) -> bool:
        giving = self.record.giving_at[index]
        return self._admits(giving) if giving.is_by_invite else self.gives(index, WEAKEST)

    def effective_givings(self, root: bytes) -> tuple[int, int]:
        """Return the set of the givings to a root that are held, and of those that have effect."""
        founders, *others = self.takings.givings.get(root, (0,))
        given = sum(others)  # no operation gives twice
        effective = self.settled.effective.among(given, self._is_effective)
        return founders | given, founders | effective

    def gives(self, index: int, level: int) -> bool:
        """Return whether the author of a GRANT or INVITE might give its rank, as `level` at most.

        One question instead of two, so that asking about a level leads to no higher one.
        """
        act = self.record.events[index].act
        assert isinstance(act, acts.Give | acts.OpenInvite)
        stronger = min(act.rank - 1, level)
        if stronger <= 0:
            return self.at_most(index, stronger)
        return self.at_most(index, min(stronger, self._invite_rank(self.record.before(index))))

    def _admits(self, giving: Giving) -> bool:
        record, index = self.record, giving.index
        act = record.events[index].act
        assert isinstance(act, acts.Admit)
        invite = record.graph.index(act.invite)
        if not self._static[index] or not self.gives(invite, WEAKEST):
            return False
        level = giving.rank - 1
        before, takings = record.before(index), self.takings
        withdrawals = takings.withdrawals.get(act.invite_key, 0) & takings.meeting(index)
        if self.acting(withdrawals & self.held, level):
            return False
        put_out = takings.put_out(act.root)
        if self.acting(put_out & before, level):
            return False
        if level > 0:
            level = min(level, self._invite_rank(before))
        inviter = Case(record.events[invite].device, before, index, record.place(index))
        return self.best(inviter, level) is not None

    # --- removals of members

    def rank_of(self, giving: Giving, case: Case, level: int) -> tuple[int | None, Demotions]:
        """Return the rank that removals leave of a giving, devices apart, and the demotions.

        None if it leaves none. Under the weakest level the demotions are complete.
        """
        takings = self.takings
        if giving.root not in takings.revokes and giving.root not in takings.votes:
            return giving.rank, UNDEMOTED
        rank: int | None = giving.rank
        demotions = UNDEMOTED
        left = takings.revokes.get(giving.root, 0) & self.meeting(case) & ~giving.past
        for strength in (_LEAVES, *range(giving.rank - 1, WEAKEST)):
            if not left or (strength >= giving.rank and demotions == UNDEMOTED):
                break
            found = self._acting_on(left, giving, case, demotions, strength)
            if not found:
                continue
            left &= ~found
            demotions = self._demoted(demotions, found, strength)
            if rank is not None and (strength != _LEAVES or not case.is_leaveless):
                rank = self._rank_left(rank, found & ~case.excluded)
            if level < WEAKEST and (rank is None or rank > level):
                return None, demotions  # weaker authors are not asked about
        if rank is not None and self.votes.are_enough(giving, case):
            rank = None
        return rank, demotions

    def _rank_left(self, rank: int, found: int) -> int | None:
        """Return what REVOKEs that act leave of a rank."""
        if found & self.takings.puts_out:
            return None
        if found & self.takings.to_guests:
            return max(rank, WEAKEST)
        return max(rank, WEAKEST - 1) if found & self.takings.to_members else rank

    def _demoted(self, demotions: Demotions, found: int, strength: int) -> Demotions:
        """Return the demotions with what else was found to act, by authors of this strength."""
        to_guests = found & self.takings.to_guests
        to_members = found & self.takings.to_members
        if not to_guests and not to_members:
            return demotions
        first, second, third = demotions
        if strength < 0:
            first |= to_guests | to_members
        if strength < 1:
            second |= to_guests | to_members
        return first, second, third | to_guests if strength < WEAKEST - 1 else third

    def _acting_on(
        self, left: int, giving: Giving, case: Case, demotions: Demotions, strength: int
    ) -> int:
        """Return those of some REVOKEs of a member that act on a case at just this strength."""
        takings = self.takings
        if strength == _LEAVES:
            return self._leaving(left & takings.leaves & case.before, giving)
        found = 0
        for level, strong in self.strong(left & ~takings.leaves, giving, demotions, strength):
            found = strong if level == strength else 0
        return 0 if found and self.is_spared(case.place, giving, demotions, strength) else found

    def _leaving(self, found: int, giving: Giving) -> int:
        if not found:
            return 0
        known = self.settled.of[giving.root].leaving[giving.rank]
        return known.among(found, lambda index: self.leaves(giving, index))

    def leaves(self, giving: Giving, index: int) -> bool:
        """Return whether a member's own REVOKE is hers: whether its device was live for it."""
        author = self.record.events[index].device
        return self.devices.has_chain(giving, author, self.case_of(index), UNDEMOTED)

    def is_strong(self, index: int, giving: Giving, demotions: Demotions) -> bool:
        """Return whether an author is stronger than a giving, or than what demotions left of it."""
        return any(found for _, found in self.strong(1 << index, giving, demotions))

    def strong(
        self, among: int, giving: Giving, demotions: Demotions, level: int = WEAKEST - 1
    ) -> Iterator[tuple[int, int]]:
        """Yield (level, set) of those of a set whose authors are strong for a giving, at a level.

        By rising levels, up to the one given. Whoever is stronger than what was given has the same
        level. One who is so only for what a demotion left, which she knew, has her own, and that
        demotion was by a stronger one.
        """
        found = self._acting_as(among, giving.rank - 1)
        yield giving.rank - 1, found
        for strength in range(giving.rank, level + 1):
            among &= ~found
            found = self._acting_as(self._knowing(among, demotions[strength]), strength)
            yield strength, found

    def _acting_as(self, among: int, level: int) -> int:
        grants = among & self.takings.grants
        found = self.acting(among & ~grants, level)
        if grants and level >= 0:
            known = self.settled.giving[level]
            found |= known.among(grants, lambda index: self.gives(index, level))
        return found

    def _knowing(self, among: int, found: int) -> int:
        """Return those of a set in whose past some of another one are."""
        if not found:
            return 0
        past = self.record.past
        return sum(1 << index for index in bits_of(among) if past(index) & found)

    def is_spared(
        self, place: Reference | None, giving: Giving, demotions: Demotions, level: int
    ) -> bool:
        """Return whether somebody strong at a level or a stronger one kept what is at a place."""
        return place is not None and any(
            found
            for _, found in self.strong(self.carriers_of(place, giving), giving, demotions, level)
        )

    def carriers_of(self, place: Reference, giving: Giving) -> int:
        """Return the operations of the view with a keep of `place` that may count for a giving."""
        carriers = self.record.carriers.get(giving.root, 0) & self.held
        if not carriers:
            return 0
        if self._carriers is None or self._carriers[:2] != (place, giving.root):
            self._carriers = place, giving.root, self.keeping(carriers, place)
        return self._carriers[2]

    def keeping(self, among: int, place: Reference) -> int:
        """Return those of a set that keep what is at a place."""
        among &= self.takings.keeping.get(place.device, 0)
        keeps, mask = self.record.keeps, self.mask
        return sum(1 << index for index in bits_of(among) if keeps(index, place, mask))

    # --- policy

    def policy(self, known: int) -> Policy:
        """Return the policy at a past: the last effective POLICY there; of several, one."""
        record = self.record
        assert record.founding is not None
        held = known & record.policies_mask
        if not held:
            return record.founding.policy
        policy = self.settled.policies.get(held)
        if policy is None:
            if len(self.settled.policies) >= _POLICIES_KEPT_MAX:
                self.settled.policies.clear()
            policy = self.settled.policies[held] = self._policy_among(held)
        return policy

    def _policy_among(self, held: int) -> Policy:
        record, effective = self.record, self.acting(held, 0)
        last: list[tuple[bytes, acts.Act]] = []
        while effective:  # the newest of a set precedes none of it
            event = record.events[index := effective.bit_length() - 1]
            last.append((event.op_id, event.act))
            effective &= ~record.past(index)
        if not last:
            assert record.founding is not None
            return record.founding.policy
        act = min(last, key=lambda found: found[0])[1]
        assert isinstance(act, acts.SetPolicy)
        return act.policy

    def _invite_rank(self, known: int) -> int:
        return self.policy(known).invite_rank
