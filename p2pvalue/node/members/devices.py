"""A person's own devices: which there are, and how one is put out or comes back with words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import msgspec

from p2pvalue import types as t
from p2pvalue.kept_keys import CommunityKeys
from p2pvalue.node.references import resolve
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import InviteLink, format_link, parse_link
from p2pvalue_protocol.operation import Core, decode_core
from p2pvalue_protocol.removal import device_removal_by_words, device_removal_draft
from p2pvalue_protocol.replica import Replica

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode


class Devices:
    """The devices of a node's person, in all her communities."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node

    # --- looking

    def all(self, community: str | None = None) -> list[t.DeviceView]:
        """Return our devices in one community or in all, this one first, then the oldest."""
        chosen = (
            [self._node.community(community).id]
            if community is not None
            else self._node.machine.communities()
        )
        views = [view for each in chosen for view in self._in(each)]
        return sorted(views, key=lambda v: (v.community, not v.is_this, v.added, v.device))

    def _in(self, community: bytes) -> list[t.DeviceView]:
        root = self._node.root(community)
        replica = self._node.machine.replica(community)
        devices = replica.membership.devices_of(root) if root else []
        beginnings = {device: _beginning(replica, device) for device in devices}
        certifiers = {device: added_by for device, (_, added_by) in beginnings.items()}
        own = self._node.device(community)
        membership = replica.membership
        return [
            t.DeviceView(
                community=community.hex(),
                device=device.hex(),
                label=self._label(device, own),
                is_this=device == own,
                state=self._state(replica, device),
                added=beginnings[device][0],
                added_by=certifiers[device].hex(),
                last_seen=_last_seen(replica, device),
                brought_in=[
                    other.hex()
                    for other in devices
                    if certifiers[other] == device and membership.is_live(other)
                ],
                needs_words=not (own and membership.may_remove_device(own, root, device)),
            )
            for device in devices
        ]

    def _label(self, device: bytes, own: bytes) -> str:
        linking = self._node.linking
        return linking.own_label() if device == own else linking.label(device)

    def _state(self, replica: Replica, device: bytes) -> Literal["live", "revoked", "forked"]:
        if is_forked(replica, device):  # says more than that others have put it out for that
            return "forked"
        return "live" if replica.membership.is_live(device) else "revoked"

    def _is_live(self, view: t.DeviceView) -> bool:
        membership = self._node.machine.replica(bytes.fromhex(view.community)).membership
        return membership.is_live(bytes.fromhex(view.device))

    # --- putting out

    async def revoke(
        self, reference: str, *, community: str | None = None, words: str = ""
    ) -> list[t.DeviceView]:
        """Put a device out wherever the reference names one, and return what it is now.

        The reference is the beginning of its id, or what it is called: then in all communities.
        What it wrote and is held here stays. `words` make it possible from any device. Raises
        NotAdmitted if we may not, before anything is written.
        """
        named = self.named(reference, community)
        lent = self._node.keys.lent(words) if words else None
        drafts: list[tuple[bytes, Draft]] = []
        for view in named:
            place, device = bytes.fromhex(view.community), bytes.fromhex(view.device)
            replica = self._node.machine.replica(place)
            if words:
                genesis = replica.membership.genesis
                assert genesis is not None, "where a device of ours is known, GENESIS is"
                root = self._node.keystore.root_for(genesis.nonce, lent)
                draft = device_removal_by_words(replica, root, device)
            else:
                draft = device_removal_draft(replica, self._node.root(place), device)
            drafts.append((place, draft))
        for place, draft in drafts:
            await self._node.write(place, [draft])
        gone = {view.device for view in named}
        return [view for view in self.all() if view.device in gone]

    def named(self, reference: str, community: str | None = None) -> list[t.DeviceView]:
        """Return the devices meant that are not out yet; raises NotFound with what there is."""
        views = [view for view in self.all(community) if self._is_live(view)]
        labelled = [view for view in views if view.label and view.label == reference.strip()]
        per_community = Counter(view.community for view in labelled)
        if labelled and max(per_community.values()) == 1:
            return labelled
        ids = [(bytes.fromhex(view.device), "") for view in views]
        device = resolve(reference, ids, "device").hex()
        return [view for view in views if view.device == device]

    # --- coming back

    async def link_of(self, community: str | None) -> str:
        """Return the link of a community that carries no secret: where it is, for who belongs."""
        found = self._node.community(community)
        addresses = await self._node.reachable_addresses()
        return format_link(InviteLink(found.id, b"", tuple(addresses)))

    async def recover(self, link: str, *, words: str = "") -> t.CommunityView:
        """Begin to come back into a community as the person whose words these are, and return.

        Where a device of ours is held already but given up, another one takes its place.
        """
        parsed = parse_link(link)
        if parsed.secret:
            raise LocalProtocolError(
                "this is an invite, for somebody new: to come back, take the link that a member "
                "gets from `p2pvalue community link`"
            )
        lent = self._node.keys.lent(words)
        community, keystore = parsed.community, self._node.keystore
        held = keystore.keys(community)
        if held is not None and not self._node.is_given_up(community) and not held.link:
            raise LocalProtocolError("this device is in that community already: nothing to do")
        if held is None or self._node.is_given_up(community):
            keys = keystore.new_keys(link=link)
            keys = msgspec.structs.replace(keys, is_recovering=True)
            if held is None:
                keystore.put(community, keys)
                if community not in self._node.machine.communities():
                    self._node.machine.add_replica(community, keys.device, keys.prekey_private)
            else:
                give_up_device(self._node, community, keys)
        else:
            keys = msgspec.structs.replace(held, link=link, is_recovering=True)
            keystore.put(community, keys)
        self._node.joining.start(community, lent)
        return self._node.community(community.hex()).view()


def give_up_device(node: RunningNode, community: bytes, keys: CommunityKeys) -> None:
    """Go on in a community as another device, once what ours wrote is signed: nobody else can.

    Raises StoreFailed with nothing changed if the disk does not take the signature.
    """
    node.sign()
    node.keystore.replace_device(community, keys)


def is_forked(replica: Replica, device: bytes) -> bool:
    """Return whether a device wrote two histories of one log, as far as is held here."""
    return any(len(replica.branches.of(device, log_class)) > 1 for log_class in (AUTH, CONTENT))


def _beginning(replica: Replica, device: bytes) -> tuple[int, bytes]:
    """Return when a device's log began, in ms, and the device that certified it; empty: words."""
    for branch in replica.branches.of(device, AUTH):
        row = replica.branches.row(branch, 0) if branch.row.first_seq == 0 else None
        if row is not None:
            core = decode_core(row.core)
            return core.time, _certifier(core, row.payload)
    return 0, b""


def _certifier(core: Core, payload: bytes | None) -> bytes:
    if core.kind != auth.DEV_ADD:
        return b""
    added = auth.read_payload(auth.DevAddPayload, payload)
    return added.certifier if added is not None else b""


def _last_seen(replica: Replica, device: bytes) -> int:
    branches = [b for c in (AUTH, CONTENT) for b in replica.branches.of(device, c)]
    return max((branch.folded_time for branch in branches), default=0)
