"""Every bound of the network room, each with its unit and its reason.

A bound is a constructor argument, so that a test can make one small enough to reach it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of us a peer may use (spec: limits)."""

    peers_max: int = 50
    inbound_max: int = 30
    """Of `peers_max`, how many may have dialled us: strangers never take all our places."""

    newcomers_min: int = 6
    """Of `inbound_max`, how many members leave to others: else nobody could join a large community
    through us, or find us again, since members call each other and stay."""

    handshakes_pending_max: int = 64
    handshakes_pending_per_address_max: int = 16
    """The oldest unfinished handshake gives way to a new one, so stalled ones lock nobody out."""

    handshakes_per_s: float = 5.0
    handshakes_burst: int = 20
    """Per remote address; loopback is exempt from the rate: it is this machine's own user."""

    streams_inbound_max: int = 16
    """Per connection: two links, one gossip stream, identify and ping leave ample room."""

    unread_bytes_max: int = 1024 * 1024
    """Per connection; a link keeps at most 4 frames of 72 KiB unacknowledged."""

    unsent_bytes_max: int = 4 * 1024 * 1024
    """Per connection; who makes us answer but does not read is disconnected."""

    gossip_rpc_bytes_max: int = 128 * 1024
    gossip_per_topic_per_s: float = 50.0
    gossip_burst: int = 16
    """The library's own queue holds 32 messages per peer and drops silently beyond."""

    gossip_queue_max: int = 256
    """Messages of ours waiting per topic; then `publish` says False."""

    gossip_offences_max: int = 8
    """Rejected messages or malformed frames until the sender is disconnected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long the network waits, in seconds."""

    upgrade_s: float = 10.0
    """From accepted TCP connection to authenticated, multiplexed connection."""

    negotiate_s: float = 10.0
    """From a new stream to an agreed protocol."""

    admission_s: float = 10.0
    """How long a gossip stream may wait for its peer's HELLO before it is reset."""

    open_link_s: float = 10.0
    stall_s: float = 5.0
    """A peer that grants no credit for so long loses the stream."""

    ping_interval_s: float = 10.0
    ping_answer_s: float = 10.0
    """A half-open or stopped peer is gone after interval + answer, at most 20 s."""

    restart_min_s: float = 1.0
    restart_max_s: float = 30.0
    """Between two generations, doubling; back to the minimum after a minute of health."""


class TokenBucket:
    """Allow `rate_per_s` events on average and `burst` at once; time is given by the caller."""

    def __init__(self, rate_per_s: float, burst: int, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._tokens = float(burst)
        self._refilled_at_s = now_s

    def take(self, now_s: float) -> bool:
        """Return whether an event may happen now, and count it if so."""
        self._refill(now_s)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def wait_s(self, now_s: float) -> float:
        """Return how long until the next event may happen; 0 if at once."""
        self._refill(now_s)
        return max(0.0, (1.0 - self._tokens) / self._rate_per_s)

    def is_full(self, now_s: float) -> bool:
        """Return whether nothing was taken lately, so that the bucket may be forgotten."""
        self._refill(now_s)
        return self._tokens >= self._burst

    def _refill(self, now_s: float) -> None:
        gained = (now_s - self._refilled_at_s) * self._rate_per_s
        self._tokens = min(self._burst, self._tokens + gained)
        self._refilled_at_s = now_s
