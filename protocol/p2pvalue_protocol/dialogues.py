"""Which side of which dialogue runs on a link that is not for sync."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from p2pvalue_protocol import inputs as i
from p2pvalue_protocol.dialogue import Dialogue
from p2pvalue_protocol.hello import LinkEnd
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
        link = LinkEnd(
            given.session, given.peer_id, self._own_peer_id, nonce=self._random_bytes(32)
        )
        match given:
            case i.JoinAsked():
                return JoinServer(self._replicas(), link)
            case i.RecoveryAsked():
                return RecoveryServer(self._replicas(), link)
            case i.LinkStarted():
                return OlderDevice(self._replicas(), link, given.secret, given.person)
            case i.LinkAsked():
                return NewerDevice(link, given.secret, self._replica_for)
            case i.RecoveryStarted():
                return RecoveryClient(link, given.keys, given.root_entropy, self._replica_for)
            case i.JoinStarted():
                return JoinClient(link, given, self._replica_for)
            case _:
                assert_never(given)
