"""Which side of which dialogue runs on a link that is not for sync."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol.dialogue import Dialogue
from p2pvalue_protocol.joining import JoinServer
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.linking import NewerDevice, OlderDevice
from p2pvalue_protocol.newcomer import JoinClient
from p2pvalue_protocol.recovery import RecoveryClient, RecoveryServer
from p2pvalue_protocol.replica import Replica

Opening = (
    i.JoinAsked | i.JoinStarted | i.LinkAsked | i.LinkStarted | i.RecoveryAsked | i.RecoveryStarted
)


class Dialogues:
    """Makes our side for each link; `replica_for` makes our copy of a community, or finds it."""

    def __init__(
        self,
        *,
        own_peer_id: str,
        random_bytes: Callable[[int], bytes],
        replicas: Callable[[], Sequence[Replica]],
        replica_for: Callable[[bytes, SigningKey], Replica],
    ) -> None:
        self._own_peer_id = own_peer_id
        self._random_bytes = random_bytes
        self._replicas = replicas
        self._replica_for = replica_for

    def side_for(self, given: Opening) -> Dialogue[Any]:
        """Return our side of the dialogue that an input opens."""
        session, peer_id, own = given.session, given.peer_id, self._own_peer_id
        nonce = self._random_bytes(32)
        match given:
            case i.JoinAsked():
                return JoinServer(
                    self._replicas(),
                    session=session,
                    peer_id=peer_id,
                    own_peer_id=own,
                    nonce=nonce,
                )
            case i.RecoveryAsked():
                return RecoveryServer(
                    self._replicas(),
                    session=session,
                    peer_id=peer_id,
                    own_peer_id=own,
                    nonce=nonce,
                )
            case i.LinkStarted():
                return OlderDevice(
                    self._replicas(),
                    session=session,
                    peer_id=peer_id,
                    own_peer_id=own,
                    nonce=nonce,
                    secret=given.secret,
                    person=given.person,
                )
            case i.LinkAsked():
                return NewerDevice(
                    session=session,
                    peer_id=peer_id,
                    own_peer_id=own,
                    nonce=nonce,
                    secret=given.secret,
                    replica_for=self._replica_for,
                )
            case i.RecoveryStarted():
                return RecoveryClient(
                    session=session,
                    peer_id=peer_id,
                    own_peer_id=own,
                    nonce=nonce,
                    keys=given.keys,
                    root_entropy=given.root_entropy,
                    replica_for=self._replica_for,
                )
            case i.JoinStarted():
                return JoinClient(
                    session=session,
                    peer_id=peer_id,
                    own_peer_id=own,
                    nonce=nonce,
                    community=given.community,
                    invite_secret=given.invite_secret,
                    signer=given.signer,
                    prekey=given.prekey,
                    root_entropy=given.root_entropy,
                    name=given.name[: limits.NAME_CHARACTERS_MAX],
                    message=given.message[: limits.PLEA_CHARACTERS_MAX],
                    replica_for=self._replica_for,
                )
            case _:
                assert_never(given)
