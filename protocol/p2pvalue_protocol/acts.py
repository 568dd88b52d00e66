"""What auth operations do, once bytes and signatures are checked (spec: membership).

The rules of authority speak of who acts on whom after what, never of bytes. So an auth operation is
read once into one of these acts, and the rules, their tests and their counterexamples work on acts
alone: millions of small histories can be judged without signing one of them.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from p2pvalue_protocol.ids import Reference

OUT = 0
"""Rank in a `Remove` that takes every rank away; founders, who are ranked 0, cannot be made."""


_KINDS_OF_ADMINS = frozenset((49, 50))
_KINDS_OF_GUESTS = frozenset((35, 36, 38, 42, 45, 47, 64, 66))


class Policy(msgspec.Struct, frozen=True):
    """What the founders decided, as it stands at some frontier (spec: membership, "Policy")."""

    join: int
    invite_rank: int  # the weakest rank that may bring people in
    write: tuple[tuple[int, int], ...]  # (kind, weakest rank), ascending by kind

    def weakest_writer(self, kind: int) -> int:
        """Return the weakest rank that may write a kind; every rank may write auth operations."""
        if kind <= 31:
            return 3
        for listed, rank in self.write:
            if listed == kind:
                return rank
        if kind in _KINDS_OF_GUESTS:
            return 3
        return 1 if kind in _KINDS_OF_ADMINS else 2


class Found(NamedTuple):
    """GENESIS: founders with their first devices, in the order of their roots."""

    founders: tuple[tuple[bytes, bytes], ...]  # (root, device)
    founder_quorum: int  # votes that remove a founder; 0: none do
    admin_quorum: int
    policy: Policy


class AddDevice(NamedTuple):
    """DEV_ADD: the author's device belongs to `root`; an empty certifier is the root itself."""

    root: bytes
    certifier: bytes


class Give(NamedTuple):
    """GRANT: a rank from 1 admin to 3 guest."""

    root: bytes
    rank: int
    keeps: tuple[Reference, ...] = ()


class Remove(NamedTuple):
    """REVOKE of a member: `OUT`, or a demotion to rank 2 or 3. By the member herself: a leave."""

    root: bytes
    rank: int = OUT
    keeps: tuple[Reference, ...] = ()


class Vote(NamedTuple):
    """VOTE to remove a member of the voter's own rank."""

    root: bytes
    keeps: tuple[Reference, ...] = ()


class OpenInvite(NamedTuple):
    """INVITE: whoever holds the key may be admitted."""

    invite_key: bytes
    rank: int
    uses_max: int = 0  # 0: no limit; for admitting nodes, never for validity


class WithdrawInvite(NamedTuple):
    """REVOKE of an invite key."""

    invite_key: bytes


class Admit(NamedTuple):
    """ADMIT by an invite whose key signed for this root and device."""

    root: bytes
    device: bytes
    invite_key: bytes
    invite: bytes  # op id of the INVITE


class RemoveDevice(NamedTuple):
    """DEV_REVOKE; signed by the root it knows what is in the past of `seen`, else its own past."""

    root: bytes
    device: bytes
    is_by_root: bool = False
    seen: tuple[bytes, ...] = ()
    keeps: tuple[Reference, ...] = ()


class ProveFork(NamedTuple):
    """FORK: two operations of one device with one seq."""

    first: Reference
    second: Reference
    keeps: tuple[Reference, ...] = ()


class SetPolicy(NamedTuple):
    """POLICY."""

    policy: Policy


class Nothing(NamedTuple):
    """SEEN, and whatever says something that cannot be read or proven."""


Act = (
    Found
    | AddDevice
    | Give
    | Remove
    | Vote
    | OpenInvite
    | WithdrawInvite
    | Admit
    | RemoveDevice
    | ProveFork
    | SetPolicy
    | Nothing
)


class Event(NamedTuple):
    """An auth operation as the rules see it."""

    op_id: bytes
    device: bytes
    seq: int
    backlink: bytes  # op id of seq - 1 in the same log; zeros at seq 0
    named: tuple[bytes, ...]  # op ids of its parents
    act: Act
