"""The rules of membership read off word by word: slow, short, and for small DAGs only.

Independent of the code that runs: it shares the acts and nothing else. Everything is judged from
scratch with sets and recursion, in one *view*: a set of auth operations that holds its own past.
Each rule says where it stands in the spec page (membership). What makes the recursion end: a
question about rank k asks about ranks below k only; a vote asks about votes before it; a demotion
about demotions before it; a device about devices nearer the root.
"""

from __future__ import annotations

from p2pvalue_protocol.acts import (
    OUT,
    Admit,
    Found,
    Give,
    OpenInvite,
    Policy,
    ProveFork,
    Remove,
    RemoveDevice,
    SetPolicy,
    Vote,
    WithdrawInvite,
)
from tests.dags.model import Standing
from tests.dags.reading import (
    ADMIN,
    FOUNDER,
    GUEST,
    MEMBER,
    Chain,
    Claim,
    Place,
    Reading,
    remembered,
)


class Oracle(Reading):
    """What holds in one view of a DAG."""

    # Givings (R1).

    @remembered
    def is_giving(self, op_id: bytes) -> bool:
        """Tell whether a giving or an INVITE has effect."""
        place = self.place(op_id)
        match self.events[op_id].act:
            case Found():
                return True
            case Give(rank=rank) | OpenInvite(rank=rank):
                return self.may_give(place, rank)
            case Admit() as admit:
                return self._admits(place, admit)
        return False

    def may_give(self, place: Place, rank: int) -> bool:
        return self.is_at_most(place, min(rank - 1, self.policy(place.before).invite_rank))

    def _admits(self, place: Place, admit: Admit) -> bool:
        if self.gives(place.op_id, admit.root) is None:
            return False
        invite = self.events[admit.invite]
        assert isinstance(invite.act, OpenInvite)
        here = self.alone(place.before)
        return (
            self.is_giving(invite.op_id)
            and self.may_give(place._replace(device=invite.device), invite.act.rank)
            and here.standing(here.end(place.device)) is not None
            and not any(
                act.invite_key == admit.invite_key
                and place.op_id not in self.before[op_id]
                and self.is_at_most(self.place(op_id), invite.act.rank - 1)
                for op_id, act in self.acts(WithdrawInvite)
            )
            and not any(
                op_id in place.before
                and (act.root, act.rank) == (admit.root, OUT)
                and not self.is_of(op_id, admit.root)
                and self.is_at_most(self.place(op_id), invite.act.rank - 1)
                for op_id, act in self.acts(Remove)
            )
        )

    @remembered
    def policy(self, before: frozenset[bytes]) -> Policy:
        """Return the policy that holds after these operations ("Policy")."""
        setting = {
            op_id: act.policy
            for op_id, act in self.acts(SetPolicy)
            if op_id in before and self.is_at_most(self.place(op_id), FOUNDER)
        }
        last = [i for i in setting if not any(i in self.before[other] for other in setting)]
        return setting[min(last)] if last else self.found.policy

    # Ranks.

    def standing(self, place: Place) -> Standing | None:
        for rank in range(GUEST + 1):
            roots = self.roots_at_most(place, rank)
            if roots:
                return Standing(min(roots), rank)
        return None

    def is_at_most(self, place: Place, rank: int) -> bool:
        return bool(self.roots_at_most(place, rank))

    @remembered
    def roots_at_most(
        self, place: Place, rank: int, votes: frozenset[bytes] | None = None
    ) -> list[bytes]:
        """Return the roots for which a place has that rank or a stronger one.

        With `votes`, only these of that very rank are looked at (R4).
        """
        return [
            root
            for root in self.roots_of(place)
            if any(
                claim.rank <= rank
                and self.is_giving(claim.giving)
                and any(
                    self.stands(claim, chain, place, rank, votes)
                    for chain in self.chains(place, root)
                )
                for claim in self.claims(place, root)
            )
        ]

    def stands(
        self,
        claim: Claim,
        chain: Chain,
        place: Place,
        rank: int,
        votes: frozenset[bytes] | None = None,
        counted: frozenset[bytes] | None = None,
        are_leaves_counted: bool = True,
    ) -> bool:
        """Tell whether nothing takes from the place what was claimed, or the device from it."""
        counted = self.everything if counted is None else counted
        return self.is_left(
            claim, place, rank, votes, counted, are_leaves_counted
        ) and self.is_live(chain, claim, place, place, counted)

    def is_left(
        self,
        claim: Claim,
        place: Place,
        rank: int,
        votes: frozenset[bytes] | None,
        counted: frozenset[bytes],
        are_leaves_counted: bool,
    ) -> bool:
        """Tell whether removals of the member leave of a claim that rank or a stronger one.

        Of removals, only those in `counted`. Demotions come first: of what a demotion weaker than
        `rank` would allow, nothing needs to be asked then.
        """
        if claim.rank > rank:
            return False
        for op_id, act in self.removals_from(claim.root):
            is_leave = op_id in self.leaves(claim.root)
            if op_id not in counted or (is_leave and not are_leaves_counted):
                continue
            if (act.rank == OUT or act.rank > rank) and self.removes(op_id, claim, place):
                return False
        return not self.is_voted_out(claim, place, votes if claim.rank == rank else None, counted)

    # Removals of a member, and keeps (R2 to R7).

    @remembered
    def removes(self, op_id: bytes, claim: Claim, place: Place, weakest: int = MEMBER) -> bool:
        """Tell whether a REVOKE of a member, by that level or a stronger, acts at a place."""
        if op_id in self.before[claim.giving]:
            return False
        if op_id in self.leaves(claim.root):
            return op_id in place.before and self.is_leave(op_id, claim)
        level = self.level(op_id, claim, place, weakest)
        return (
            level is not None
            and place.op_id not in self.before[op_id]
            and not self.is_spared(claim, place, place, level)
        )

    @remembered
    def is_leave(self, op_id: bytes, claim: Claim) -> bool:
        """Tell whether a member's own removal is by a device that was live."""
        there = self.place(op_id)
        return any(
            self.is_live(chain, claim, there, None, self.everything)
            for chain in self.chains(there, claim.root)
        )

    @remembered
    def level(
        self, op_id: bytes, claim: Claim, place: Place | None, weakest: int = MEMBER
    ) -> int | None:
        """Return how strong an author is in taking from a claim at a place; None: not enough.

        Who is stronger than what was given has the base level. A demotion lets others follow, who
        are weaker than its author and stronger than what it left. Without a place none does.
        """
        there = self.place(op_id)
        base = claim.rank - 1
        if self.has_authority(there, base):
            return base
        for level in range(claim.rank, weakest + 1):
            for demotion, act in self.acts(Remove):
                if (
                    place is not None
                    and act.root == claim.root
                    and act.rank > level
                    and demotion in there.before
                    and self.removes(demotion, claim, place, level - 1)
                    and self.has_authority(there, level)
                ):
                    return level
        return None

    def is_strong(self, op_id: bytes, claim: Claim, place: Place | None) -> bool:
        return self.level(op_id, claim, place) is not None

    def has_authority(self, place: Place, rank: int) -> bool:
        """Tell whether an author has that rank; of a GRANT that keeps, also enough to give."""
        act = self.events[place.op_id].act
        if isinstance(act, Give) and rank >= FOUNDER:
            rank = min(rank, act.rank - 1, self.policy(place.before).invite_rank)
        return self.is_at_most(place, rank)

    @remembered
    def keepers(self, root: bytes, op_id: bytes) -> list[bytes]:
        """Return what carries keeps for a member's operations, and names this one."""
        return [
            name
            for name in self.keeping()
            if self.names_in_keep(name, op_id) and self._may_keep(name, root)
        ]

    def _may_keep(self, op_id: bytes, root: bytes) -> bool:
        match self.events[op_id].act:
            case Remove(root=of):
                return of == root and not self.is_of(op_id, root)
            case RemoveDevice(root=of, is_by_root=is_by_root):
                return of == root and not is_by_root
            case ProveFork(first=first):
                return bool(self.chains(Place(first.device, self.before[op_id]), root))
            case Give(root=of):
                return of == root
        return False

    @remembered
    def is_spared(self, claim: Claim, place: Place, asked: Place | None, level: int) -> bool:
        """Tell whether somebody of that level or a stronger kept what is at the place."""
        return any(
            self.level(keeper, claim, asked, level) is not None
            for keeper in self.keepers(claim.root, place.op_id)
        )

    def is_voted_out(
        self,
        claim: Claim,
        place: Place,
        votes: frozenset[bytes] | None,
        counted: frozenset[bytes],
    ) -> bool:
        """Tell whether a quorum of the same rank acts on a claim at a place (R4)."""
        quorum = self.quorum(claim.rank)
        if quorum == 0:
            return False
        if any(self.is_strong(k, claim, None) for k in self.keepers(claim.root, place.op_id)):
            return False
        voters = {}
        for op_id, act in self.acts(Vote):
            if (
                act.root == claim.root
                and (votes is None or op_id in votes)
                and op_id not in self.before[claim.giving]
                and place.op_id not in self.before[op_id]
                and not self.names_in_keep(op_id, place.op_id)
            ):
                voters[op_id] = self.voter(op_id, claim.rank)
        counting = {i: root for i, root in voters.items() if root not in (None, claim.root)}
        return len(set(counting.values())) >= quorum and not counted.isdisjoint(counting)

    def quorum(self, rank: int) -> int:
        return {FOUNDER: self.found.founder_quorum, ADMIN: self.found.admin_quorum}.get(rank, 0)

    @remembered
    def voter(self, op_id: bytes, rank: int) -> bytes | None:
        """Return the root that has exactly that rank at its vote."""
        there = self.place(op_id)
        roots = self.roots_at_most(there, rank, self.before[op_id])
        return None if not roots or self.is_at_most(there, rank - 1) else min(roots)

    # Removals of a device (R8). `asked` is whose claim is judged; None: demotions do not help.

    def is_live(
        self,
        chain: Chain,
        claim: Claim,
        place: Place,
        asked: Place | None,
        counted: frozenset[bytes],
    ) -> bool:
        """Tell whether no device of a chain is removed where it acts: for its link, or there."""
        places = [*(self.place(link.certificate) for link in chain[1:]), place]
        return not any(
            op_id in counted and self.removes_device(op_id, claim, depth, link.device, at, asked)
            for depth, (link, at) in enumerate(zip(chain, places, strict=True), start=1)
            for op_id in self.removals_of(link.device, claim.root)
        )

    @remembered
    def removes_device(
        self,
        op_id: bytes,
        claim: Claim,
        depth: int,
        device: bytes,
        place: Place,
        asked: Place | None,
    ) -> bool:
        """Tell whether an operation removes a device, so deep in a chain, for what is there."""
        if (
            self.is_own_removal(op_id, claim, depth)
            and place.op_id not in self.sight(op_id)
            and not self.is_kept_by_own(claim, depth, device, place)
            and not self.was_let_stand(op_id, claim, place)
        ):
            return True
        level = self.level(op_id, claim, asked) if self.is_foreign(op_id, claim) else None
        return (
            level is not None
            and place.op_id not in self.before[op_id]
            and not self.is_spared(claim, place, asked, level)
        )

    def sight(self, op_id: bytes) -> frozenset[bytes]:
        """Return what a removal knows; one by the root, what it says that it had seen."""
        act = self.events[op_id].act
        if isinstance(act, RemoveDevice) and act.is_by_root:
            return frozenset(act.seen).union(*(self.before[seen] for seen in act.seen))
        return self.before[op_id]

    @remembered
    def is_own_removal(self, op_id: bytes, claim: Claim, depth: int) -> bool:
        """Tell whether a removal comes from nearer the root than the device: (i) and (ii)."""
        act = self.events[op_id].act
        if isinstance(act, RemoveDevice) and act.is_by_root:
            return True
        there = self.place(op_id)
        return any(
            len(chain) < depth and self.is_live(chain, claim, there, None, self.everything)
            for chain in self.chains(there, claim.root)
        )

    def was_let_stand(self, op_id: bytes, claim: Claim, place: Place) -> bool:
        """Tell whether who removed the member for good knew of the place, and not of that."""
        return any(
            (act.root, act.rank) == (claim.root, OUT)
            and removal not in self.leaves(claim.root)
            and place.op_id in self.before[removal]
            and op_id not in self.before[removal]
            and self.is_strong(removal, claim, None)
            for removal, act in self.acts(Remove)
        )

    def is_foreign(self, op_id: bytes, claim: Claim) -> bool:
        """Tell whether a removal of a device can count by its author's rank: (iii)."""
        act = self.events[op_id].act
        is_by_root = isinstance(act, RemoveDevice) and act.is_by_root
        return not is_by_root and not self.is_of(op_id, claim.root)

    def is_kept_by_own(self, claim: Claim, depth: int, device: bytes, place: Place) -> bool:
        """Tell whether a member's own removals of the device, or somebody stronger, keep it."""
        return any(
            self.is_strong(keeper, claim, None) for keeper in self.keepers(claim.root, place.op_id)
        ) or any(
            self.names_in_keep(op_id, place.op_id) and self.is_own_removal(op_id, claim, depth)
            for op_id in self.removals_of(device, claim.root)
        )
