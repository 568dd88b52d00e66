"""What people see of a DAG, by the oracle: who is there, what is visible, who is gone."""

from __future__ import annotations

from p2pvalue_protocol.acts import (
    Admit,
    Found,
    Give,
    OpenInvite,
    ProveFork,
    Remove,
    RemoveDevice,
    SetPolicy,
    Vote,
    WithdrawInvite,
)
from tests.dags.model import Content, Dag, State
from tests.dags.oracle import Oracle
from tests.dags.reading import GUEST, MEMBER, Chain, Claim, Place, remembered


def state_of(dag: Dag) -> State:
    """Return the whole state by the rules read word by word: milliseconds for ten acts."""
    outcome = Outcome(dag)
    state = outcome.state()
    vars(outcome).clear()  # its views point back at it: nobody has to look for them later
    return state


class Outcome(Oracle):
    """What follows from the rules in a view."""

    def state(self) -> State:
        events, devices = list(self.events), self.devices()
        alone = {i: self.alone(self.before[i]) for i in events}
        standings = {device: self.standing(self.end(device)) for device in devices}
        return State(
            standings={i: self.standing(self.place(i)) for i in events},
            standings_alone={
                i: alone[i].standing(alone[i].end(e.device)) for i, e in self.events.items()
            },
            effective=sorted(i for i in events if self.is_effective(i)),
            devices={device: standing for device, standing in standings.items() if standing},
            policy=self.policy(self.everything),
            visible=sorted(c.op_id for c in self.dag.contents if self.is_visible(c)),
            gone=[device for device in devices if self.is_gone(device)],
            uncovered=sorted(i for i in events if self.is_uncovered(i)),
        )

    @remembered
    def is_effective(self, op_id: bytes) -> bool:
        """Tell whether an operation gives, invites, sets policy, or could take from somebody."""
        there = self.place(op_id)
        match self.events[op_id].act:
            case Found() | Give() | Admit() | OpenInvite():
                return self.is_giving(op_id)
            case SetPolicy():
                return self.is_at_most(there, 0)
            case WithdrawInvite(invite_key=key):
                return any(
                    act.invite_key == key and self.is_at_most(there, act.rank - 1)
                    for _, act in self.acts(OpenInvite)
                )
            case Remove(root=root):
                return any(self.takes_from(op_id, claim) for claim in self.claims_of(root))
            case Vote(root=root):
                return any(
                    self.quorum(claim.rank) > 0
                    and op_id not in self.before[claim.giving]
                    and self.voter(op_id, claim.rank) not in (None, root)
                    for claim in self.claims_of(root)
                )
            case RemoveDevice() | ProveFork():
                return any(
                    self.takes_device(op_id, claim, self.depth(device, root), self.end(device))
                    for device in self.devices()
                    for root in self.roots_of(self.end(device))
                    if op_id in self.removals_of(device, root)
                    for claim in self.claims_of(root)
                )
        return False

    def claims_of(self, root: bytes) -> list[Claim]:
        """Return every claim of a root, with effect or not."""
        return self.claims(self.end(b""), root)

    def takes_from(self, op_id: bytes, claim: Claim) -> bool:
        """Tell whether a REVOKE has authority over a claim it did not know."""
        if op_id in self.before[claim.giving]:
            return False
        if op_id in self.leaves(claim.root):
            return self.is_leave(op_id, claim)
        return self.is_strong(op_id, claim, self.end(b""))

    def takes_device(self, op_id: bytes, claim: Claim, depth: int, asked: Place) -> bool:
        """Tell whether what would remove a device has the authority to."""
        return self.is_own_removal(op_id, claim, depth) or (
            self.is_foreign(op_id, claim) and self.is_strong(op_id, claim, asked)
        )

    # Content (R9, R10).

    def is_visible(self, content: Content) -> bool:
        """Tell whether a content operation counts: by its own past, and by all that is held."""
        past = self.before[content.op_id]
        alone = self.alone(past)
        end = alone.end(content.device)
        weakest = dict(alone.policy(past).write).get(content.kind, MEMBER)
        place = Place(content.device, past, content.op_id)
        return any(
            alone.is_giving(claim.giving)
            and any(alone.stands(claim, c, end, weakest) for c in alone.chains(end, root))
            and (
                self.is_kept_by_stronger(claim, place)
                or any(
                    self.still_counts(claim, chain, place, weakest)
                    and not self.is_doubtful(claim, place)
                    for chain in self.chains(place, root)
                )
            )
            for root in alone.roots_of(end)
            for claim in alone.claims(end, root)
        )

    def is_kept_by_stronger(self, claim: Claim, place: Place) -> bool:
        """Tell whether somebody stronger than the claim kept what was written under it."""
        keepers = self.keepers(claim.root, place.op_id)
        return any(self.is_strong(keeper, claim, place) for keeper in keepers)

    def still_counts(self, claim: Claim, chain: Chain, place: Place, rank: int) -> bool:
        """Tell whether a claim outlives whatever its writer did not know of."""
        unknown = self.everything - place.before
        return self.is_giving(claim.giving) and self.stands(
            claim, chain, place, rank, counted=unknown, are_leaves_counted=False
        )

    def is_doubtful(self, claim: Claim, place: Place) -> bool:
        """Tell whether proofs of a fork, without authority, hide an operation for the moment."""
        depth = min(len(chain) for chain in self.chains(place, claim.root))
        removals = self.removals_of(place.device, claim.root)
        if any(self.takes_device(op_id, claim, depth, place) for op_id in removals):
            return False
        proofs = self.proofs_of(place.device)
        return bool(proofs) and not any(self.names_in_keep(i, place.op_id) for i in proofs)

    @remembered
    def proofs_of(self, device: bytes) -> list[bytes]:
        """Return the FORKs of a device by members, where both operations are held."""
        return [
            op_id
            for op_id, act in self.acts(ProveFork)
            if act.first.device == device
            and self.is_proven(act)
            and self.is_at_most(self.place(op_id), MEMBER)
        ]

    # Who is gone, and whether an EPOCH knows it.

    @remembered
    def was_given(self, root: bytes) -> bool:
        """Tell whether a member had a rank in the eyes of whoever gave it."""
        return any(
            self.alone(self.before[claim.giving] | {claim.giving}).is_giving(claim.giving)
            for claim in self.claims_of(root)
        )

    def is_gone(self, device: bytes) -> bool:
        """Tell whether others put a device out, or somebody proved that it forked."""
        end = self.end(device)
        is_there = any(
            self.is_giving(claim.giving)
            and any(
                self.stands(claim, chain, end, GUEST, are_leaves_counted=False)
                for chain in self.chains(end, root)
            )
            for root in self.roots_of(end)
            for claim in self.claims_of(root)
        )
        was_there = any(self.was_given(root) for root in self.roots_of(end))
        return (was_there and not is_there) or bool(self.proofs_of(device))

    @remembered
    def has_rank(self, root: bytes) -> bool:
        """Tell whether a member would have a rank with a device that nobody took."""
        end = self.end(b"")
        return any(
            self.is_giving(claim.giving)
            and self.is_left(claim, end, GUEST, None, self.everything, True)
            for claim in self.claims_of(root)
        )

    def is_uncovered(self, op_id: bytes) -> bool:
        """Tell whether an EPOCH that knows all up to an operation leaves who is out a key."""
        then = self.alone(self.before[op_id] | {op_id})
        return any(self.is_member_uncovered(root, then) for root in self.members_out()) or any(
            self.is_device_uncovered(device, then) for device in self.devices_taken()
        )

    @remembered
    def members_out(self) -> list[bytes]:
        """Return those who had a rank and have none, whatever devices they have."""
        return [r for r in self.roots() if self.was_given(r) and not self.has_rank(r)]

    def is_member_uncovered(self, root: bytes, then: Outcome) -> bool:
        """Tell whether a member who is out was not, or may have come back later."""
        givings = {claim.giving for claim in self.claims_of(root)}
        named = {i for i, act in self.acts(Remove) if act.root == root}
        named |= {i for i, act in self.acts(Vote) if act.root == root}
        removals = {i for i in named if self.is_effective(i)}
        return (
            then.has_rank(root)
            or (
                then.everything.isdisjoint(removals | givings)
                and any(
                    self.alone(then.everything | self.before[i] | {i}).has_rank(root)
                    for i in sorted(givings)
                )
            )
            or any(self.is_giving(i) for i in givings - then.everything)
        )

    @remembered
    def devices_taken(self) -> list[bytes]:
        """Return devices without a rank that were taken from somebody who is in."""
        return [
            device
            for device in self.devices()
            if self.takers(device)
            and any(self.has_rank(root) for root in self.roots_of(self.end(device)))
            and self.standing(self.end(device)) is None
        ]

    @remembered
    def takers(self, device: bytes) -> set[bytes]:
        """Return what has the authority to remove that device of anybody."""
        roots = self.roots_of(self.end(device))
        named = {op_id for root in roots for op_id in self.removals_of(device, root)}
        return {op_id for op_id in named if self.is_effective(op_id)}

    def is_device_uncovered(self, device: bytes, then: Outcome) -> bool:
        """Tell whether a device taken was still hers, or nobody had taken it."""
        return (
            then.everything.isdisjoint(self.takers(device))
            or then.standing(then.end(device)) is not None
        )
