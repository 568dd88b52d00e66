"""What takes from members, as bit sets, and which acts it meets (spec: membership).

A removal acts on what its author had not seen: on the operations in whose past it is, and on those
of which neither knows of the other. The latter are few among people who talk, and they alone make
what is judged depend on the view: any view that holds an operation holds its past. So the verdicts
of two views are the same, for what both hold, if they hold the same of `dividing`.
"""

from __future__ import annotations

from collections import defaultdict

from p2pvalue_protocol import acts
from p2pvalue_protocol.auth_record import Record
from p2pvalue_protocol.bit_sets import Answers, bits_of
from p2pvalue_protocol.ids import AUTH, Reference

_WEAKEST_TAKER = 2  # whoever is weaker, or nobody, takes nothing from others


class Takings:
    """Which operations of a record take what, and which of them meet which acts."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.revokes: defaultdict[bytes, int] = defaultdict(int)  # by root; leaves too
        self.votes: defaultdict[bytes, int] = defaultdict(int)  # by root
        self.of_devices: defaultdict[bytes, int] = defaultdict(int)  # DEV_REVOKEs and FORKs
        self.withdrawals: defaultdict[bytes, int] = defaultdict(int)  # by invite key
        self.all_votes = 0
        self._voters: defaultdict[bytes, set[bytes]] = defaultdict(set)  # roots, by root
        self.leaves = 0
        self.puts_out = 0  # REVOKEs of all ranks
        self.to_guests = 0  # REVOKEs down to the weakest rank, and to members
        self.to_members = 0
        self.forks = 0
        self.by_root = 0  # DEV_REVOKEs with the root's certificate
        self.with_keeps = 0
        self.keeping: defaultdict[bytes, int] = defaultdict(int)  # what has keeps, by device kept
        self.givings: defaultdict[bytes, list[int]] = defaultdict(lambda: [0] * 4)
        """By root, and by rank."""
        self.grants = 0
        self._admits: defaultdict[bytes, int] = defaultdict(int)  # by root
        self.removers: defaultdict[bytes, dict[bytes, int]] = defaultdict(dict)
        """By device what is in `of_devices`, by its authors."""
        self.dividing = 0
        self.certified_by_devices: set[bytes] = set()
        self.policy_makers: set[bytes] = set()  # roots
        self.unseen: dict[int, int] = {}
        """By act what takes from it, neither knowing the other: at most twice what pasts take."""
        self._by_device: defaultdict[bytes, int] = defaultdict(int)  # VOTEs
        self._known_to_givings: defaultdict[bytes, int] = defaultdict(int)  # by root
        self._acts: defaultdict[bytes, int] = defaultdict(int)  # by device, and ADMITs for it
        self._certified: defaultdict[bytes, int] = defaultdict(int)  # DEV_ADDs, by certifier
        self._able = 0  # takings whose authors could have the strength for it in some view
        self._resting: defaultdict[bytes, set[bytes]] = defaultdict(set)  # roots by root
        self._named: set[bytes] = set()  # auth operations that keeps name
        self._naming: defaultdict[tuple[bytes, bytes | None], int] = defaultdict(int)
        self._by_member: defaultdict[bytes, Answers] = defaultdict(Answers)  # by root

    def meeting(self, at: int) -> int:
        """Return the takings that may act on an auth operation: no others do, whoever wrote them.

        Some of other members are among them.
        """
        return self.record.past(at) | self.unseen.get(at, 0)

    def of_device(self, device: bytes, root: bytes) -> int:
        """Return the removals of a device that may act on what it does for a root."""
        if device not in self.of_devices:
            return 0
        return self._naming.get((device, None), 0) | self._naming.get((device, root), 0)

    def by_member(self, among: int, root: bytes) -> int:
        """Return those of a set whose devices were a root's when they were written."""
        record = self.record
        return self._by_member[root].among(
            among, lambda index: record.is_of(record.events[index].device, root, index)
        )

    def admitted_by(self, key: bytes) -> set[bytes]:
        """Return the roots that were admitted by an invite key."""
        return {self.record.giving_at[at].root for at in self.record.admits_of_key.get(key, ())}

    def resting_on(self, roots: set[bytes]) -> set[bytes]:
        """Return the members whose verdicts may rest on those on some, and these.

        Whose ranks, devices or operations they gave, took or kept, in turn.
        """
        found, asked = set(roots), list(roots)
        while asked:
            others = self._resting.get(asked.pop(), set()) - found
            found |= others
            asked += others
        return found

    def written_by(self, roots: set[bytes]) -> int:
        """Return what some members wrote, their ADMITs, and those that rest on their invites."""
        found = 0
        for root in roots:
            found |= self._admits.get(root, 0)
            for device in self.record.devices_of.get(root, ()):
                found |= self._acts[device]
        return found

    def demotions(self, root: bytes) -> int:
        """Return the REVOKEs that leave a member some rank."""
        return self.revokes.get(root, 0) & ~self.puts_out

    def put_out(self, root: bytes) -> int:
        """Return the REVOKEs by others that leave a member no rank."""
        return self.revokes.get(root, 0) & self.puts_out & ~self.leaves

    def may_be_voted_out(self, root: bytes) -> bool:
        """Return whether as many voted against a member as a quorum needs, whoever they are."""
        quorums = (self.record.quorum(rank) for rank in (0, 1))
        voters = len(self._voters[root] - {root})
        return any(0 < quorum <= voters for quorum in quorums)

    def has_removed_devices(self, root: bytes) -> bool:
        """Return whether anybody spoke against a device that may be a root's."""
        return any(self.of_devices.get(d, 0) for d in self.record.devices_of.get(root, ()))

    def vote_before(self, index: int, root: bytes) -> int | None:
        """Return an earlier VOTE that meets all that a new one meets, by the same device."""
        event = self.record.events[index]
        earlier = self.votes[root] & self._by_device[event.device] & self.record.before(index)
        earlier &= ~self.with_keeps & ~self._known_to_givings[root]
        return earlier.bit_length() - 1 if earlier else None

    def weakest_left(self, root: bytes) -> int:
        """Return the weakest rank that anybody demoted a member to, 0 if nobody did."""
        demotions = self.demotions(root)
        if demotions & self.to_guests:
            return _WEAKEST_TAKER + 1
        return _WEAKEST_TAKER if demotions else 0

    # --- taking note

    def note(self, index: int) -> None:
        """Take note of an operation that the record has taken.

        Cost grows with the acts that a removal had not seen.
        """
        event, bit = self.record.events[index], 1 << index
        if against := self._against(index, event):
            self._met(index, against & ~self.record.past(index))
        if event.op_id in self._named:
            self.dividing |= bit
        if keeps := self.record.keeps_of(index):
            self._note_keeps(index, keeps)
        match event.act:
            case acts.AddDevice(root, certifier):
                if certifier:
                    self._certified[certifier] |= bit
                    self.certified_by_devices.add(event.device)
                self._rests(root, *self.removers.get(event.device, ()))
            case acts.Found(founders):
                for root, _ in founders:
                    self._give(index, root, 0)
            case acts.Give(root, rank):
                self._rests(root, event.device)
                self._give(index, root, rank)
                self.grants |= bit
            case acts.Admit(root) if index in self.record.giving_at:
                self._give(index, root, self.record.giving_at[index].rank)
                self._admits[root] |= bit
                inviter = self._inviter(event.act)
                self._acts[inviter] |= bit
                self._rests(root, event.device, inviter)
                for withdrawal in self.record.withdrawals.get(event.act.invite_key, ()):
                    self._rests(root, self.record.events[withdrawal].device)
            case acts.Remove(root, rank):
                self.revokes[root] |= bit
                self._note_rank(index, rank)
                if index in self.record.leaves:
                    self.leaves |= bit
                else:
                    self._take_rank(index, root)
            case acts.Vote(root):
                self.votes[root] |= bit
                self.all_votes |= bit
                self._by_device[event.device] |= bit
                self._voters[root].update(self.record.roots_of.get(event.device, ()))
                self._take_rank(index, root)
            case acts.WithdrawInvite(key):
                self.withdrawals[key] |= bit
                for root in self.admitted_by(key):
                    self._rests(root, event.device)
                self._able |= self._is_able(index) << index
                admits = sum(1 << at for at in self.record.admits_of_key.get(key, ()))
                self._meets(index, admits & ~self.record.past(index))
            case acts.RemoveDevice(_, device):
                self._take_device(index, device)
            case acts.ProveFork(first):
                self.forks |= bit
                self._take_device(index, first.device)
            case acts.SetPolicy():
                self.policy_makers.update(self.record.roots_of.get(event.device, ()))
            case _:
                pass
        self._acts[event.device] |= bit

    def _give(self, index: int, root: bytes, rank: int) -> None:
        self.givings[root][rank] |= 1 << index
        self._known_to_givings[root] |= self.record.past(index)

    def _note_rank(self, index: int, rank: int) -> None:
        if rank == acts.OUT:
            self.puts_out |= 1 << index
        elif rank > _WEAKEST_TAKER:
            self.to_guests |= 1 << index
        else:
            self.to_members |= 1 << index

    def _note_keeps(self, index: int, keeps: tuple[Reference, ...]) -> None:
        graph = self.record.graph
        self.with_keeps |= 1 << index
        for kept in keeps:
            self.keeping[kept.device] |= 1 << index
            if kept.log_class == AUTH:
                self.dividing |= 1 << index
                self._named.add(kept.op_id)
                if kept.op_id in graph:
                    self.dividing |= 1 << graph.index(kept.op_id)

    def _take_rank(self, index: int, root: bytes) -> None:
        self._rests(root, self.record.events[index].device)
        self._able |= self._is_able(index) << index
        past, unseen = self.record.past(index), 0
        for device in self.record.devices_of.get(root, ()):
            unseen |= self._acts[device] & ~past
            if self.of_devices.get(device, 0) & ~past:  # might be taken back by what it lets stand
                self.dividing |= self.put_out(root) & 1 << index
        self._meets(index, unseen)

    def _take_device(self, index: int, device: bytes) -> None:
        removal = self.record.removal_at.get(index)
        if removal is None:
            return
        self.of_devices[device] |= 1 << index
        author, removers = self.record.events[index].device, self.removers[device]
        removers[author] = removers.get(author, 0) | 1 << index
        self._naming[device, removal.root] |= 1 << index
        self._able |= 1 << index
        if removal.is_by_root:
            self.by_root |= 1 << index
        self._meets(index, (self._acts[device] | self._certified[device]) & ~removal.known)
        named = {removal.root} if removal.root else set()
        for root in named.union(self.record.roots_of.get(device, ())):
            self._rests(root, author)
            self.dividing |= self.put_out(root) & ~self.record.past(index)

    def _is_able(self, index: int) -> bool:
        """Return whether an author was ever given a rank that takes from others, here or before."""
        past = self.record.past(index)
        return any(
            giving.rank <= _WEAKEST_TAKER and past >> giving.index & 1
            for root in self.record.roots_of.get(self.record.events[index].device, ())
            for giving in self.record.givings.get(root, ())
        )

    def _rests(self, root: bytes, *devices: bytes) -> None:
        for device in devices:
            for author in self.record.roots_of.get(device, ()):
                self._resting[author].add(root)

    def _inviter(self, act: acts.Admit) -> bytes:
        return self.record.events[self.record.graph.index(act.invite)].device

    def _against(self, index: int, event: acts.Event) -> int:
        """Return what takes from the author of an act, or of what it rests on."""
        found, devices = 0, [event.device]
        if isinstance(event.act, acts.AddDevice):
            found |= self.of_devices.get(event.act.certifier, 0)
        elif isinstance(event.act, acts.Admit) and index in self.record.giving_at:
            devices.append(self._inviter(event.act))
            found |= self.withdrawals.get(event.act.invite_key, 0)
        for device in devices:
            found |= self.of_devices.get(device, 0)
            for root in self.record.roots_of.get(device, ()):
                found |= self.revokes.get(root, 0) & ~self.leaves | self.votes.get(root, 0)
        return found

    def _meets(self, taking: int, found: int) -> None:
        for index in bits_of(found):
            self._met(index, 1 << taking)

    def _met(self, index: int, takings: int) -> None:
        if takings:
            self.unseen[index] = self.unseen.get(index, 0) | takings
            self.dividing |= takings & self._able
