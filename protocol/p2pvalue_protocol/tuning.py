"""On which topics a community is heard and told (spec: gossip, "Topics")."""

from __future__ import annotations

from typing import NamedTuple

from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import Effect, TopicsChanged
from p2pvalue_protocol.gossip import Gossip
from p2pvalue_protocol.replica import Replica


class _Tuning(NamedTuple):
    """What a community is heard and told under, and what that was reckoned from."""

    at: tuple[int, int]
    heard: tuple[bytes, ...]
    told: bytes | None


class Tunings:
    """The topics of all communities, as of the last input."""

    def __init__(self, gossip: Gossip) -> None:
        self._gossip = gossip
        self._tunings: dict[bytes, _Tuning] = {}

    def review(self, replica: Replica) -> list[Effect]:
        """Hear the topics that the newest secrets name, if they are others than before."""
        community, at = replica.community, (replica.epochs.version, len(replica.graph))
        former = self._tunings.get(community)
        if former is not None and former.at == at:
            return []
        heard = tuple(replica.topic_secrets[: limits.TOPICS_HEARD_MAX])
        tuning = _Tuning(at, heard, replica.told_topic_secret)
        self._tunings[community] = tuning
        if former is not None and former[1:] == tuning[1:]:
            return []
        self._gossip.listen(community, heard, tuning.told, is_sealed=replica.epochs.is_sealed)
        return [TopicsChanged(community)]

    def forget(self, community: bytes) -> None:
        """Reckon a community's topics anew when it is here again."""
        self._tunings.pop(community, None)
