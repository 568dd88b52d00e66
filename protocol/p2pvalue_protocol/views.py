"""What holds at a frontier: members, devices, policy, and which operations count there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from p2pvalue_protocol import acts
from p2pvalue_protocol.acts import Policy
from p2pvalue_protocol.auth_record import DeviceRemoval, Giving
from p2pvalue_protocol.device_tree import UNDEMOTED, Case, Demotions
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.members import Standing
from p2pvalue_protocol.verdicts import Verdicts


class LiveDevice(NamedTuple):
    """A device with a standing."""

    device: bytes
    root: bytes
    rank: int


class View:
    """Answers by one set of auth operations, `known`, which holds the past of each of its own."""

    def __init__(self, verdicts: Verdicts, known: int) -> None:
        self.verdicts = verdicts
        self.known = known
        self._record = verdicts.record
        self._standings: dict[bytes, Standing | None] = {}
        self._taken: dict[int, bytes | None] = {}

    def extend(self, known: int, touched: set[bytes]) -> None:
        """Hold more operations, which change what is known of `touched` members only."""
        self.known = known
        self.verdicts.forget_keeps()
        self._taken.clear()
        for root in sorted(touched):
            for device in self._record.devices_of.get(root, ()):
                self._standings.pop(device, None)

    # --- devices and members

    def standing(self, device: bytes) -> Standing | None:
        """Return what a device is for whoever knows all of the view, or None for a stranger."""
        try:
            return self._standings[device]
        except KeyError:
            standing = self.verdicts.best(Case(device, self.known))
            self._standings[device] = standing
            return standing

    def stays(self, device: bytes) -> bool:
        """Return whether a device has a standing, or would if nobody had left."""
        return self.verdicts.best(Case(device, self.known, is_leaveless=True)) is not None

    def standing_at(self, op_id: bytes) -> Standing | None:
        """Return what the author of an operation of the view was there."""
        index = self._record.graph.index(op_id)
        return self.verdicts.best(self.verdicts.case_of(index))

    def live_devices(self) -> list[LiveDevice]:
        """Return the devices with a standing, ascending; ~10 µs each that is asked about anew."""
        return [
            LiveDevice(device, standing.member, standing.rank)
            for device in sorted(self._record.roots_of)
            if (standing := self.standing(device)) is not None
        ]

    def is_live(self, device: bytes, root: bytes) -> bool:
        """Return whether a device is live for some giving to a root, whatever its rank."""
        case = Case(device, self.known)
        givings = self.verdicts.givings_left(root, case)
        return any(self.verdicts.outcome(giving, case) is not None for giving in givings)

    def rank_of(self, root: bytes, *, is_leaveless: bool = False) -> int | None:
        """Return the rank of a member, live device or not; as if nobody had left, if asked so."""
        case = Case(b"", self.known, is_leaveless=is_leaveless)
        best: int | None = None
        for giving in self.verdicts.givings_left(root, case):
            if best is not None and giving.rank >= best:
                break
            rank, _ = self.verdicts.rank_of(giving, case, 3)
            if rank is not None and (best is None or rank < best):
                best = rank
        return best

    def givings(self, root: bytes) -> list[Giving]:
        """Return the givings to a root in the view, strongest first."""
        return [g for g in self._record.givings.get(root, ()) if self.known >> g.index & 1]

    def decides_members(self, index: int) -> bool:
        """Return whether an operation gives a member her rank, or takes a device by her words."""
        act = self._record.events[index].act
        if isinstance(act, acts.RemoveDevice) and act.is_by_root:
            return self.rank_of(act.root) is not None
        giving = self._record.giving_at.get(index)
        if giving is None or not self.verdicts.is_effective(giving):
            return False
        return self.rank_of(giving.root) is not None

    def takes_device(self, index: int) -> bytes | None:
        """Return the device that a DEV_REVOKE or FORK takes by its author's standing, if it does.

        Only of somebody who is a member in the view. Kept: there may be thousands.
        """
        if index not in self._taken:
            self._taken[index] = self._takes_device(index)
        return self._taken[index]

    def _takes_device(self, index: int) -> bytes | None:
        removal = self._record.removal_at.get(index)
        if removal is None:
            return None
        act = self._record.events[index].act
        assert isinstance(act, acts.RemoveDevice | acts.ProveFork)
        device = act.device if isinstance(act, acts.RemoveDevice) else act.first.device
        if not self.is_authorised(removal):
            return None
        roots = self._record.roots_of.get(device, ())
        return device if any(self.rank_of(root) is not None for root in roots) else None

    def policy(self) -> Policy | None:
        """Return the policy for whoever knows all of the view; None until GENESIS is held."""
        return self.verdicts.policy(self.known) if self._record.founding is not None else None

    # --- operations

    def is_effective(self, op_id: bytes) -> bool:
        """Return whether a giving, an invite, a removal, a withdrawal or a POLICY counts."""
        record, verdicts = self._record, self.verdicts
        index = record.graph.index(op_id)
        giving = record.giving_at.get(index)
        if giving is not None:
            return verdicts.is_effective(giving)
        match record.events[index].act:
            case acts.Found():
                return True
            case acts.OpenInvite():
                return verdicts.gives(index, 3)
            case acts.SetPolicy():
                return verdicts.at_most(index, 0)
            case acts.WithdrawInvite(key):
                return self._withdraws(index, key)
            case acts.Remove(root):
                return self._removes(index, root)
            case acts.Vote(root):
                return any(
                    verdicts.votes.voter(index, giving.rank) not in (None, root)
                    for giving in self.givings(root)
                    if record.quorum(giving.rank) and not giving.past >> index & 1
                )
            case acts.RemoveDevice(_, device) | acts.ProveFork(Reference(device)):
                return any(
                    self.is_authorised(removal)
                    for removal in record.device_removals.get(device, ())
                    if removal.at == index
                )
        return False

    def _withdraws(self, index: int, key: bytes) -> bool:
        invites = (i for i in self._record.invites_of_key.get(key, ()) if self.known >> i & 1)
        return any(
            isinstance(act := self._record.events[invite].act, acts.OpenInvite)
            and self.verdicts.at_most(index, act.rank - 1)
            for invite in invites
        )

    def _removes(self, index: int, root: bytes) -> bool:
        case = Case(b"", self.known)
        for giving in self.givings(root):
            if giving.past >> index & 1:
                continue
            if index in self._record.leaves:
                if self.verdicts.leaves(giving, index):
                    return True
            elif self.verdicts.is_strong(index, giving, self.demotions(giving, case)):
                return True
        return False

    def demotions(self, giving: Giving, case: Case) -> Demotions:
        """Return the demotions that act on a case."""
        if not self.verdicts.takings.demotions(giving.root):
            return UNDEMOTED
        return self.verdicts.rank_of(giving, case, 3)[1]

    def is_authorised(self, removal: DeviceRemoval) -> bool:
        """Return whether a device removal counts for some giving to a member of the device."""
        event = self._record.events[removal.at].act
        assert isinstance(event, acts.RemoveDevice | acts.ProveFork)
        device = event.device if isinstance(event, acts.RemoveDevice) else event.first.device
        named = self._record.roots_of.get(device, ()) if removal.root is None else (removal.root,)
        # Whose device it is may not be known yet: what takes it from nobody takes nothing.
        roots = [root for root in named if any(self._record.links(device, root, self.known))]
        return any(
            self.authorised(1 << removal.at, device, giving, demotions, self.known)
            for root in roots
            for giving, demotions in self._kinds_of_givings(root, Case(device, self.known))
        )

    def _kinds_of_givings(self, root: bytes, case: Case) -> Iterator[tuple[Giving, Demotions]]:
        """Yield one of each kind of givings to a root in the view, with what demotes it."""
        met: set[tuple[int, Demotions]] = set()
        for giving in self.givings(root):
            demotions = self.demotions(giving, case)
            if (giving.rank, demotions) not in met:
                met.add((giving.rank, demotions))
                yield giving, demotions

    def authorised(
        self, removals: int, device: bytes, giving: Giving, demotions: Demotions, known: int
    ) -> int:
        """Return those of some removals of a device that count for what it does under a giving."""
        verdicts = self.verdicts
        removals &= verdicts.takings.of_device(device, giving.root)
        others = verdicts.devices.removing_as_others(removals, giving.root)
        found = 0
        for _, strong in verdicts.strong(others, giving, demotions):
            found |= strong
        # By the shortest chain: what breaks a longer one alone leaves the device where it is.
        if (own := removals & ~others) and (
            links := min(self._record.links(device, giving.root, known), default=0)
        ):
            found |= verdicts.devices.removing_as_member(own, giving, links)
        return found

    def removal_of(self, root: bytes) -> int | None:
        """Return the removal to name when a member is out: by somebody, by herself, by votes."""
        record = self._record
        found = [
            index
            for index in record.removals.get(root, ())
            if self.known >> index & 1 and record.puts_out(index) and self._removes(index, root)
        ]
        found.sort(key=lambda index: (index in record.leaves, record.events[index].op_id))
        if not found:
            votes = [v for v in record.votes_on.get(root, ()) if self.known >> v & 1]
            op_ids = [record.events[vote].op_id for vote in votes]
            found = [
                record.graph.index(op_id) for op_id in sorted(op_ids) if self.is_effective(op_id)
            ]
        return found[0] if found else None
