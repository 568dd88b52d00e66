"""Asking a peer where updates are that nobody lists (spec: sync, "Updates by id")."""

from __future__ import annotations

from itertools import takewhile

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.kinds.document import UPDATE_NUMBER
from p2pvalue_protocol.replica import Replica


class UpdateRequests:
    """What we asked of one peer, and how often it asked us."""

    def __init__(self, replica: Replica) -> None:
        self._branches = replica.branches
        self._sought = replica.ladder.named.sought
        self._open: frozenset[bytes] = frozenset()
        self._asked: set[bytes] = set()
        self._questions_left = limits.UPDATE_QUESTIONS_MAX
        self._answers_left = limits.UPDATE_ANSWERS_MAX

    @property
    def is_open(self) -> bool:
        """True while the peer owes an answer."""
        return bool(self._open)

    def ask_again(self) -> None:
        """Begin a new interval: what the peer did not have it may have now."""
        if self._questions_left:  # else the rest comes first
            self._asked.clear()
        self._questions_left = limits.UPDATE_QUESTIONS_MAX
        self._answers_left = limits.UPDATE_ANSWERS_MAX

    def next_frames(self) -> list[f.Frame]:
        """Return the next question, of one document; none while one is open, or nothing is new."""
        if self._open or not self._questions_left:
            return []
        left = [pair for pair in self._sought.questions() if pair[1] not in self._asked]
        if not left:
            return []
        document = left[0][0]
        op_ids = [op_id for _, op_id in takewhile(lambda pair: pair[0] == document, left)]
        self._open = frozenset(op_ids[: limits.UPDATES_PER_FRAME_MAX])
        self._asked |= self._open
        self._questions_left -= 1
        return [f.UpdatesSought(document, sorted(self._open))]

    def answer(self, frame: f.UpdatesSought) -> f.UpdatesFound:
        """Return where what a member seeks is; nothing to who asks too much within an interval.

        Only what is hidden here: the rest is in logs that are listed, or somebody else names it.
        Costs as much as the document has hidden updates.
        """
        self._answers_left -= 1
        if self._answers_left < 0:
            return f.UpdatesFound([])
        hidden = self._branches.hidden_places(frame.document, UPDATE_NUMBER)
        places = [place for place in hidden if place.op_id in frame.op_ids]
        return f.UpdatesFound([f.UpdatePlace(p.device, p.seq, p.op_id) for p in places])

    def take(self, frame: f.UpdatesFound) -> None:
        """Take an answer; raises Refused(unasked) for what nobody asked for."""
        asked, self._open = self._open, frozenset()
        if not asked or not asked.issuperset(place.op_id for place in frame.places):
            raise Refused(Reason.UNASKED)
        for place in frame.places:
            self._sought.found(Reference(place.device, CONTENT, place.seq, place.op_id))
