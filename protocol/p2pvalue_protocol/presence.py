"""Who is at a document, and where in it: told to those who have it open, kept by nobody.

What an editor says of itself (a name, a colour, a cursor) goes over a topic of the document's own,
signed by the device and sealed as all gossip is (spec: gossip, "Presence"). It may be lost, doubled
or late; the newest of each device counts, and nothing rests on it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import LocalProtocolError, Reason, Refused
from p2pvalue_protocol.keys import SigningKey, verify
from p2pvalue_protocol.topics import Topic, name_under

CLIENT_MAX: Final = 2**53 - 1
_SIGNED: Final = b"p2pv1/presence\x00"
_SIGNATURE_BYTES: Final = 64
_AHEAD_MS: Final = (limits.PRESENCE_BURST_MAX - 1) * limits.PRESENCE_EVERY_MS


class Presence(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What one editor of a device says of itself; an empty state says that it is gone."""

    device: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    document: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    client: Annotated[int, msgspec.Meta(ge=0, le=CLIENT_MAX)]
    time_ms: Annotated[int, msgspec.Meta(ge=0, le=limits.TIME_MS_MAX)]
    state: Annotated[bytes, msgspec.Meta(max_length=limits.PRESENCE_STATE_BYTES_MAX)]


_decoder = msgspec.msgpack.Decoder(Presence)


def live_topic_name(topic_secret: bytes, document: bytes) -> str:
    """Return the name of the topic for presence at a document under a topic secret."""
    return name_under(topic_secret, b"live\x00" + document)


def check_room(documents: int) -> None:
    """Raise LocalProtocolError unless another may be heard beside so many documents."""
    if documents >= limits.LIVE_DOCUMENTS_MAX:
        raise LocalProtocolError(
            f"{limits.LIVE_DOCUMENTS_MAX} documents are open in editors: close one first"
        )


def sign_presence(signer: SigningKey, community: bytes, presence: Presence) -> bytes:
    """Return a message, to be sealed for its topic; ~50 µs. `signer` is the presence's device."""
    body = encode(presence)
    return body + signer.sign(_SIGNED + community + body)


def read_presence(message: bytes) -> Presence:
    """Return what a message says that was opened, whoever signed it; raises Refused."""
    return decode_canonical(_decoder, message[:-_SIGNATURE_BYTES])


def is_signed(message: bytes, community: bytes, presence: Presence) -> bool:
    """Return whether the device that a message names has signed it for this community; ~100 µs."""
    body, signature = message[:-_SIGNATURE_BYTES], message[-_SIGNATURE_BYTES:]
    return verify(presence.device, _SIGNED + community + body, signature)


class PresenceHeard(NamedTuple):
    """What became of one message; only an accepted one has a presence."""

    verdict: Literal["accept", "ignore", "reject"]
    reason: Reason | None = None
    presence: Presence | None = None


class Pace:
    """Lets each device say so much on average, and some of it at once."""

    def __init__(self) -> None:
        self._due_ms: OrderedDict[bytes, int] = OrderedDict()  # when all it said would be paid

    def has_room(self, device: bytes, now_ms: int) -> bool:
        """Return whether a device may say something now."""
        return self._due(device, now_ms) - now_ms <= _AHEAD_MS

    def count(self, device: bytes, now_ms: int) -> None:
        """Note that a device said something."""
        self._due_ms[device] = self._due(device, now_ms) + limits.PRESENCE_EVERY_MS
        _bound(self._due_ms, device)

    def _due(self, device: bytes, now_ms: int) -> int:
        due_ms = self._due_ms.get(device, 0)
        is_set_back = due_ms > now_ms + _AHEAD_MS + limits.PRESENCE_EVERY_MS  # the clock was
        return now_ms if is_set_back else max(due_ms, now_ms)


class PresenceEar:
    """Judges what comes over live topics, and remembers how new it was."""

    def __init__(self) -> None:
        self._newest_ms: OrderedDict[bytes, int] = OrderedDict()  # by device and document
        self._pace = Pace()

    def hear(
        self,
        topic: Topic,
        document: bytes,
        message: bytes,
        *,
        is_live: Callable[[bytes], bool],
        now_ms: int,
    ) -> PresenceHeard:
        """Take a message on the live topic of a document; never raises for what it holds.

        `is_live` says whether a device is a member's. What no honest node would have passed on is
        rejected; what may be doubled, late, too much or beyond our knowledge is ignored, before
        its signature costs anything.
        """
        try:
            if len(message) > limits.PRESENCE_BYTES_MAX:
                raise Refused(Reason.TOO_LONG)
            opened = topic.open(message)
            said = read_presence(opened)
            if said.document != document:
                raise Refused(Reason.FRAME_INVALID)
            key = said.device + document
            if not (
                is_live(said.device)
                and abs(said.time_ms - now_ms) <= limits.PRESENCE_AGE_MS_MAX
                and said.time_ms > self._newest_ms.get(key, -1)
                and self._pace.has_room(said.device, now_ms)
            ):
                return PresenceHeard("ignore")
            if not is_signed(opened, topic.community, said):
                raise Refused(Reason.SIGNATURE_INVALID)
        except Refused as refusal:
            return PresenceHeard("reject", refusal.reason)
        self._pace.count(said.device, now_ms)
        self._newest_ms[key] = said.time_ms
        _bound(self._newest_ms, key)
        return PresenceHeard("accept", None, said)


def _bound(kept: OrderedDict[bytes, int], newest: bytes) -> None:
    kept.move_to_end(newest)
    if len(kept) > limits.PRESENCE_DEVICES_MAX:
        kept.popitem(last=False)


class PresenceVoice:
    """What one device of ours has to say, in its pace: of each editor the newest state alone."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[bytes, int], bytes] = OrderedDict()
        self._said_ms = 0  # the time in our last message
        self._free_ms = 0  # when we may speak again

    def tell(self, document: bytes, client: int, state: bytes) -> None:
        """Say this next of an editor; raises LocalProtocolError for what nobody would hear."""
        if not 0 <= client <= CLIENT_MAX:
            raise LocalProtocolError(f"a client id is a number from 0 to {CLIENT_MAX}")
        if len(state) > limits.PRESENCE_STATE_BYTES_MAX:
            raise LocalProtocolError(
                f"presence has at most {limits.PRESENCE_STATE_BYTES_MAX} bytes, not {len(state)}"
            )
        self._waiting[document, client] = state

    @property
    def due_ms(self) -> int | None:
        """When something may be said; None if nothing waits."""
        return self._free_ms if self._waiting else None

    def next(self, device: bytes, now_ms: int) -> Presence | None:
        """Return what to say now: of what waits the longest; None if nothing is due."""
        wait_ms = self._free_ms - now_ms
        is_early = 0 < wait_ms <= limits.PRESENCE_EVERY_MS  # more: the clock was set back
        if not self._waiting or is_early:
            return None
        (document, client), state = self._waiting.popitem(last=False)
        self._free_ms = now_ms + limits.PRESENCE_EVERY_MS
        self._said_ms = max(now_ms, self._said_ms + 1)
        return Presence(device, document, client, self._said_ms, state)
