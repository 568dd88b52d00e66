"""Founding a community: its keys, its first operations and what its founder says, or nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from p2pvalue import types as t
from p2pvalue.node.people import JOINS
from p2pvalue.store import StoreFailed
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import ConfigError
from p2pvalue_protocol.founding import genesis_operation
from p2pvalue_protocol.inputs import Draft, Found

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)


def found(
    node: RunningNode, read: t.Read, join: t.Join, drafts: tuple[Draft, ...], lent: bytes | None
) -> bytes:
    """Found a community in which these drafts are the first words; return its id.

    `lent` is what the person's words stand for, on a machine that does not keep it. Raises
    StoreFailed or ConfigError with nothing founded.
    """
    nonce, now_ms = node.random_bytes(32), node.clock_ms()
    keys = node.keystore.new_keys(nonce=nonce)
    root = node.keystore.root_for(nonce, lent)
    payload = auth.genesis_payload(
        nonce,
        [auth.founder(root, keys.device.public, keys.prekey, nonce)],
        read=auth.READ_PUBLIC if read == "public" else auth.READ_MEMBERS,
        join=JOINS.index(join),
    )
    community = genesis_operation(keys.device, payload, now_ms).core.community
    # The key is kept first: an operation that is stored must never be without its author.
    node.keystore.put(community, msgspec.structs.replace(keys, root=root.public))
    try:
        node.handle(Found(keys.device, payload, keys.prekey_private, drafts), now_ms)
    except StoreFailed:
        if community not in node.store.communities():
            _undo(node, community)
        raise
    return community


def _undo(node: RunningNode, community: bytes) -> None:
    """Remove what is left of a community of which the disk took nothing."""
    if community in node.machine.communities():
        node.perform(node.machine.forget(community))
    try:
        node.keystore.drop(community)
    except ConfigError as error:
        log.error(
            "the keys of a community that was not founded are still here, and do no harm: %s", error
        )
