"""Finding members of our communities on the local network.

Each community is announced under a name that only its members recognise: a fresh nonce and an HMAC
of it under the community's topic secret. Whoever else listens sees that some node is here, which a
port scan tells too, and cannot link two announcements to one community.
"""

from __future__ import annotations

import hmac
import logging
from base64 import b32decode, b32encode
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.network import LanDiscovery
from p2pvalue_protocol import limits

if TYPE_CHECKING:
    from p2pvalue.node.node import Node

log = logging.getLogger(__name__)

_NONCE_BYTES: Final = 5
_TAG_BYTES: Final = 15


def blinded_name(topic_secret: bytes, nonce: bytes) -> str:
    """Return the service name of a community under a nonce of 5 bytes: 32 letters and digits."""
    tag = hmac.digest(topic_secret, b"lan" + nonce, sha256)[:_TAG_BYTES]
    return b32encode(nonce + tag).decode("ascii").lower()


def is_named(name: str, topic_secret: bytes) -> bool:
    """Return whether a service name was made with this secret."""
    try:
        nonce = b32decode(name.upper())[:_NONCE_BYTES]
    except ValueError:
        return False
    return hmac.compare_digest(blinded_name(topic_secret, nonce), name.lower())


class Neighbours:
    """Announces our communities and calls whoever announces one of them."""

    def __init__(
        self, node: Node, is_joining: Callable[[], bool], met: Callable[[list[str]], None]
    ) -> None:
        self._node = node
        self._is_joining = is_joining
        self._met = met
        self._discovery = LanDiscovery(self._found)
        self._changed = trio.Event()

    def status(self) -> dict[str, int | str | list[str]]:
        """Return the figures of the discovery, for `doctor`."""
        return self._discovery.status()

    def announce_again(self) -> None:
        """Announce what our communities and addresses are now."""
        self._changed.set()

    async def run(self) -> None:
        """Announce and listen until cancelled; starts anew when something changed."""
        while True:
            self._changed = trio.Event()
            async with trio.open_nursery() as nursery:
                names, addresses = self._names(), self._node.addresses()
                if (names or self._is_joining()) and addresses:
                    nursery.start_soon(self._discovery.run, names, addresses)
                await self._changed.wait()
                nursery.cancel_scope.cancel()

    def _secrets(self, community: bytes) -> list[bytes]:
        return self._node.machine.replica(community).topic_secrets

    def _names(self) -> list[str]:
        """Return one name per community, under its newest secret: who was put out knows older."""
        newest = [self._secrets(c)[:1] for c in self._node.machine.communities()]
        nonce = self._node.random_bytes
        return [blinded_name(secret, nonce(_NONCE_BYTES)) for [secret] in filter(None, newest)]

    def _found(self, name: str, addresses: list[str]) -> None:
        """Call who announces a community of ours, also under a secret that others have left."""
        self._met(addresses)  # a newcomer knows no secret yet, but whom her link names
        for community in self._node.machine.communities():
            known = self._secrets(community)[: limits.TOPIC_SECRETS_MAX]
            if self._node.dialer is not None and any(is_named(name, secret) for secret in known):
                peer_id = self._node.dialer.know(addresses, {community})
                log.info("found %s on the local network", peer_id)
