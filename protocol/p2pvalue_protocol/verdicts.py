"""What operations may do, judged by one set of auth operations (spec: membership, "Authority").

`Verdicts` are by a set that holds the past of each of its members. Every question is one about a
*level*: may the author of this operation act as rank k or stronger? A giving of rank r counts if
its giver acts as less than r, and falls to removals by who acts as less than r; so a question about
a level leads to questions about lower ones, and to earlier votes of equals. It always ends, and
nothing here runs deeper than the four ranks and the sixteen links of a chain of certificates.

The rules ask about a giving and a *case*, which is what is done under it: an operation, or
somebody about to write at a frontier. A demotion that acts on a case makes weaker authors strong
for it. Verdicts are kept for as long as the view holds the same operations.
"""

from __future__ import annotations

from p2pvalue_protocol import acts
from p2pvalue_protocol.acts import OUT, Policy
from p2pvalue_protocol.auth_record import Giving, Record
from p2pvalue_protocol.device_tree import WEAKEST, Case, Demotions, DeviceTree
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.members import Standing

_LEAVES = -2
"""Stands before every level: leaving is judged before anybody's strength."""


class Verdicts:
    """The verdicts by one set of auth operations.

    `mask` has a bit for each removal and keep in the set, the others need none; None stands for
    all that are held.
    """

    def __init__(self, record: Record, mask: int | None, static: dict[int, bool]) -> None:
        self.record = record
        self.mask = mask
        self._static = static  # by ADMIT: whether its author had a standing by its past alone
        self._at_most: dict[tuple[int, int], bool] = {}
        self._effective: dict[Giving, bool] = {}
        self._policies: dict[int, Policy] = {}
        self._voters: dict[tuple[int, int], bytes | None] = {}
        self.devices = DeviceTree(self)

    def holds(self, index: int) -> bool:
        """Return whether an operation is in the view."""
        return self.mask is None or bool(self.mask >> index & 1)

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
        asked = (index, level)
        known = self._at_most.get(asked)
        if known is None:
            known = self._at_most[asked] = self.best(self.case_of(index), level) is not None
        return known

    def strength(self, index: int) -> int:
        """Return the rank that the author of an operation acts as; 4 for none."""
        return next((k for k in range(WEAKEST + 1) if self.at_most(index, k)), WEAKEST + 1)

    def best(self, case: Case, level: int = WEAKEST) -> Standing | None:
        """Return the strongest standing in a case up to a level, then that of the smallest root."""
        best: Standing | None = None
        for root in self.record.roots_of.get(case.device, ()):
            for giving in self.record.givings.get(root, ()):
                if giving.rank > level or (best is not None and giving.rank >= best.rank):
                    break
                if not case.before >> giving.index & 1:
                    continue
                rank = self.outcome(giving, case, level)
                if rank is not None and (best is None or rank < best.rank):
                    best = Standing(root, rank)
        return best

    def outcome(self, giving: Giving, case: Case, level: int = WEAKEST) -> int | None:
        """Return the rank that a giving leaves in a case; None if none, or weaker than `level`."""
        if not self.is_effective(giving):
            return None
        rank, demotions = self.rank_of(giving, case, level)
        if rank is None or not self.devices.has_chain(giving, case.device, case, demotions):
            return None
        return rank

    # --- givings

    def is_effective(self, giving: Giving) -> bool:
        """Return whether whoever gave a rank might give it."""
        known = self._effective.get(giving)
        if known is None:
            if giving.is_founders:
                known = True
            elif giving.is_by_invite:
                known = self._admits(giving)
            else:
                known = self.gives(giving.index, WEAKEST)
            self._effective[giving] = known
        return known

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
        before = record.before(index)
        for withdrawal in record.withdrawals.get(act.invite_key, ()):
            is_late = self.holds(withdrawal) and not record.precedes(index, withdrawal)
            if is_late and self.at_most(withdrawal, level):
                return False
        for removal in record.removals.get(act.root, ()):
            if not before >> removal & 1 or removal in record.leaves:
                continue
            if record.puts_out(removal) and self.at_most(removal, level):
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
        record = self.record
        if giving.root not in record.removals and giving.root not in record.votes_on:
            return giving.rank, ()
        rank: int | None = giving.rank
        demotions: Demotions = ()
        left = [
            index
            for index in record.removals.get(giving.root, ())
            if self.holds(index) and not giving.past >> index & 1
        ]
        for strength in (_LEAVES, *range(giving.rank - 1, WEAKEST)):
            if not left or (strength >= giving.rank and not demotions):
                break
            found = [i for i in left if self._acts(i, giving, case, demotions, strength)]
            for index in found:
                act = record.events[index].act
                assert isinstance(act, acts.Remove)
                left.remove(index)
                if act.rank != OUT:
                    demotions = (*demotions, (index, act.rank, strength))
                counts = not case.excluded >> index & 1
                if rank is not None and counts and (strength != _LEAVES or not case.is_leaveless):
                    rank = None if act.rank == OUT else max(rank, act.rank)
            if level < WEAKEST and (rank is None or rank > level):
                return None, demotions  # weaker authors are not asked about
        if rank is not None and self._is_voted_out(giving, case):
            rank = None
        return rank, demotions

    def _acts(
        self, index: int, giving: Giving, case: Case, demotions: Demotions, strength: int
    ) -> bool:
        """Return whether a REVOKE of just this strength acts on a case."""
        record = self.record
        if index in record.leaves or strength == _LEAVES:
            is_leave = index in record.leaves and strength == _LEAVES
            return is_leave and bool(case.before >> index & 1) and self.leaves(giving, index)
        if case.at >= 0 and record.precedes(case.at, index):
            return False
        return self.strength_for(
            index, giving, demotions, strength
        ) == strength and not self.is_spared(case.place, giving, demotions, strength)

    def leaves(self, giving: Giving, index: int) -> bool:
        """Return whether a member's own REVOKE is hers: whether its device was live for it."""
        author = self.record.events[index].device
        return self.devices.has_chain(giving, author, self.case_of(index), ())

    def is_strong(self, index: int, giving: Giving, demotions: Demotions) -> bool:
        """Return whether an author is stronger than a giving, or than what demotions left of it."""
        return self.strength_for(index, giving, demotions, WEAKEST - 1) is not None

    def strength_for(
        self, index: int, giving: Giving, demotions: Demotions, level: int
    ) -> int | None:
        """Return the level at which an author is strong for a giving; None if above `level`.

        Whoever is stronger than what was given has the same level. One who is so only for what a
        demotion left, which she knew, has her own, and that demotion was by a stronger one.
        """
        if self._acts_as(index, giving.rank - 1):
            return giving.rank - 1
        past = self.record.past(index)
        for strength in range(giving.rank, level + 1):
            is_weakened = any(
                rank > strength > by and past >> demotion & 1 for demotion, rank, by in demotions
            )
            if is_weakened and self._acts_as(index, strength):
                return strength
        return None

    def _acts_as(self, index: int, level: int) -> bool:
        if index in self.record.giving_at:
            return self.gives(index, level)
        return self.at_most(index, level)

    def is_spared(
        self, place: Reference | None, giving: Giving, demotions: Demotions, level: int
    ) -> bool:
        """Return whether somebody strong at a level or a stronger one kept what is at a place."""
        return place is not None and any(
            self.strength_for(carrier, giving, demotions, level) is not None
            for carrier in self.carriers_of(place, giving)
        )

    def carriers_of(self, place: Reference, giving: Giving) -> list[int]:
        """Return the operations of the view with a keep of `place` that may count for a giving."""
        return [
            index
            for index in self.record.carriers.get(giving.root, ())
            if self.holds(index) and self.record.keeps(index, place, self.mask)
        ]

    # --- votes

    def _is_voted_out(self, giving: Giving, case: Case) -> bool:
        record = self.record
        votes, quorum = record.votes_on.get(giving.root), record.quorum(giving.rank)
        if not votes or not quorum:
            return False
        looked_at = case.votes if case.votes_rank == giving.rank else -1
        voters: set[bytes] = set()
        is_new = False
        for index in votes:
            if not self.holds(index) or giving.past >> index & 1 or not looked_at >> index & 1:
                continue
            if case.at >= 0 and record.precedes(case.at, index):
                continue
            if case.place is not None and record.keeps(index, case.place, self.mask):
                continue
            voter = self.voter(index, giving.rank)
            if voter is not None and voter != giving.root:
                voters.add(voter)
                is_new = is_new or not case.excluded >> index & 1
        return (
            len(voters) >= quorum
            and is_new
            and not self.is_spared(case.place, giving, (), giving.rank - 1)
        )

    def voter(self, index: int, rank: int) -> bytes | None:
        """Return for whom a VOTE speaks if its author has exactly a rank, else None.

        Votes of equals are looked at only in the VOTE's past: earlier ones are settled first.
        """
        if (index, rank) not in self._voters:
            past = self.record.past(index)
            for vote in self.record.votes:
                if vote > index:
                    break
                if past >> vote & 1 and (vote, rank) not in self._voters:
                    self._voters[vote, rank] = self._voter(vote, rank)
        return self._voters[index, rank]

    def _voter(self, index: int, rank: int) -> bytes | None:
        if self.at_most(index, rank - 1):
            return None
        case = self.case_of(index)._replace(votes=self.record.before(index), votes_rank=rank)
        standing = self.best(case, rank)
        return None if standing is None else standing.member

    # --- policy

    def policy(self, known: int) -> Policy:
        """Return the policy at a past: the last effective POLICY there; of several, one."""
        record = self.record
        assert record.founding is not None
        held = known & record.policies_mask
        if not held:
            return record.founding.policy
        policy = self._policies.get(held)
        if policy is None:
            policy = self._policies[held] = self._policy_among(held)
        return policy

    def _policy_among(self, held: int) -> Policy:
        record = self.record
        effective = [p for p in record.policies if held >> p & 1 and self.at_most(p, 0)]
        last = [
            (record.events[index].op_id, record.events[index].act)
            for index in effective
            if not any(record.precedes(index, other) for other in effective)
        ]
        if not last:
            assert record.founding is not None
            return record.founding.policy
        act = min(last, key=lambda found: found[0])[1]
        assert isinstance(act, acts.SetPolicy)
        return act.policy

    def _invite_rank(self, known: int) -> int:
        return self.policy(known).invite_rank
