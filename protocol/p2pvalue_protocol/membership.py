"""Who is a member, with which devices and which rank (spec: membership).

The state is a pure function of the set of auth operations held. In this first form nothing is ever
taken away: there is no removal yet, so what an operation does is settled by its own past, and what
holds at a frontier is what its past says. The questions are asked as the full rules will need
them: `judge` looks at a frontier alone, `standing` at everything held, `visible` at both.

Authority is looked up backwards. A device is live at a past if certificates in that past lead from
it to its root; a root holds the strongest rank that an effective grant in that past gives it.
"""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.acts import Policy
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.keys import is_valid_exchange_key, verify
from p2pvalue_protocol.members import (
    DeviceAt,
    ForkedDevice,
    FormerMember,
    Invite,
    Member,
    Standing,
)
from p2pvalue_protocol.operation import Operation, community_id_of

_JUDGED_MAX = 65_536


class _Grant(NamedTuple):
    """An effective giving of a rank: a founder's entry, a GRANT or an ADMIT."""

    bit: int
    rank: int
    giver: bytes | None
    past_size: int
    op_id: bytes


class _Certificate(NamedTuple):
    """What makes a device belong to a root; `certifier` is empty for the root itself."""

    bit: int
    root: bytes
    certifier: bytes


class _Invitation(NamedTuple):
    op_id: bytes
    device: bytes
    member: bytes
    payload: auth.InvitePayload


