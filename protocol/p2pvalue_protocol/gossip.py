"""New operations as hints: unasked, at once, to whoever listens (spec: gossip).

A message is a batch of runs, as in sync. It may be lost, doubled or late, and nothing depends on
it: what does not fit, or does not arrive, comes by sync.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

from p2pvalue_protocol import limits
from p2pvalue_protocol.arrival import Receipt
from p2pvalue_protocol.dues import set_back
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.log import Run, decode_batch, encode_batch
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.topics import Topic, name_under

_ONE_STRETCH = 1  # bytes aimed at: what ends in the next signature, whatever its size
_BEHIND = frozenset((Reason.CHAIN_BROKEN, Reason.UNKNOWN_AUTHOR))


def topic_name(topic_secret: bytes) -> str:
    """Return the name of the topic for operations under a topic secret, 32 letters and digits."""
    return name_under(topic_secret, b"ops")


class Heard(NamedTuple):
    """What became of one message."""

    verdict: Literal["accept", "ignore", "reject"]
    reason: Reason | None
    is_behind: bool  # something before these operations is missing here: time to sync


class Gossip:
    """The topics of this node, which messages it has heard, and how far it told its own logs."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._topics: dict[str, Topic] = {}
        self._told: dict[bytes, str] = {}
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._told_seqs: dict[tuple[bytes, bytes, int], int] = {}
        self._told_ms: dict[bytes, int] = {}
        self._untold: dict[bytes, Reference] = {}  # by community, the newest of what waits

    def listen(
        self,
        community: bytes,
        heard: Sequence[bytes],
        told: bytes | None,
        *,
        is_sealed: bool,
    ) -> None:
        """Hear the topics of some secrets, and no others of a community; publish on that of one.

        None in place of `told`: say nothing. Where not everybody may read, `is_sealed`, messages
        travel in envelopes.
        """
        secrets = heard if told is None else (*heard, told)
        names = {topic_name(secret): secret for secret in secrets}
        for topic in [t for t, known in self._topics.items() if known.community == community]:
            del self._topics[topic]
        for topic, secret in names.items():
            self._topics[topic] = Topic(topic, community, secret, is_sealed)
        self._told.pop(community, None)
        if told is not None:
            self._told[community] = topic_name(told)
        else:
            self.drop(community)

    def topics(self) -> list[str]:
        """Return all topics to hear, ascending."""
        return sorted(self._topics)

    def community_of(self, topic: str) -> bytes | None:
        """Return whose topic this is, None if nobody's here."""
        known = self._topics.get(topic)
        return known.community if known is not None else None

    # --- telling

    def tell(
        self, replica: Replica, references: Sequence[Reference], now_ms: int
    ) -> list[tuple[str, bytes]]:
        """Return the messages that tell operations of one log, just written; signs the log's head.

        Who writes quickly tells at most every 10 ms: what comes sooner waits for `tell_late`.
        """
        community, log_class = replica.community, references[0].log_class
        elapsed_ms = now_ms - self._told_ms.get(community, now_ms - limits.GOSSIP_EVERY_MS)
        if log_class == CONTENT and elapsed_ms < limits.GOSSIP_EVERY_MS:
            self._untold[community] = references[-1]
            return []
        if log_class == CONTENT:
            self._told_ms[community] = now_ms
            self._untold.pop(community, None)
        replica.seal()
        return self.messages(replica, references)

    def set_back(self, by_ms: int) -> None:
        """Put nothing off, now that our clock was set back by so much."""
        set_back(self._told_ms, by_ms)

    def next_wakeup_ms(self) -> int | None:
        """Return when something written is to be told; None if nothing waits."""
        return min((self._told_ms[c] + limits.GOSSIP_EVERY_MS for c in self._untold), default=None)

    def tell_late(self, replica: Replica, now_ms: int) -> list[tuple[str, bytes]]:
        """Return the messages that tell what waits of a community, if its time has come."""
        newest = self._untold.get(replica.community)
        return self.tell(replica, [newest], now_ms) if newest is not None else []

    def drop(self, community: bytes) -> None:
        """Forget what waits of a community; sync brings it."""
        self._untold.pop(community, None)

    def messages(
        self, replica: Replica, references: Sequence[Reference]
    ) -> list[tuple[str, bytes]]:
        """Return (topic, message) pairs that tell operations of one log, just written and sealed.

        What was written since the last call goes along, or the operations would not join on. At
        most 256 operations, none with a payload over 16 KiB: more is for sync.
        """
        topic = self._told.get(replica.community)
        if topic is None or not references:
            return []
        first, last = references[0], references[-1]
        log = (replica.community, first.device, first.log_class)
        told_seq = self._told_seqs.get(log, first.seq - 1)
        self._told_seqs[log] = last.seq
        if last.seq - told_seq > limits.GOSSIP_OPERATIONS_MAX:
            return []
        messages: list[tuple[str, bytes]] = []
        seq: int | None = told_seq + 1
        while seq is not None and seq <= last.seq:
            for bytes_target in (limits.GOSSIP_BYTES_TARGET, _ONE_STRETCH):
                runs, next_seq = replica.runs(
                    first.log_class, first.device, seq, last.op_id, bytes_target
                )
                message = self._topics[topic].seal(encode_batch(runs), self._random_bytes)
                if len(message) <= limits.GOSSIP_BYTES_MAX:
                    break
            if len(message) > limits.GOSSIP_BYTES_MAX or not runs or _is_over_limits(runs):
                break  # what follows would not join on either
            messages.append((topic, message))
            seq = next_seq
        return messages

    def _opened(self, name: str, message: bytes) -> bytes:
        """Return what a topic's message says; raises Refused if no member can have sealed it."""
        if len(message) > limits.GOSSIP_BYTES_MAX:
            raise Refused(Reason.TOO_LONG)
        return self._topics[name].open(message)

    def hear(self, replica: Replica, topic: str, message: bytes, now_ms: int) -> Heard:
        """Take a message on a topic of this replica's community; never raises for what it holds."""
        digest = sha256(message).digest()
        if digest in self._seen:
            return Heard("ignore", None, is_behind=False)
        try:
            runs = _decode(self._opened(topic, message))
        except Refused as refusal:
            return Heard("reject", refusal.reason, is_behind=False)
        heard = _judge(replica.receive(runs, now_ms))
        if not heard.is_behind:  # else it may be welcome once what it lacks has come
            self._seen[digest] = None
            if len(self._seen) > limits.GOSSIP_SEEN_MAX:
                self._seen.popitem(last=False)
        return heard


def _decode(message: bytes) -> list[Run]:
    runs = decode_batch(message)
    if not runs:
        raise Refused(Reason.FRAME_INVALID)
    if _is_over_limits(runs):
        raise Refused(Reason.OVER_LIMIT)
    return runs


def _is_over_limits(runs: Sequence[Run]) -> bool:
    return sum(len(run.items) for run in runs) > limits.GOSSIP_OPERATIONS_MAX or any(
        len(item.payload) > limits.GOSSIP_PAYLOAD_BYTES_MAX for run in runs for item in run.items
    )


def _judge(receipt: Receipt) -> Heard:
    is_behind = any(reason in _BEHIND for reason, _ in receipt.refused)
    for reason, is_offence in receipt.refused:
        if is_offence:
            return Heard("reject", reason, is_behind)
    return Heard("accept" if receipt.stored else "ignore", None, is_behind)
