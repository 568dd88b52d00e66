"""What takes from members and what it meets, looked up pair by pair (spec: membership).

`Takings` notes the same one operation after the other. It may hold more than must be: of a device
with certificates of two members it cannot tell at once for whom it will speak. So some answers are
given by two readings: for whom a device speaks surely, and for whom perhaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from p2pvalue_protocol import acts
from p2pvalue_protocol.auth_record import Record
from p2pvalue_protocol.ids import AUTH

Owners = Callable[[bytes, int], set[bytes]]
"""For which members a device speaks where an operation stands."""


class LookedUp:
    """The takings of a record by their definitions; cost grows with the square of what is held."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.acts = {index: event.act for index, event in record.events.items()}
        self.removals = [*record.removal_at.values()]

    def where(self, is_meant: Callable[[int, acts.Act], bool]) -> int:
        """Return the set of the operations that are meant."""
        return sum(1 << index for index, act in self.acts.items() if is_meant(index, act))

    def knows(self, index: int, other: int) -> bool:
        return bool(self.record.past(index) >> other & 1)

    def author(self, index: int) -> bytes:
        return self.record.events[index].device

    def inviter(self, index: int) -> bytes:
        """Return the device by whose INVITE an ADMIT gives a rank; empty if it does not."""
        act = self.acts[index]
        if not isinstance(act, acts.Admit) or index not in self.record.giving_at:
            return b""
        return self.author(self.record.graph.index(act.invite))

    def removed(self, index: int) -> bytes:
        """Return the device that a DEV_REVOKE or FORK is about."""
        act = self.acts[index]
        assert isinstance(act, acts.RemoveDevice | acts.ProveFork)
        return act.device if isinstance(act, acts.RemoveDevice) else act.first.device

    # --- for whom a device speaks

    def surely(self, device: bytes, index: int) -> set[bytes]:
        """Return whose device it is by the certificates that an operation knows."""
        roots = self.record.roots_of.get(device, ())
        return {root for root in roots if self.record.is_of(device, root, index)}

    def perhaps(self, device: bytes, _: int = -1) -> set[bytes]:
        """Return whose device it is by any certificate."""
        return {*self.record.roots_of.get(device, ())}

    def certified(self, device: bytes, index: int) -> set[bytes]:
        """Return the members of whom an operation knows a certificate for a device."""
        certificates = self.record.certificates.get(device, ())
        return {c.root for c in certificates if self.knows(index, c.at)}

    # --- what speaks of a member or of a device

    def about(self, root: bytes, kind: type[acts.Remove | acts.Vote], *ranks: int) -> int:
        """Return the operations of a kind that name a member, if it says so down to some ranks."""
        return self.where(
            lambda _, act: (
                isinstance(act, kind)
                and act.root == root
                and (isinstance(act, acts.Vote) or act.rank in ranks)
            )
        )

    def of_device(self, device: bytes, *roots: bytes | None) -> int:
        """Return the removals of a device; with roots those that name one of them, or None."""
        return sum(
            1 << removal.at
            for removal in self.removals
            if self.removed(removal.at) == device and (not roots or removal.root in roots)
        )

    def by_member(self, root: bytes) -> int:
        """Return what was written for a member."""
        return self.where(lambda at, _: root in self.surely(self.author(at), at))

    def by_author(self, among: int) -> dict[bytes, int]:
        """Return the operations of a set by the devices that wrote them."""
        authors = {self.author(at) for at in self.acts if among >> at & 1}
        return {author: among & self.by_device(author) for author in authors}

    def by_device(self, device: bytes) -> int:
        return self.where(lambda at, _: self.author(at) == device)

    def keeping(self, device: bytes) -> int:
        """Return what keeps something that a device wrote."""
        keeps_of = self.record.keeps_of
        return self.where(lambda at, _: any(kept.device == device for kept in keeps_of(at)))

    def withdrawals(self, key: bytes) -> int:
        return self.where(
            lambda _, act: isinstance(act, acts.WithdrawInvite) and act.invite_key == key
        )

    def admitted_by(self, key: bytes) -> set[bytes]:
        return {
            act.root
            for at, act in self.acts.items()
            if isinstance(act, acts.Admit) and act.invite_key == key and self.inviter(at)
        }

    def makers_of_policy(self, owners: Owners) -> set[bytes]:
        makers = [at for at, act in self.acts.items() if isinstance(act, acts.SetPolicy)]
        return set[bytes]().union(*(owners(self.author(at), at) for at in makers))

    def givings(self, root: bytes, rank: int) -> int:
        givings = self.record.givings.get(root, ())
        return sum(1 << giving.index for giving in givings if giving.rank == rank)

    def written_by(self, root: bytes) -> int:
        """Return what a member wrote, her ADMITs, and those by her INVITEs."""
        return self.where(
            lambda at, act: (
                root in self.perhaps(self.author(at)) | self.perhaps(self.inviter(at))
                or (isinstance(act, acts.Admit) and bool(self.inviter(at)) and act.root == root)
            )
        )

    def has_enough_voters(self, root: bytes, owners: Owners) -> bool:
        """Return whether the votes on a member speak for a quorum, whoever they are."""
        votes = [at for at in self.acts if self.about(root, acts.Vote) >> at & 1]
        voters = set[bytes]().union(*(owners(self.author(at), at) for at in votes)) - {root}
        return any(self.record.quorum(rank) in range(1, len(voters) + 1) for rank in (0, 1))

    def vote_before(self, index: int, root: bytes) -> int | None:
        """Return the last plain VOTE on a member that its author knew and wrote, and no giving."""
        givings, votes = self.record.givings.get(root, ()), self.about(root, acts.Vote)
        said = [
            at
            for at in self.acts
            if votes >> at & 1
            and at != index
            and self.knows(index, at)
            and self.author(at) == self.author(index)
            and not self.record.keeps_of(at)
            and not any(self.knows(giving.index, at) for giving in givings)
        ]
        return max(said, default=None)

    # --- what meets what

    def takes_from(self, taking: int, at: int, owners: Owners) -> bool:
        """Return whether an operation speaks against the author of another, or what it rests on."""
        act, deed, authors = self.acts[taking], self.acts[at], {self.author(at), self.inviter(at)}
        match act:
            case acts.Remove() if taking in self.record.leaves:
                return False
            case acts.Remove(root) | acts.Vote(root):
                return any(root in owners(device, at) for device in authors)
            case acts.WithdrawInvite(key):
                is_by_key = isinstance(deed, acts.Admit) and deed.invite_key == key
                return is_by_key and bool(self.inviter(at))
            case acts.RemoveDevice() | acts.ProveFork() if taking in self.record.removal_at:
                certifiers = {deed.certifier} if isinstance(deed, acts.AddDevice) else set[bytes]()
                return self.removed(taking) in authors | certifiers
        return False

    def meets_unseen(self, taking: int, at: int, owners: Owners) -> bool:
        """Return whether an operation takes from another, and neither knows of the other."""
        removal = self.record.removal_at.get(taking)
        known = removal.known if removal else self.record.past(taking)
        is_apart = taking != at and not known >> at & 1 and not self.knows(at, taking)
        return is_apart and self.takes_from(taking, at, owners)

    def unseen(self, at: int, owners: Owners) -> int:
        return self.where(lambda taking, _: self.meets_unseen(taking, at, owners))

    # --- what divides views

    def dividing(self) -> int:
        """Return what one view may hold and another not, so that they judge differently."""
        lets_stand = self.where(lambda index, _: self._lets_stand(index))
        return self._keeping() | self._able_unseen(self.surely) | lets_stand

    def perhaps_dividing(self) -> int:
        """Return what may be taken for that: of whom a device may be, now or later."""
        lets_stand = self.where(lambda index, _: self._may_let_stand(index))
        return self._keeping() | self._able_unseen(self.perhaps) | lets_stand

    def _keeping(self) -> int:
        kept = {kept for at in self.acts for kept in self.record.keeps_of(at)}
        named = {reference.op_id for reference in kept if reference.log_class == AUTH}
        return self.where(
            lambda index, _: (
                self.record.events[index].op_id in named
                or any(kept.log_class == AUTH for kept in self.record.keeps_of(index))
            )
        )

    def _able_unseen(self, owners: Owners) -> int:
        return self.where(
            lambda index, _: (
                self._is_able(index, owners)
                and any(self.meets_unseen(index, at, owners) for at in self.acts)
            )
        )

    def _is_able(self, taking: int, owners: Owners) -> bool:
        """Return whether an author ever had a rank by which she may take something from others."""
        return taking in self.record.removal_at or any(
            giving.rank < 3 and self.knows(taking, giving.index)
            for root in owners(self.author(taking), taking)
            for giving in self.record.givings.get(root, ())
        )

    def _put_out(self, index: int) -> set[bytes]:
        """Return whom a REVOKE of another member leaves no rank."""
        act = self.acts[index]
        if not isinstance(act, acts.Remove) or index in self.record.leaves:
            return set()
        return {act.root} if act.rank == acts.OUT else set()

    def _lets_stand(self, index: int) -> bool:
        """Return whether a member is put out who, unseen, takes what was known to be her device."""
        return any(
            self._is_apart(index, removal.at)
            and self._put_out(index) & self.certified(self.removed(removal.at), index)
            for removal in self.removals
        )

    def _may_let_stand(self, index: int) -> bool:
        """Return whether that may come to be known."""
        return any(
            self._is_apart(index, removal.at)
            and self._put_out(index) & {removal.root, *self.perhaps(self.removed(removal.at))}
            for removal in self.removals
        )

    def _is_apart(self, one: int, other: int) -> bool:
        return not self.knows(one, other) and not self.knows(other, one)

    # --- on whom a member's verdicts rest

    def resting_on(self, roots: set[bytes], owners: Owners) -> set[bytes]:
        """Return the members whose verdicts may rest on those on some, and these."""
        pairs = [
            (owners(self.author(written), written), members)
            for index in self.acts
            for written, members in self._speaking_of(index)
        ]
        found, before = set(roots), set[bytes]()
        while found != before:
            before = set(found)
            found.update(*(members for authors, members in pairs if authors & found))
        return found

    def _speaking_of(self, index: int) -> Iterator[tuple[int, set[bytes]]]:
        """Yield operations, and the members whose verdicts rest on who wrote them."""
        record, act = self.record, self.acts[index]
        match act:
            case acts.Remove() if index in record.leaves:
                pass
            case acts.Give(root) | acts.Vote(root) | acts.Remove(root):
                yield index, {root}
            case acts.Admit(root) if self.inviter(index):
                withdrawals = record.withdrawals.get(act.invite_key, ())
                for written in (index, record.graph.index(act.invite), *withdrawals):
                    yield written, {root}
            case acts.RemoveDevice() | acts.ProveFork() if index in record.removal_at:
                named = record.removal_at[index].root
                yield index, self.perhaps(self.removed(index)) | ({named} if named else set())
            case _:
                pass
