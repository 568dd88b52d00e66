"""Letting people into a community of small nodes, without a network."""

from __future__ import annotations

from collections.abc import Sequence

from p2pvalue import types as t
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.first_operation import begin_log, take_first
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import invite_key, parse_link
from p2pvalue_protocol.keys import exchange_key_of
from tests.node.small_node import NONCE, SmallNode, exchange, key

FOUNDERS = ("ana", "bea")
PREKEY = exchange_key_of(bytes(32))


async def let_in(host: SmallNode, name: str, founders: Sequence[str], link: str) -> SmallNode:
    """A node of a newcomer whom a member lets in by a link."""
    newcomer = SmallNode(name, founders)
    root, device = key(f"root {name}"), key(f"device {name}")
    secret = invite_key(parse_link(link).secret)
    signature = secret.sign(auth.admit_message(host.community_id, root.public, device.public))
    invite = host.replica.membership.invite_for(secret.public)
    assert invite is not None
    payload = auth.admit_payload(root.public, device.public, secret.public, signature, invite.op_id)
    certificate = root.sign(auth.certificate_message(NONCE, root.public, device.public, PREKEY))
    added = auth.dev_add_payload(root.public, PREKEY, certificate)
    newcomer.now_ms = host.now_ms = host.now_ms + 1
    with newcomer.committing():
        run = begin_log(newcomer.replica, device, added, newcomer.now_ms)
    with host.committing():
        assert take_first(host.replica, run, Draft(auth.ADMIT, b"", payload), host.now_ms)
    exchange(host, newcomer)
    await newcomer.community.set_my_name(name.capitalize())
    exchange(host, newcomer)
    return newcomer


async def come_in(host: SmallNode, name: str, rank: t.Rank = "member") -> SmallNode:
    """A node of a newcomer, let in by an invite of the host's own."""
    link = (await host.community.invite(rank=rank)).link
    return await let_in(host, name, FOUNDERS, link)
