"""What the held auth operations say, found by whom they speak of (spec: membership).

The record answers nothing about authority: it says which operations name a member, a device or an
invite, and what follows from an operation's own past for ever. Operations go by their index in the
graph. Every list ascends by index, so that whatever precedes an operation comes before it.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple, Protocol, assert_never

from p2pvalue_protocol import acts, limits
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.ids import AUTH, Reference

_REMOVALS = (acts.Remove, acts.Vote, acts.RemoveDevice, acts.ProveFork, acts.WithdrawInvite)


class Chains(Protocol):
    """What the rules ask about the content logs, which they do not hold."""

    def is_in_chain(self, op: Reference, head: Reference) -> bool:
        """Return whether `op` is `head` or precedes it in its log; False if `head` is not held."""
        ...


class NoContent:
    """Holds no content logs."""

    def is_in_chain(self, op: Reference, head: Reference) -> bool:
        """Return False: nothing is held."""
        return False


class Giving:
    """A founder's entry, a GRANT or an ADMIT; compared by identity."""

    __slots__ = ("index", "is_by_invite", "is_founders", "past", "rank", "root")

    def __init__(self, index: int, past: int, root: bytes, rank: int, act: acts.Act) -> None:
        self.index = index
        self.past = past
        self.root = root
        self.rank = rank
        self.is_founders = isinstance(act, acts.Found)
        self.is_by_invite = isinstance(act, acts.Admit)


class Certificate(NamedTuple):
    """What makes a device belong to a root; `certifier` is empty for the root itself."""

    at: int  # index of its operation
    root: bytes
    certifier: bytes


class DeviceRemoval(NamedTuple):
    """A DEV_REVOKE of `root`'s device, or a FORK, which names no root."""

    at: int
    root: bytes | None
    known: int  # what its author, or the root that signed it, knew
    is_by_root: bool
    keeps: tuple[Reference, ...]


