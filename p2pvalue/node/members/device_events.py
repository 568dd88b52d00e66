"""Telling a person what happens to her own devices: one came, one was put out, perhaps this one.

A device that she does not know was brought in by a thief, so each of hers says so at once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from p2pvalue.types import EventView

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)


class DeviceEvents:
    """Watches the live devices of our member in all communities of one node."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._known: dict[bytes, frozenset[bytes]] = {}

    def start(self) -> None:
        """Take the devices that are stored as told."""
        for community in self._node.machine.communities():
            self._known[community] = self._live(community)

    def look(self, community: bytes) -> None:
        """Tell of what is different; call after each change of who is a member."""
        live = self._live(community)
        known = self._known.get(community, frozenset())
        self._known[community] = live
        own = self._node.device(community)
        if own not in known | live:  # we have just come in, and take what there is as told
            return
        if not live:  # the member is out, which is told as such
            return
        for device in sorted(live - known - {own}):
            self._tell(community, device, "added")
        for device in sorted(known - live):
            self._tell(community, device, "revoked")

    def warning(self, community: bytes) -> str:
        """Return what to tell the person if this very device was put out; else nothing."""
        own, membership = self._node.device(community), self._node.membership(community)
        root = self._node.root(community)
        is_member = any(member.root == root for member in membership.members())
        is_forked = own in self._node.machine.replica(community).branches.forked_devices()
        if not own or not is_member or is_forked or not membership.is_gone(own):
            return ""
        return (
            "this device was put out: what came here stays, and nothing can be written here any "
            "more. Give its folder a new device: `p2pvalue device link` here and `p2pvalue device "
            "add` on another of yours, or `p2pvalue community recover` with your words"
        )

    def unknown(self, community: bytes) -> str:
        """Return what to tell the person if nobody whom this device reached knows it."""
        if not self._node.is_unknown(community):
            return ""
        return (
            "this device is not known to anybody you reached: what brought it in was lost or does "
            "not count, so what is written here stays here. Link it again from another device: "
            "`p2pvalue device link` here and `p2pvalue device add` there; or `p2pvalue community "
            "recover` with your words. If you have just joined: `p2pvalue community join` with an "
            "invite from somebody else, since who let you in may be the one who does not count"
        )

    def _live(self, community: bytes) -> frozenset[bytes]:
        root, membership = self._node.root(community), self._node.membership(community)
        devices = membership.devices_of(root) if root else []
        return frozenset(device for device in devices if membership.is_live(device))

    def _tell(self, community: bytes, device: bytes, what: str) -> None:
        label = self._node.linking.label(device) or device.hex()[:8]
        log.warning("community %s: your device %s was %s", community.hex()[:8], label, what)
        self._node.hub.publish(
            EventView(
                event="device",
                community=community.hex(),
                subject=device.hex(),
                time=self._node.clock_ms(),
                data={
                    "change": what,
                    "label": self._node.linking.label(device),
                    "is_this": int(device == self._node.device(community)),
                },
            )
        )
