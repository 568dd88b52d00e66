"""Asking a peer for secrets of epochs, and giving them (spec: sync, "Keys").

A secret reaches a device by its seal, by a newer secret that wraps it, or from any member that has
it. So every peer is asked for what is still missing, whatever its heads say, one question at a
time. Only what was asked for is taken, and only if its epoch commits to it.
"""

from __future__ import annotations

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.replica import Replica


class KeyRequests:
    """What we asked of one peer, and how much it asked of us."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._open: list[bytes] = []
        self._given_up: set[bytes] = set()
        self._asked_at = (0, 0)
        self._may_ask = limits.KEYS_ASKED_MAX
        self._left = limits.KEYS_WANTED_MAX

    @property
    def is_open(self) -> bool:
        """True while the peer owes an answer."""
        return bool(self._open)

    def ask_again(self) -> None:
        """Begin a new interval: what the peer did not have it may have now.

        If all could be asked for in the last one; else the rest comes first.
        """
        if self._may_ask:
            self._given_up.clear()
        self._asked_at = (0, 0)
        self._may_ask = limits.KEYS_ASKED_MAX
        self._left = limits.KEYS_WANTED_MAX

    def next_frames(self) -> list[f.Frame]:
        """Return the next question; none while one is open, or nothing has changed since.

        Nor more in one interval than a peer answers: somebody may make epochs without end whose
        secret nobody has, and who asks for all of them would be cut off by everybody.
        """
        at = (self._replica.epochs.version, len(self._replica.graph))
        if self._open or at == self._asked_at:
            return []
        missing = [e for e in self._replica.epochs.missing() if e not in self._given_up]
        self._open = missing[: min(limits.KEYS_PER_FRAME_MAX, self._may_ask)]
        self._may_ask -= len(self._open)
        if not self._open:
            self._asked_at = at
            return []
        return [f.KeysWanted(self._open)]

    def answer(self, frame: f.KeysWanted, device: bytes | None) -> f.Keys:
        """Return what a peer's device may have of what it wants; nothing for who is no member.

        Raises Refused(over-limit) if it wants too much within one interval.
        """
        self._left -= len(frame.epochs)
        if self._left < 0:
            raise Refused(Reason.OVER_LIMIT)
        if device is None:
            return f.Keys([])
        found = self._replica.epochs.secrets_for(device, frame.epochs)
        return f.Keys([f.EpochSecret(record.epoch, secret) for record, secret in found])

    def take(self, frame: f.Keys) -> None:
        """Take an answer; raises Refused(unasked) for what nobody asked for."""
        asked, self._open = self._open, []
        if not asked or not {known.epoch for known in frame.secrets}.issubset(asked):
            raise Refused(Reason.UNASKED)
        self._replica.learn((known.epoch, known.secret) for known in frame.secrets)
        self._given_up.update(epoch for epoch in asked if not self._replica.epochs.holds(epoch))
