"""Who is a member, with which devices and which rank (spec: membership).

The state is a pure function of the set of auth operations held. This is the door to it: operations
come in by `integrate`, are read into acts, and the rules judge those (`authority`). What a frontier
says is asked with its number; every other answer is by everything held.
"""

from __future__ import annotations

from p2pvalue_protocol import acts
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.act_reading import (
    event_of,
    founding_act,
    has_proof,
    read_act,
    read_founding,
)
from p2pvalue_protocol.acts import Policy
from p2pvalue_protocol.auth_record import Chains, NoContent
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.coverage import Coverage
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.invites import Invites
from p2pvalue_protocol.members import (
    DeviceAt,
    ForkedDevice,
    FormerMember,
    Invite,
    Member,
    Standing,
)
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.views import View
from p2pvalue_protocol.visibility import Visibility


class Membership:
    """The members of one community, from the auth operations given to `integrate`."""

    def __init__(self, community: bytes, graph: AuthGraph, chains: Chains | None = None) -> None:
        """Begin with nothing; `chains` tells which content is held, none if it is left out."""
        self._community = community
        self._graph = graph
        self._genesis: auth.GenesisPayload | None = None
        self._early: list[Operation] = []  # came before GENESIS, whose nonce certificates sign
        self._authority = Authority(graph, chains if chains is not None else NoContent())
        self._record = self._authority.record
        self._visibility = Visibility(self._authority)
        self._invites = Invites(self._authority)
        self._coverage = Coverage(self._authority)
        self._prekeys: dict[tuple[bytes, int], bytes] = {}  # by device and index of certificate
        self._named_roots: set[bytes] = set()
        self._proven: list[bytes] = []
        self._changes = self._authority.changes()
        self._members: dict[bytes, Member | None] = {}

    # --- taking operations

    def integrate(self, op: Operation, *, is_proven: bool = False) -> None:
        """Take one authentic auth operation whose past was integrated before.

        Costs what it touches and at most one signature check, ~0.1 ms (GENESIS: one per founder);
        none if `is_proven` says that the signature in its payload was found valid before. What it
        may not do, or does not say well, is without effect.
        """
        if op.op_id in self._graph:
            return
        named = [parent.op_id for parent in op.core.parents]
        if op.core.seq:
            named.append(op.core.backlink)
        self._graph.add(op.op_id, named)
        if op.core.kind == auth.GENESIS and self._genesis is None:
            self._genesis = read_founding(op, self._community)
            if self._genesis is not None:
                self._found(op, self._genesis)
                return
        if self._genesis is None:
            self._early.append(op)
        else:
            self._take(op, self._genesis.nonce, is_proven)

    def take_proven(self) -> list[bytes]:
        """Return the operations whose signatures were checked, and valid, since the last call."""
        proven, self._proven = self._proven, []
        return proven

    def _found(self, op: Operation, genesis: auth.GenesisPayload) -> None:
        self._authority.add(event_of(op, founding_act(genesis)))
        index = self._graph.index(op.op_id)
        for founder in genesis.founders:
            self._prekeys[founder.device, index] = founder.prekey
            self._named_roots.add(founder.root)
        early, self._early = self._early, []
        for waiting in early:
            self._take(waiting, genesis.nonce)

    def _take(self, op: Operation, nonce: bytes, is_proven: bool = False) -> None:
        act = read_act(op, nonce, is_proven=is_proven)
        self._authority.add(event_of(op, act))
        if not is_proven and has_proof(act):
            self._proven.append(op.op_id)
        match act:
            case acts.AddDevice():
                payload = auth.read_payload(auth.DevAddPayload, op.payload)
                assert payload is not None
                self._prekeys[op.core.device, self._graph.index(op.op_id)] = payload.prekey
            case acts.Give(root) | acts.Admit(root):
                self._named_roots.add(root)
            case _:
                pass

    @property
    def _all(self) -> View:
        return self._authority.view()

    # --- content

    def judge(self, device: bytes, kind: int, frontier: int) -> Standing | None:
        """Return what a device was at a frontier if it might write that kind there, else None.

        Looks at nothing but the frontier's past (R9, point 1). About 0.3 µs when asked before.
        """
        return self._visibility.judge(device, kind, frontier)

    def visible(self, device: bytes, kind: int, frontier: int, reference: Reference) -> bool:
        """Return whether content counts: at its frontier, and after all removals (R9); 3 µs."""
        return self._visibility.visible(device, kind, frontier, reference)

    def take_reconsidered(self) -> list[bytes]:
        """Return the devices, ascending, whose `visible` answers may have changed since last time.

        The first call begins to look and returns nothing.
        """
        return self._visibility.take_reconsidered()

    def awaits(self, op_id: bytes) -> bool:
        """Return whether a held FORK or keep names an operation that is not held."""
        return self._authority.awaits(op_id)

    def evidence(self, reference: Reference) -> None:
        """Take note that an operation that `awaits` is true for is held now."""
        self._authority.evidence(reference)

    # --- devices

    def standing(self, device: bytes) -> Standing | None:
        """Return what a device is by everything held, or None for a stranger."""
        return self._all.standing(device)

    def member_of(self, device: bytes) -> bytes | None:
        """Return the root key that a device speaks for by everything held."""
        standing = self.standing(device)
        return None if standing is None else standing.member

    def is_live(self, device: bytes) -> bool:
        """Return whether a device has a standing by everything held."""
        return self.standing(device) is not None

    def is_gone(self, device: bytes) -> bool:
        """Return whether a device was put out (not: left), or is proven to have forked its log."""
        return self._visibility.is_gone(device)

    def was_ever_admitted(self, device: bytes) -> bool:
        """Return whether a device is or was a member's."""
        return self._visibility.was_ever_admitted(device)

    def devices(self) -> list[bytes]:
        """Return the live devices of all members, ascending."""
        return [live.device for live in self._all.live_devices()]

    def devices_of(self, root: bytes) -> list[bytes]:
        """Return every device that a held certificate says belongs to a root, ascending."""
        return list(self._record.devices_of.get(root, ()))

    def devices_at(self, frontier: int) -> list[DeviceAt]:
        """Return the devices live at a frontier, judged by it alone; ascending by device."""
        view = self._authority.view(frontier)
        return [
            DeviceAt(device, root, rank, self._prekey(device, root, view.known))
            for device, root, rank in view.live_devices()
        ]

    def _prekey(self, device: bytes, root: bytes, known: int) -> bytes:
        """Return the prekey of a device; of several, by a forked log, that of the smallest id."""
        certificates = [
            certificate.at
            for certificate in self._record.certificates[device]
            if certificate.root == root and known >> certificate.at & 1
        ]
        return self._prekeys[device, min(certificates, key=self._graph.op_id)]

    def keeps_of(self, device: bytes) -> list[Reference]:
        """Return the counting keeps that name operations of a device, ascending."""
        return self._visibility.keeps_of(device)

    def forked_devices(self) -> list[ForkedDevice]:
        """Return what FORKs prove that count for content or take away, by device and op id."""
        view, found = self._all, []
        for index in self._record.forks:
            act = self._record.events[index].act
            assert isinstance(act, acts.ProveFork)
            removals = self._record.device_removals[act.first.device]
            removal = next(r for r in removals if r.at == index)
            is_authorised = view.is_authorised(removal)
            if is_authorised or self._visibility.is_proof(removal):
                op_id = self._graph.op_id(index)
                found.append(
                    ForkedDevice(act.first.device, act.first, act.second, op_id, is_authorised)
                )
        return sorted(found, key=lambda fork: (fork.device, fork.by_op_id))

    # --- members

    def members(self) -> list[Member]:
        """Return the members by everything held, ascending by root; recomputes only who changed."""
        view = self._all
        is_anew, roots = self._changes.take()
        for root in self._record.givings if is_anew else sorted(roots):
            self._members[root] = self._member(view, root)
        return [member for _, member in sorted(self._members.items()) if member is not None]

    def _member(self, view: View, root: bytes) -> Member | None:
        rank = view.rank_of(root)
        if rank is None:
            return None
        counting = [g for g in view.givings(root) if view.verdicts.is_effective(g)]
        # An operation has a larger past than any in it: the smallest past is a first admission.
        first = min(counting, key=lambda g: (g.past.bit_count(), self._graph.op_id(g.index)))
        devices = self._record.devices_of.get(root, ())
        live = tuple(device for device in devices if view.is_live(device, root))
        return Member(root, rank, live, self._giver(view, first.index))

    def _giver(self, view: View, index: int) -> bytes | None:
        act = self._record.events[index].act
        op_id = act.invite if isinstance(act, acts.Admit) else self._graph.op_id(index)
        giver = None if isinstance(act, acts.Found) else view.standing_at(op_id)
        return None if giver is None else giver.member

    def former_members(self) -> list[FormerMember]:
        """Return who was put out or left, and is no member by everything held; by root."""
        view, found = self._all, []
        for root in sorted(self._record.givings):
            if view.rank_of(root) is not None or not self._authority.was_given(root):
                continue
            index = view.removal_of(root)
            if index is None:
                continue  # nobody removed her: who let her in was not entitled to
            op_id = self._graph.op_id(index)
            is_leave = index in self._record.leaves
            remover = None
            if isinstance(self._record.events[index].act, acts.Remove):
                standing = view.standing_at(op_id)
                remover = root if is_leave else standing.member if standing else None
            found.append(FormerMember(root, remover, op_id, is_leave))
        return found

    def voided_members(self) -> list[bytes]:
        """Return who was let in and is no member though nobody put her out, ascending by root.

        Who let her in turned out not to be entitled to do so: only a new GRANT heals that.
        """
        view = self._all
        return [
            root
            for root in sorted(self._record.givings)
            if view.rank_of(root) is None
            and self._authority.was_given(root)
            and view.removal_of(root) is None
        ]

    def is_member(self, root: bytes) -> bool:
        """Return whether a root key has a rank by everything held."""
        return self._all.rank_of(root) is not None

    def is_out(self, root: bytes, frontier: int | None = None) -> bool:
        """Return whether who had a rank has none left, at a frontier or by everything held."""
        return self._authority.is_out(root, frontier)

    def knows_root(self, root: bytes) -> bool:
        """Return whether a held GENESIS, GRANT or ADMIT names a root, effective or not."""
        return root in self._named_roots

    def decides_members(self, op_id: bytes) -> bool:
        """Return whether an operation gives a member her rank, or takes a device by her words."""
        return self._all.decides_members(self._graph.index(op_id))

    def takes_device(self, op_id: bytes) -> bytes | None:
        """Return the member's device that an operation takes by its author's standing, if any."""
        return self._all.takes_device(self._graph.index(op_id))

    def admissions_of(self, device: bytes) -> list[bytes]:
        """Return the effective givings to a device's member, ascending by op id."""
        standing, view = self.standing(device), self._all
        givings = view.givings(standing.member) if standing is not None else []
        return sorted(self._graph.op_id(g.index) for g in givings if view.verdicts.is_effective(g))

    # --- removals

    def removals_of_device(self, device: bytes) -> list[bytes]:
        """Return the effective removals of a device and its members, ascending by op id."""
        named = [removal.at for removal in self._record.device_removals.get(device, ())]
        for root in self._record.roots_of.get(device, ()):
            named += self._record.removals.get(root, ())
            named += self._record.votes_on.get(root, ())
        op_ids = {self._graph.op_id(index) for index in named}
        return [op_id for op_id in sorted(op_ids) if self._all.is_effective(op_id)]

    def removals_behind(self, device: bytes) -> list[bytes]:
        """Return the effective removals for which a device may be out, ascending by op id.

        Its own and its member's, and those of whoever let its member in, up to the founders: an
        admission falls with the rank of who gave it.
        """
        reached, asked, found = {device}, [device], set[bytes]()
        while asked:
            current = asked.pop()
            found.update(self.removals_of_device(current))
            for root in self._record.roots_of.get(current, ()):
                for giving in self._record.givings.get(root, ()):
                    givers = self._record.givers(giving.index) - reached
                    reached |= givers
                    asked += sorted(givers)
        return sorted(found)

    def uncovered(self, frontier: int) -> bool:
        """Return whether somebody who is out by all held may still have been in at a frontier."""
        return self._coverage.is_uncovered(frontier)

    # --- what is founded and decided

    @property
    def genesis(self) -> auth.GenesisPayload | None:
        """What founded the community and can never change; None until GENESIS is held."""
        return self._genesis

    def policy(self, frontier: int | None = None) -> Policy | None:
        """Return the policy at a frontier (or by everything held); None until GENESIS is held."""
        return self._all.policy() if frontier is None else self._visibility.policy(frontier)

    # --- invites

    def invites(self) -> list[Invite]:
        """Return all effective INVITEs, also withdrawn and used-up ones, ascending by op id."""
        return self._invites.all()

    def invite_for(self, invite_key: bytes) -> Invite | None:
        """Return the effective INVITE of a key; of several, one that is open and gives most.

        Everybody reads an invite's key, so anybody may write an INVITE of her own for it: that must
        not take the place of what the holder of the secret was promised.
        """
        return self._invites.of_key(invite_key)

    # --- what a device may do now

    def may_invite(self, device: bytes, rank: int) -> bool:
        """Return whether an INVITE or GRANT for `rank` by this device would now have an effect."""
        author, policy = self.standing(device), self.policy()
        if author is None or policy is None or rank > auth.GUEST:
            return False
        return author.rank < rank and author.rank <= policy.invite_rank

    def may_grant(self, device: bytes, root: bytes, rank: int) -> bool:
        """Return whether a GRANT of `rank` to `root` by this device would now take effect."""
        return self.may_invite(device, rank)

    def may_remove(self, device: bytes, root: bytes) -> bool:
        """Return whether a REVOKE of a member by this device would now take effect."""
        author, rank = self.standing(device), self._all.rank_of(root)
        if rank is None:  # she may have left, and write on as if she had not
            rank = self._all.rank_of(root, is_leaveless=True)
        return author is not None and rank is not None and author.rank < rank

    def may_demote(self, device: bytes, root: bytes, rank: int) -> bool:
        """Return whether a REVOKE down to `rank` by this device would now take effect."""
        held = self._all.rank_of(root)
        return held is not None and held < rank and self.may_remove(device, root)

    def may_vote(self, device: bytes, root: bytes) -> bool:
        """Return whether a VOTE on a member by this device would now count."""
        author, rank = self.standing(device), self._all.rank_of(root)
        if author is None or author.member == root or author.rank != rank:
            return False
        genesis = self._genesis
        quorums = (genesis.founder_quorum, genesis.admin_quorum) if genesis is not None else ()
        return rank < len(quorums) and bool(quorums[rank])

    def may_remove_device(self, device: bytes, root: bytes, target: bytes) -> bool:
        """Return whether a DEV_REVOKE of a member's device by this one would now take effect."""
        author = self.standing(device)
        if author is None or target not in self._record.devices_of.get(root, ()):
            return False
        if author.member != root:
            return self.may_remove(device, root)
        known = self._all.known
        own, of_target = (self._record.links(d, root, known) for d in (device, target))
        return bool(own and of_target) and min(own) < max(of_target)