class Record:
    """The auth operations of one community, indexed."""

    def __init__(self, graph: AuthGraph, chains: Chains) -> None:
        self.graph = graph
        self.chains = chains
        self.events: dict[int, acts.Event] = {}
        self.founding: acts.Found | None = None
        self.givings: dict[bytes, list[Giving]] = {}  # by root, strongest first
        self.giving_at: dict[int, Giving] = {}  # GRANTs and ADMITs
        self.given_at: dict[tuple[bytes, int], Giving] = {}  # all, by root and index
        self.certificates: dict[bytes, list[Certificate]] = {}  # by device
        self.devices_of: dict[bytes, list[bytes]] = {}  # by root, ascending
        self.roots_of: dict[bytes, list[bytes]] = {}  # by device, ascending
        self.certified_by: defaultdict[bytes, list[int]] = defaultdict(list)
        self.removals: defaultdict[bytes, list[int]] = defaultdict(list)  # REVOKEs, by root
        self.leaves: set[int] = set()  # those of them that a member wrote about herself
        self.votes_on: defaultdict[bytes, list[int]] = defaultdict(list)
        self.votes: list[int] = []
        self.removal_at: dict[int, DeviceRemoval] = {}
        self.device_removals: defaultdict[bytes, list[DeviceRemoval]] = defaultdict(list)
        self.carriers: defaultdict[bytes, int] = defaultdict(int)  # with keeps, by root; a bit set
        self.forks: list[int] = []
        self.invites: list[int] = []
        self.invites_of_key: defaultdict[bytes, list[int]] = defaultdict(list)
        self.withdrawals: defaultdict[bytes, list[int]] = defaultdict(list)
        self.admits_of_key: defaultdict[bytes, list[int]] = defaultdict(list)
        self.admits_for: defaultdict[bytes, list[int]] = defaultdict(list)  # by inviting device
        self.admits: list[int] = []
        self.policies: list[int] = []
        self.policies_mask = 0
        self.removals_mask = 0  # and withdrawals, and whatever has keeps
        self.keeps_mask = 0
        self._log_heads: dict[bytes, list[int]] = {}
        self._forked_logs: set[bytes] = set()
        self._keeps: dict[int, dict[bytes, list[Reference]]] = {}

    # --- taking

    def add(self, event: acts.Event) -> int:
        """Take an event whose operation the graph holds; return its index."""
        index = self.graph.index(event.op_id)
        self.events[index] = event
        self._extend_log(index, event)
        if self.keeps_of(index):
            self.keeps_mask |= 1 << index
        if self.keeps_of(index) or isinstance(event.act, _REMOVALS):
            self.removals_mask |= 1 << index
        match event.act:
            case acts.Found():
                self._found(index, event.act)
            case acts.AddDevice(root, certifier):
                self._certify(event.device, Certificate(index, root, certifier))
            case acts.Give(root, rank, keeps):
                self._give(Giving(index, self.past(index), root, rank, event.act))
                if keeps:
                    self.carriers[root] |= 1 << index
            case acts.Remove(root):
                self._remove(index, event, event.act)
            case acts.Vote(root):
                self.votes_on[root].append(index)
                self.votes.append(index)
            case acts.OpenInvite(key):
                self.invites.append(index)
                self.invites_of_key[key].append(index)
            case acts.WithdrawInvite(key):
                self.withdrawals[key].append(index)
            case acts.Admit():
                self._admit(index, event.act)
            case acts.RemoveDevice():
                self._remove_device(index, event.act)
            case acts.ProveFork():
                self._prove_fork(index, event.act)
            case acts.SetPolicy():
                self.policies.append(index)
                self.policies_mask |= 1 << index
            case acts.Nothing():
                pass
            case _:
                assert_never(event.act)
        return index

    def _extend_log(self, index: int, event: acts.Event) -> None:
        heads = self._log_heads.setdefault(event.device, [])
        if event.seq and self.graph.index(event.backlink) in heads:
            heads.remove(self.graph.index(event.backlink))
        elif heads or event.seq:
            self._forked_logs.add(event.device)
        heads.append(index)

    def _found(self, index: int, act: acts.Found) -> None:
        assert self.founding is None, "a community is founded once"
        self.founding = act
        for root, device in act.founders:
            self._certify(device, Certificate(index, root, b""))
            self._give(Giving(index, self.past(index), root, 0, act))

    def _certify(self, device: bytes, certificate: Certificate) -> None:
        self.certificates.setdefault(device, []).append(certificate)
        for names, name in (
            (self.devices_of.setdefault(certificate.root, []), device),
            (self.roots_of.setdefault(device, []), certificate.root),
        ):
            if name not in names:
                insort(names, name)
        if certificate.certifier:
            self.certified_by[certificate.certifier].append(certificate.at)

    def _give(self, giving: Giving) -> None:
        givings = self.givings.setdefault(giving.root, [])
        givings.insert(bisect(givings, giving.rank, key=lambda held: held.rank), giving)
        self.given_at[giving.root, giving.index] = giving
        if not giving.is_founders:
            self.giving_at[giving.index] = giving

    def _remove(self, index: int, event: acts.Event, act: acts.Remove) -> None:
        self.removals[act.root].append(index)
        if self.is_of(event.device, act.root, index):
            self.leaves.add(index)
        elif act.keeps:
            self.carriers[act.root] |= 1 << index

    def _admit(self, index: int, act: acts.Admit) -> None:
        invite = self.invite_of(index, act)
        if invite is None or not self.is_certified(act.device, act.root, self.before(index)):
            return
        self._give(Giving(index, self.past(index), act.root, invite.rank, act))
        self.admits.append(index)
        self.admits_of_key[act.invite_key].append(index)
        inviter = self.events[self.graph.index(act.invite)].device
        self.admits_for[inviter].append(index)

    def invite_of(self, index: int, act: acts.Admit) -> acts.OpenInvite | None:
        """Return the INVITE that an ADMIT names, if it precedes the ADMIT and has its key."""
        if act.invite not in self.graph or not self.precedes(self.graph.index(act.invite), index):
            return None
        invite = self.events[self.graph.index(act.invite)].act
        is_named = isinstance(invite, acts.OpenInvite) and invite.invite_key == act.invite_key
        return invite if is_named and isinstance(invite, acts.OpenInvite) else None

    def _prove_fork(self, index: int, act: acts.ProveFork) -> None:
        device = act.first.device
        removal = DeviceRemoval(index, None, self.before(index), False, act.keeps)
        self.device_removals[device].append(removal)
        self.removal_at[index] = removal
        self.forks.append(index)
        for root in self.roots_of.get(device, ()):
            if act.keeps and self.is_certified(device, root, removal.known):
                self.carriers[root] |= 1 << index

    def _remove_device(self, index: int, act: acts.RemoveDevice) -> None:
        known = self.before(index)
        if act.is_by_root:
            known = 0
            for op_id in act.seen:
                if op_id not in self.graph or not self.precedes(self.graph.index(op_id), index):
                    return
                known |= self.graph.past_of(op_id)
        removal = DeviceRemoval(index, act.root, known, act.is_by_root, act.keeps)
        self.device_removals[act.device].append(removal)
        self.removal_at[index] = removal
        if act.keeps and not act.is_by_root:
            self.carriers[act.root] |= 1 << index

    # --- asking

    def quorum(self, rank: int) -> int:
        """Return how many votes remove one of a rank; 0 if none do."""
        if self.founding is None or rank > 1:
            return 0
        return self.founding.admin_quorum if rank else self.founding.founder_quorum

    def puts_out(self, index: int) -> bool:
        """Return whether an operation is a REVOKE of all ranks."""
        act = self.events[index].act
        return isinstance(act, acts.Remove) and act.rank == acts.OUT

    def past(self, index: int) -> int:
        """Return the bit set of an operation and what precedes it."""
        return self.graph.past_at(index)

    def before(self, index: int) -> int:
        """Return the bit set of what precedes an operation."""
        return self.graph.past_at(index) ^ 1 << index

    def precedes(self, index: int, other: int) -> bool:
        """Return whether one operation is in the strict past of another."""
        return index < other and bool(self.graph.past_at(other) >> index & 1)

    def place(self, index: int) -> Reference:
        """Return where an auth operation stands."""
        event = self.events[index]
        return Reference(event.device, AUTH, event.seq, event.op_id)

    def is_of(self, device: bytes, root: bytes, index: int) -> bool:
        """Return whether the certificates that an operation knows, or is, lead to a root."""
        return self.is_certified(device, root, self.past(index))

    def is_certified(self, device: bytes, root: bytes, mask: int) -> bool:
        """Return whether certificates among `mask` lead from a device to a root."""
        layer, reached = [device], {device}
        for _ in range(limits.CERTIFICATE_DEPTH_MAX):
            above: list[bytes] = []
            for current in layer:
                for certificate in self.certificates.get(current, ()):
                    if certificate.root != root or not mask >> certificate.at & 1:
                        continue
                    if not certificate.certifier:
                        return True
                    if certificate.certifier not in reached:
                        reached.add(certificate.certifier)
                        above.append(certificate.certifier)
            layer = above
        return False

    def links(self, device: bytes, root: bytes, mask: int) -> set[int]:
        """Return the lengths of the chains of certificates among `mask` from a device to a root."""
        lengths: set[int] = set()
        layer = {device}
        for length in range(1, limits.CERTIFICATE_DEPTH_MAX + 1):
            certificates = [
                certificate
                for current in layer
                for certificate in self.certificates.get(current, ())
                if certificate.root == root and mask >> certificate.at & 1
            ]
            if any(not certificate.certifier for certificate in certificates):
                lengths.add(length)
            layer = {c.certifier for c in certificates if c.certifier}
        return lengths

    def certifiers(self, device: bytes, root: bytes) -> list[bytes]:
        """Return a device and all that could stand above it on its way to a root, ascending."""
        reached, above = {device}, [device]
        while above:
            for certificate in self.certificates.get(above.pop(), ()):
                certifier = certificate.certifier
                if certificate.root == root and certifier and certifier not in reached:
                    reached.add(certifier)
                    above.append(certifier)
        return sorted(reached)

    def givers(self, index: int) -> set[bytes]:
        """Return the devices on whose standing a giving rests."""
        event = self.events[index]
        givers = {event.device}
        if isinstance(event.act, acts.Admit) and event.act.invite in self.graph:
            givers.add(self.events[self.graph.index(event.act.invite)].device)
        return givers

    def own_device_removals(self, root: bytes) -> Iterator[int]:
        """Yield what might take devices of a member away."""
        for device in self.devices_of.get(root, ()):
            yield from (removal.at for removal in self.device_removals.get(device, ()))

    def heads_of_log(self, device: bytes) -> list[int]:
        """Return the ends of a device's auth log: one, unless it is forked."""
        return self._log_heads.get(device, [])

    def keeps_of(self, index: int) -> tuple[Reference, ...]:
        """Return the references that an operation keeps."""
        keeps: tuple[Reference, ...] = getattr(self.events[index].act, "keeps", ())
        return keeps

    def keeps(self, index: int, place: Reference, mask: int | None) -> bool:
        """Return whether an operation keeps what stands at `place`, or a later one of its log.

        Auth operations outside `mask` are not looked at.
        """
        by_device = self._keeps.get(index)
        if by_device is None:
            by_device = self._keeps[index] = {}
            for kept in self.keeps_of(index):
                by_device.setdefault(kept.device, []).append(kept)
        return any(
            kept.log_class == place.log_class
            and kept.seq >= place.seq
            and (
                self._is_in_auth_chain(place, kept, mask)
                if kept.log_class == AUTH
                else self.chains.is_in_chain(place, kept)
            )
            for kept in by_device.get(place.device, ())
        )

    def is_held(self, reference: Reference) -> bool:
        """Return whether an operation stands where a reference says."""
        if reference.log_class != AUTH:
            return self.chains.is_in_chain(reference, reference)
        if reference.op_id not in self.graph:
            return False
        return self.place(self.graph.index(reference.op_id)) == reference

    def _is_in_auth_chain(self, op: Reference, head: Reference, mask: int | None) -> bool:
        if not self.is_held(head):
            return False
        at, wanted = self.graph.index(head.op_id), self.graph.index(op.op_id)
        if mask is not None and not mask >> at & 1:
            return False
        if op.device not in self._forked_logs:
            return True  # one chain: the later operation follows the earlier
        while self.events[at].seq > op.seq:
            at = self.graph.index(self.events[at].backlink)
        return at == wanted
