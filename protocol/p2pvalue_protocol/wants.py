"""Asking a peer for what it claims to hold and we do not (spec: sync, "WANT").

Wants go out in passes: auth logs first, because they say whose content may be stored. After a pass
that brought something, what is still missing is asked for once more; a pass that brought nothing
ends the round, whatever the peer claims. A log that does not join what is held was forked: then
its want goes further back, twice as far each time. When all that a peer claims is here, what is
still named and missing is asked for too, as if the peer had claimed it: logs of who was removed are
listed by nobody. Of a log of which much is missing one peer is asked at a time (`turns`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Iterable

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, Reference
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.turns import Log, Turns, Wait


class Wanting:
    """The heads that one peer claims and that are missing here, and which of them are asked for."""

    def __init__(
        self,
        replica: Replica,
        takes: Callable[[], Collection[int]],
        may_hear_names: Callable[[], bool],
        turns: Turns,
    ) -> None:
        """`takes` says which log classes the peer may bring, now.

        `may_hear_names` says whether it may be asked for all that it did not claim. In `turns` the
        sessions of a node stand in line.
        """
        self._replica = replica
        self._turns = turns
        self._waits: dict[Reference, Wait] = {}  # for another peer to bring
        self._takes = takes
        self._may_hear_names = may_hear_names
        self._missing: dict[
            Reference, int | None
        ] = {}  # seq to ask from, None: behind what is held
        self._steps: dict[Reference, int] = {}
        self._queue: list[Reference] = []
        self._open: deque[Reference] = deque()
        self._given_up: set[Reference] = set()
        self._unclaimed: set[Reference] = set()  # of these, what we asked for though it had not
        self._strange: set[Reference] = set()  # came to nothing while nothing let us take it
        self._asked_again: set[Reference] = set()  # of these, since something named it
        self._known_to_peer: bytes | None = None  # our device, once the peer has told its log
        self._authority_seen = 0  # of how many auth operations we knew when we last looked at those
        self._pass_has_progress = False
        self._round_stored = False
        self._names_left = limits.NAMES_ASKED_MAX
        self._last_name: Reference | None = None
        self._auth_claims: dict[bytes, Reference] = {}  # by device, the newest

    @property
    def is_open(self) -> bool:
        """True while the peer owes operations."""
        return bool(self._open)

    def claim(self, heads: Iterable[Reference]) -> None:
        """Note what the peer claims; what it did not deliver before is not believed again.

        What we asked for before it claimed it is: it may not have known yet that we may have it.
        """
        heads = list(heads)
        self._note_who_knows_us(heads)
        self._given_up.difference_update(self._unclaimed.intersection(heads))
        self._unclaimed.difference_update(heads)
        for head in heads:
            if head.log_class == AUTH and len(self._auth_claims) < limits.CLAIMS_MAX:
                self._auth_claims[head.device] = head
        self._note(heads)

    def _note_who_knows_us(self, heads: Collection[Reference]) -> None:
        """Believe all again once the peer tells our own log: to a stranger it had given nothing."""
        device = self._replica.device
        if device != self._known_to_peer and any(h.device == device for h in heads):
            self._known_to_peer = device
            self.believe_again()

    def _note(self, heads: Iterable[Reference]) -> None:
        for head in heads:
            if len(self._missing) + len(self._waits) >= limits.CLAIMS_MAX:
                return
            is_noted = head in self._missing or head in self._waits
            if is_noted or head in self._given_up or self._replica.held(head):
                continue
            self._missing[head] = None
            self._queue.append(head)

    def believe_again(self) -> None:
        """Forget which claims came to nothing."""
        self._given_up.clear()
        self._unclaimed.clear()
        self._strange.clear()
        self._asked_again.clear()
        self._names_left = limits.NAMES_ASKED_MAX

    def _believe_the_admitted(self) -> None:
        """Note again what came to nothing of logs that are taken since: the peer told it once."""
        known = len(self._replica.graph)
        if self._strange and known != self._authority_seen:
            heads = sorted(head for head in self._strange if self._is_listed(head))
            self._ask_again(heads)
            self._note(heads)
        self._authority_seen = known

    def _ask_again(self, heads: Collection[Reference]) -> None:
        self._strange.difference_update(heads)
        self._given_up.difference_update(heads)

    @property
    def look_due_ms(self) -> int | None:
        """When to call `next_wants` to see whether others bring what they were asked for."""
        if self._open:
            return None
        return min((wait.since_ms + wait.for_ms for wait in self._waits.values()), default=None)

    def set_back(self, by_ms: int) -> None:
        """Wait for others no longer, now that our clock was set back by so much."""
        for head, wait in self._waits.items():
            self._waits[head] = wait._replace(since_ms=wait.since_ms - by_ms)

    def end(self) -> None:
        """Note that the session is over: the next in line is asked."""
        self._turns.leave_all(self)

    def next_wants(self, now_ms: int) -> list[f.Want]:
        """Return what to ask for now; empty while wants are open, and when the round is over."""
        if self._open:
            return []
        self._look(now_ms)
        self._believe_the_admitted()
        asks_by_name = True
        while True:
            picked = self._pick(now_ms)
            if picked:
                self._open.extend(picked)
                return [self._want(head) for head in picked]
            self._missing = {
                head: seq for head, seq in self._missing.items() if not self._replica.held(head)
            }
            if not self._missing or not self._pass_has_progress:
                self._give_up()
                if asks_by_name:
                    self._claim_names()
                    asks_by_name = False
                if not self._queue:
                    return []
            self._pass_has_progress = False
            self._queue = list(self._missing)

    def _claim_names(self) -> None:
        """Claim for the peer what is named and missing: nobody may list it, anybody may have it.

        Each in its turn: what somebody invented must not keep what is true from being asked for.
        Who may not hear all names is asked for what the auth logs that it shows rest on: it knows
        that, and the word that brings it back may wait for it here.
        """
        if self._may_hear_names():
            missing = self._replica.missing()
        else:
            missing = self._replica.ladder.missing_behind(self._auth_claims.values())
        start = 0 if self._last_name is None else bisect_right(missing, self._last_name)
        turn = (missing[start:] + missing[:start])[: self._names_left]
        if turn:
            self._names_left -= len(turn)
            self._last_name = turn[-1]
            strange = self._strange.intersection(turn)
            self._asked_again |= strange
            self._ask_again(strange)
            self._unclaimed.update(r for r in turn if r not in self._given_up)
            self._note(turn)

    def check(self, runs: Iterable[Run], finished: int) -> None:
        """Raise Refused(unasked) if a peer sends what nobody asked for or ends what is not open."""
        logs = {(head.device, head.log_class) for head in self._open}
        if finished > len(self._open) or not all(
            (run.device, run.log_class) in logs for run in runs
        ):
            raise Refused(Reason.UNASKED)

    def delivered(
        self, finished: int, stored: int, missing_backlinks: Iterable[tuple[bytes, int, int]]
    ) -> None:
        """Note what became of one batch of runs."""
        if stored:
            self._pass_has_progress = self._round_stored = True
            self._names_left = limits.NAMES_ASKED_MAX
        for device, log_class, seq in missing_backlinks:
            self._go_back(device, log_class, seq)
        for _ in range(finished):
            head = self._open.popleft()
            if self._replica.held(head):
                self._turns.clear(self._log_of(head))
            else:
                self._turns.leave(self._log_of(head), self)

    def take_progress(self) -> bool:
        """Return whether anything was stored since the last call."""
        has_stored, self._round_stored = self._round_stored, False
        return has_stored

    def _pick(self, now_ms: int) -> list[Reference]:
        """Take up to one frame of claims from the queue: auth, then content of known devices."""
        classes = self._takes()
        auth = [head for head in self._queue if head.log_class == AUTH]
        content = [head for head in self._queue if head.log_class != AUTH]
        picked: list[Reference] = []
        later: list[Reference] = []
        for head in auth + content:
            if len(picked) == limits.WANTS_PER_FRAME_MAX:
                later.append(head)
            elif self._replica.held(head):
                continue
            elif head.log_class in classes and self._may_be_stored(head):
                if self._has_turn(head, now_ms):
                    picked.append(head)
            else:
                later.append(head)
        # With nothing picked, what is left belongs to strangers: it has its turn in the next pass.
        self._queue = later if picked else []
        return picked

    def _has_turn(self, head: Reference, now_ms: int) -> bool:
        """Return whether to ask now; what another was asked for first is waited for instead."""
        if head.log_class == AUTH or self._missing.get(head) is not None:
            return True
        missing = head.seq + 1 - self._next_seq(head)
        if missing < limits.TURN_OPERATIONS_MIN:
            return True
        place = self._turns.place(self._log_of(head), self)
        if place:
            del self._missing[head]
            self._waits[head] = Wait(missing, missing, now_ms, place * limits.TURN_MS)
        return not place

    def _look(self, now_ms: int) -> None:
        """Ask for what we waited for if our turn has come, or if too little of it has."""
        for head, wait in list(self._waits.items()):
            if self._replica.held(head):
                del self._waits[head]
                self._turns.leave(self._log_of(head), self)
                continue
            place = self._turns.place(self._log_of(head), self)
            missing = head.seq + 1 - self._next_seq(head)
            if place and not wait.is_over(now_ms):
                continue
            if place and wait.has_brought(missing):
                self._waits[head] = wait._replace(
                    missing=missing, since_ms=now_ms, for_ms=place * limits.TURN_MS
                )
                continue
            del self._waits[head]
            self._missing[head] = self._next_seq(head)
            self._queue.append(head)

    def _log_of(self, head: Reference) -> Log:
        return self._replica.community, head.device

    def _may_be_stored(self, head: Reference) -> bool:
        # Whatever is stored is asked for: where no gossip came, what names it would wait for ever.
        return head.log_class == AUTH or self._replica.takes_log(head.device, head.log_class)

    def _is_listed(self, head: Reference) -> bool:
        return self._replica.ladder.named.is_listed(head.device, head.log_class)

    def _want(self, head: Reference) -> f.Want:
        from_seq = self._missing.get(head)
        if from_seq is None:
            from_seq = self._missing[head] = self._next_seq(head)
        return f.Want(head.device, head.log_class, from_seq, head.seq, head.op_id)

    def _next_seq(self, head: Reference) -> int:
        """Return from where on a log is missing; a guess where it is forked."""
        branches = self._replica.branches.of(head.device, head.log_class)
        seqs = [branch.head_seq for branch in branches]
        before = [seq for seq in seqs if seq < head.seq]
        return max(before) + 1 if before else head.seq if seqs else 0

    def _go_back(self, device: bytes, log_class: int, seq: int) -> None:
        for head in self._open:
            asked_from = self._missing.get(head)
            # Later runs of the same want break too; only the first one says how far back to go.
            if (head.device, head.log_class) == (device, log_class) and asked_from == seq > 0:
                step = self._steps.get(head, 1)
                self._steps[head] = step * 2
                self._missing[head] = max(0, seq - step)
                self._pass_has_progress = True

    def _give_up(self) -> None:
        # What might not be stored was not asked for: it is, once something held names it.
        in_vain = [head for head, from_seq in self._missing.items() if from_seq is not None]
        if len(self._given_up) + len(in_vain) > limits.CLAIMS_MAX:
            self._given_up.clear()
            self._unclaimed.clear()
        self._given_up.update(in_vain)
        # Nor was what is a stranger's taken: it is once she is let in, or something names it.
        by_name = (self._unclaimed, self._asked_again)
        claimed = [h for h in self._missing if not any(h in names for names in by_name)]
        strange = [head for head in claimed if not self._is_listed(head)]
        if len(self._strange) + len(strange) > limits.CLAIMS_MAX:
            self._strange.clear()
        self._strange.update(strange)
        self._missing.clear()
        self._steps.clear()
        self._queue.clear()
        self._pass_has_progress = False