class Membership:
    """The members of one community, from the auth operations given to `integrate`."""

    def __init__(self, community: bytes, graph: AuthGraph) -> None:
        self._community = community
        self._graph = graph
        self._policy: Policy | None = None
        self._genesis_payload: auth.GenesisPayload | None = None
        self._early: list[Operation] = []  # came before GENESIS, whose nonce certificates sign
        self._certificates: dict[bytes, list[_Certificate]] = {}  # by device
        self._devices_of: dict[bytes, set[bytes]] = {}  # by root, live or not
        self._grants: dict[bytes, list[_Grant]] = {}  # by root
        self._invitations: dict[bytes, _Invitation] = {}  # by op id
        self._invites_of_key: dict[bytes, list[bytes]] = {}
        self._admitted_with: dict[bytes, set[bytes]] = {}  # INVITE's op id -> roots
        self._named_roots: set[bytes] = set()
        self._prekeys: dict[tuple[bytes, bytes], bytes] = {}  # by device and root
        self._judged: dict[tuple[bytes, int, int], Standing | None] = {}
        self._everything = 0
        self._sorted_roots: list[bytes] = []
        self._members: dict[bytes, Member] = {}
        self._touched: set[bytes] = set()

    # --- taking operations

    def integrate(self, op: Operation) -> None:
        """Take one authentic auth operation whose past was integrated before.

        Costs what it touches, signatures checked included (~0.1 ms each). What it may not do, or
        does not say well, is without effect.
        """
        if op.op_id in self._graph:
            return
        named = [parent.op_id for parent in op.core.parents]
        if op.core.seq:
            named.append(op.core.backlink)
        self._graph.add(op.op_id, named)
        self._everything |= 1 << self._graph.index(op.op_id)
        if self._policy is None and op.core.kind != auth.GENESIS:
            self._early.append(op)
            return
        self._evaluate(op)
        if self._policy is not None and self._early:
            early, self._early = self._early, []
            for waiting in early:
                self._evaluate(waiting)

    def _evaluate(self, op: Operation) -> None:
        match op.core.kind:
            case auth.GENESIS:
                self._genesis(op)
            case auth.DEV_ADD:
                self._dev_add(op)
            case auth.GRANT:
                self._grant(op)
            case auth.INVITE:
                self._invite(op)
            case auth.ADMIT:
                self._admit(op)
            case _:
                pass  # SEEN only gathers a past

    def _genesis(self, op: Operation) -> None:
        payload = auth.read_payload(auth.GenesisPayload, op.payload)
        if payload is None or not auth.is_well_formed_genesis(payload):
            return
        if self._policy is not None or community_id_of(op.core) != self._community:
            return
        for founder in payload.founders:
            message = auth.certificate_message(
                payload.nonce, founder.root, founder.device, founder.prekey
            )
            if not verify(founder.root, message, founder.certificate):
                return
        self._policy = auth.policy_of(payload)
        self._genesis_payload = payload
        for founder in payload.founders:
            self._add_certificate(op, founder.device, founder.root, b"")
            self._prekeys[founder.device, founder.root] = founder.prekey
            self._add_grant(op, founder.root, auth.FOUNDER, None)

    def _dev_add(self, op: Operation) -> None:
        assert self._genesis_payload is not None
        payload = auth.read_payload(auth.DevAddPayload, op.payload)
        device = op.core.device
        if payload is None or op.core.seq != 0:
            return
        if len(payload.certifier) not in (0, 32) or not is_valid_exchange_key(payload.prekey):
            return
        message = auth.certificate_message(
            self._genesis_payload.nonce, payload.root, device, payload.prekey
        )
        if not verify(payload.certifier or payload.root, message, payload.certificate):
            return
        self._add_certificate(op, device, payload.root, payload.certifier)
        self._prekeys[device, payload.root] = payload.prekey

    def _grant(self, op: Operation) -> None:
        payload = auth.read_payload(auth.GrantPayload, op.payload)
        if payload is None:
            return
        self._named_roots.add(payload.root)
        author = self._standing_in(op.core.device, self._before(op))
        if author is not None and self._may_give(author, payload.rank):
            self._add_grant(op, payload.root, payload.rank, author.member)

    def _invite(self, op: Operation) -> None:
        payload = auth.read_payload(auth.InvitePayload, op.payload)
        if payload is None:
            return
        author = self._standing_in(op.core.device, self._before(op))
        if author is not None and self._may_give(author, payload.rank):
            invitation = _Invitation(op.op_id, op.core.device, author.member, payload)
            self._invitations[op.op_id] = invitation
            self._invites_of_key.setdefault(payload.invite_key, []).append(op.op_id)

    def _admit(self, op: Operation) -> None:
        payload = auth.read_payload(auth.AdmitPayload, op.payload)
        if payload is None:
            return
        self._named_roots.add(payload.root)
        before = self._before(op)
        invitation = self._invitations.get(payload.invite)
        if invitation is None or not before >> self._graph.index(payload.invite) & 1:
            return
        invited = invitation.payload
        inviter = self._standing_in(invitation.device, before)
        if inviter is None or not self._may_give(inviter, invited.rank):
            return
        if invited.invite_key != payload.invite_key:
            return
        if self._standing_in(op.core.device, before) is None:
            return
        if not self._is_live(payload.device, payload.root, before):
            return
        message = auth.admit_message(self._community, payload.root, payload.device)
        if verify(payload.invite_key, message, payload.signature):
            self._add_grant(op, payload.root, invited.rank, invitation.member)
            self._admitted_with.setdefault(payload.invite, set()).add(payload.root)

    def _add_certificate(self, op: Operation, device: bytes, root: bytes, certifier: bytes) -> None:
        bit = 1 << self._graph.index(op.op_id)
        self._certificates.setdefault(device, []).append(_Certificate(bit, root, certifier))
        self._devices_of.setdefault(root, set()).add(device)
        self._touched.add(root)

    def _add_grant(self, op: Operation, root: bytes, rank: int, giver: bytes | None) -> None:
        past = self._graph.past_of(op.op_id)
        bit = 1 << self._graph.index(op.op_id)
        grants = self._grants.setdefault(root, [])
        if not grants:
            insort(self._sorted_roots, root)
        grants.append(_Grant(bit, rank, giver, past.bit_count(), op.op_id))
        self._named_roots.add(root)
        self._touched.add(root)

    # --- looking up at a past

    def _before(self, op: Operation) -> int:
        return self._graph.past_of(op.op_id) ^ 1 << self._graph.index(op.op_id)

    def _standing_in(self, device: bytes, past: int) -> Standing | None:
        """Return the strongest standing of a device in a past; ties by the smaller root."""
        roots = {c.root for c in self._certificates.get(device, ()) if c.bit & past}
        standings = [
            (rank, root)
            for root in roots
            if (rank := self._rank_in(root, past)) is not None and self._is_live(device, root, past)
        ]
        if not standings:
            return None
        rank, root = min(standings)
        return Standing(root, rank)

    def _rank_in(self, root: bytes, past: int) -> int | None:
        ranks = [grant.rank for grant in self._grants.get(root, ()) if grant.bit & past]
        return min(ranks) if ranks else None

    def _is_live(self, device: bytes, root: bytes, past: int) -> bool:
        """Return whether certificates in a past lead from a device to its root."""
        reached = {device}
        layer = [device]
        for _ in range(limits.CERTIFICATE_DEPTH_MAX):
            above: list[bytes] = []
            for current in layer:
                for certificate in self._certificates.get(current, ()):
                    if certificate.root != root or not certificate.bit & past:
                        continue
                    if not certificate.certifier:
                        return True
                    if certificate.certifier not in reached:
                        reached.add(certificate.certifier)
                        above.append(certificate.certifier)
            layer = above
        return False

    def _may_give(self, author: Standing, rank: int) -> bool:
        assert self._policy is not None
        return author.rank < rank and author.rank <= self._policy.invite_rank

    # --- what others ask

    def judge(self, device: bytes, kind: int, frontier: int) -> Standing | None:
        """Return what a device was at a frontier if it might write that kind there, else None.

        Looks at nothing but the frontier's past (R7 a). About 0.3 µs when the same was asked
        before.
        """
        asked = (device, kind, frontier)
        try:
            return self._judged[asked]
        except KeyError:
            pass
        standing = self._standing_in(device, self._graph.past(frontier))
        if standing is not None:
            policy = self.policy(frontier)
            if policy is None or standing.rank > policy.weakest_writer(kind):
                standing = None
        if len(self._judged) >= _JUDGED_MAX:
            self._judged.clear()
        self._judged[asked] = standing
        return standing

    def visible(self, device: bytes, kind: int, frontier: int, reference: Reference) -> bool:
        """Return whether a content operation counts: at its frontier, and after all removals held.

        There are no removals in this form, so `reference` cannot be among the hidden yet.
        """
        return self.judge(device, kind, frontier) is not None

    def standing(self, device: bytes) -> Standing | None:
        """Return what a device is by everything held, or None for a stranger."""
        return self._standing_in(device, self._everything)

    def member_of(self, device: bytes) -> bytes | None:
        """Return the root key that a device speaks for by everything held."""
        standing = self.standing(device)
        return None if standing is None else standing.member

    def members(self) -> list[Member]:
        """Return the members by everything held, ascending by root; recomputes only who changed."""
        for root in self._touched:
            if root in self._grants:
                self._members[root] = self._member(root)
        self._touched.clear()
        return [self._members[root] for root in self._sorted_roots]

    def _member(self, root: bytes) -> Member:
        rank = self._rank_in(root, self._everything)
        assert rank is not None
        # An operation has a larger past than any in it: the smallest past is a first admission.
        first = min(self._grants[root], key=lambda grant: (grant.past_size, grant.op_id))
        devices = sorted(
            device
            for device in self._devices_of.get(root, ())
            if self._is_live(device, root, self._everything)
        )
        return Member(root, rank, tuple(devices), first.giver)

    def devices(self) -> list[bytes]:
        """Return the live devices of all members, ascending."""
        return sorted({device for member in self.members() for device in member.devices})

    def devices_of(self, root: bytes) -> list[bytes]:
        """Return every device that a held certificate says belongs to a root, ascending."""
        return sorted(self._devices_of.get(root, ()))

    def was_ever_admitted(self, device: bytes) -> bool:
        """Return whether a device is or was a member's; nothing is taken away in this form."""
        return self.standing(device) is not None

    def policy(self, frontier: int | None = None) -> Policy | None:
        """Return the policy at a frontier (or by everything held); None until GENESIS is held.

        POLICY operations do not exist in this form, so it is GENESIS' everywhere.
        """
        return self._policy

    @property
    def genesis(self) -> auth.GenesisPayload | None:
        """What founded the community and can never change; None until GENESIS is held."""
        return self._genesis_payload

    def invite_for(self, invite_key: bytes) -> Invite | None:
        """Return the effective INVITE of a key; of several, one with uses left and most to give.

        Everybody reads an invite's key, so anybody may write an INVITE of her own for it: that must
        not take the place of what the holder of the secret was promised.
        """
        invites = [self._invite_of(op_id) for op_id in self._invites_of_key.get(invite_key, ())]
        return min(invites, key=lambda i: (i.is_used_up, i.rank, i.op_id), default=None)

    def _invite_of(self, op_id: bytes) -> Invite:
        found = self._invitations[op_id]
        return Invite(
            op_id=found.op_id,
            invite_key=found.payload.invite_key,
            member=found.member,
            rank=found.payload.rank,
            uses_max=found.payload.uses_max,
            uses=len(self._admitted_with.get(found.op_id, ())),
            admitted=tuple(sorted(self._admitted_with.get(found.op_id, ()))),
            is_withdrawn=False,
        )

    def may_invite(self, device: bytes, rank: int) -> bool:
        """Return whether an INVITE or GRANT for `rank` by this device would now have an effect."""
        author = self.standing(device)
        return author is not None and rank <= auth.GUEST and self._may_give(author, rank)

    def knows_root(self, root: bytes) -> bool:
        """Return whether a held GENESIS, GRANT or ADMIT names a root, effective or not."""
        return root in self._named_roots

    # --- removals, which this form does not know yet

    def take_reconsidered(self) -> list[bytes]:
        """Return the devices, ascending, whose `visible` answers changed since the last call."""
        return []

    def is_gone(self, device: bytes) -> bool:
        """Return whether a device lost its standing by a removal or is proven to have forked."""
        return False

    def is_live(self, device: bytes) -> bool:
        """Return whether a device has a standing by everything held."""
        return self.standing(device) is not None

    def keeps_of(self, device: bytes) -> list[Reference]:
        """Return the counting keeps that name operations of a device, ascending."""
        return []

    def devices_at(self, frontier: int) -> list[DeviceAt]:
        """Return the devices live at a frontier, judged by it alone; ascending by device."""
        past = self._graph.past(frontier)
        found: list[DeviceAt] = []
        for device in sorted(self._certificates):
            standing = self._standing_in(device, past)
            if standing is not None:
                prekey = self._prekeys[device, standing.member]
                found.append(DeviceAt(device, standing.member, standing.rank, prekey))
        return found

    def uncovered(self, frontier: int) -> bool:
        """Return whether somebody is out by all held without a removal in a frontier's past."""
        return False

    def awaits(self, op_id: bytes) -> bool:
        """Return whether a held FORK names an operation that is not held."""
        return False

    def evidence(self, reference: Reference) -> None:
        """Take note that an operation that a FORK names is held now."""

    def admissions_of(self, device: bytes) -> list[bytes]:
        """Return the effective givings to a device's member, ascending by op id."""
        standing = self.standing(device)
        grants = self._grants.get(standing.member, ()) if standing is not None else ()
        return sorted(grant.op_id for grant in grants)

    def removals_of_device(self, device: bytes) -> list[bytes]:
        """Return the effective removals of a device and its member, ascending."""
        return []

    def former_members(self) -> list[FormerMember]:
        """Return who was a member and is none by everything held, ascending by root."""
        return []

    def invites(self) -> list[Invite]:
        """Return all effective INVITEs, also withdrawn and used-up ones, ascending by op id."""
        return [self._invite_of(op_id) for op_id in sorted(self._invitations)]

    def may_remove(self, device: bytes, root: bytes) -> bool:
        """Return whether a REVOKE of a member by this device would now take effect."""
        author, ranks = self.standing(device), self._rank_in(root, self._everything)
        return author is not None and ranks is not None and author.rank < ranks

    def may_remove_device(self, device: bytes, root: bytes, target: bytes) -> bool:
        """Return whether a DEV_REVOKE of `target` of `root` by this device would now take effect.

        A device of the same member must be nearer the root than `target`.
        """
        if target not in self._devices_of.get(root, ()) or device == target:
            return False
        return self.member_of(device) == root or self.may_remove(device, root)

    def may_demote(self, device: bytes, root: bytes, rank: int) -> bool:
        """Return whether a REVOKE down to `rank` by this device would now take effect."""
        held = self._rank_in(root, self._everything)
        return held is not None and held < rank and self.may_remove(device, root)

    def may_vote(self, device: bytes, root: bytes) -> bool:
        """Return whether a VOTE on a member by this device would now count."""
        author, rank = self.standing(device), self._rank_in(root, self._everything)
        return author is not None and author.member != root and author.rank == rank

    def may_grant(self, device: bytes, root: bytes, rank: int) -> bool:
        """Return whether a GRANT of `rank` to `root` by this device would now take effect."""
        return self.may_invite(device, rank)

    def forked_devices(self) -> list[ForkedDevice]:
        """Return what held FORKs prove, ascending by device and op id."""
        return []
