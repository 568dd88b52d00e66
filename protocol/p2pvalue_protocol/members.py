"""What membership answers: members, devices and invites as people see them (spec: membership)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from p2pvalue_protocol.ids import Reference


class Standing(NamedTuple):
    """Who a device speaks for, and as what: 0 founder, 1 admin, 2 member, 3 guest."""

    member: bytes  # root key
    rank: int


class Member(msgspec.Struct, frozen=True):
    """One member by everything held; `admitted_by` is the root that invited or granted."""

    root: bytes
    rank: int
    devices: tuple[bytes, ...]  # live, ascending
    admitted_by: bytes | None  # None for founders


class Invite(msgspec.Struct, frozen=True):
    """An effective INVITE; `uses` counts the roots admitted by it, `uses_max` 0 means no limit."""

    op_id: bytes
    invite_key: bytes
    member: bytes  # root of who invites
    rank: int
    uses_max: int
    uses: int
    admitted: tuple[bytes, ...]  # roots, ascending
    is_withdrawn: bool

    @property
    def is_used_up(self) -> bool:
        return bool(self.uses_max) and self.uses >= self.uses_max


class DeviceAt(NamedTuple):
    """A device that was live at a frontier; `prekey` is its DEV_ADD's or GENESIS'."""

    device: bytes
    root: bytes
    rank: int
    prekey: bytes


class FormerMember(NamedTuple):
    """Somebody who was a member and is out by everything held; `removed_by` None: by votes."""

    root: bytes
    removed_by: bytes | None
    op_id: bytes
    is_leave: bool


class ForkedDevice(NamedTuple):
    """A device that a held FORK proves to have written two operations for one place."""

    device: bytes
    first: Reference
    second: Reference
    by_op_id: bytes
    is_authorised: bool
