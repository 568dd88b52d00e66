"""The endpoints about a person's own devices."""

from __future__ import annotations

from p2pvalue import types as t
from p2pvalue.api import device_schema as s
from p2pvalue.api.schema import InCommunity, Question
from p2pvalue.node.interface import NodeInterface


async def list_devices(node: NodeInterface, question: InCommunity) -> list[t.DeviceView]:
    """Our devices in one community, or in all: this one first, then the oldest."""
    return node.devices.all(question.community)


async def show_code(node: NodeInterface, question: s.ShowCode) -> t.DeviceLinkView:
    """Make a code that one older device of the person may use within ten minutes."""
    return await node.linking.show_code(question.label)


async def show_link(node: NodeInterface, _: Question) -> t.DeviceLinkView:
    """How it stands with the code that this device showed last."""
    return node.linking.view()


async def cancel_link(node: NodeInterface, _: Question) -> t.DeviceLinkView:
    """Make the code void that this device showed last."""
    return node.linking.cancel()


async def add_device(node: NodeInterface, question: s.AddDevice) -> t.DeviceLinkView:
    """Call the device that shows a code and make it one of ours, in all our communities."""
    return await node.linking.add(question.code)


async def preview_revocation(node: NodeInterface, question: s.OfDevice) -> list[t.DeviceView]:
    """The devices that a revocation would put out."""
    return node.devices.named(question.device, question.community)


async def revoke_device(node: NodeInterface, question: s.RevokeDevice) -> list[t.DeviceView]:
    """Put out a lost device; what it wrote and is here stays."""
    return await node.devices.revoke(
        question.device, community=question.community, words=question.words
    )


async def recover(node: NodeInterface, question: s.Recover) -> t.CommunityView:
    """Start to come back into a community as a member, with nothing but the 24 words."""
    return await node.devices.recover(question.link, words=question.words)


async def community_link(node: NodeInterface, question: InCommunity) -> s.CommunityLink:
    """The link that says where a community is, and lets nobody in by itself."""
    return s.CommunityLink(link=await node.devices.link_of(question.community))
