"""Random changes: to every tenth frame and hint that leaves it, and to what it writes and signs."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour, bent_frames, bent_hints
from p2pvalue.sim.hostile.crafting import hint_of, key_for, own_history, run_of
from p2pvalue.sim.hostile.mutator import mutated
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import FrameReceived, GossipReceived, Input, Write
from p2pvalue_protocol.log import decode_batch
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.replica import Replica

_SHARE = 0.1
_PAYLOADS_MAX = 64
_SIGNED_PER_TURN = 3


class Mutate(Behaviour):
    """Changes frames and hints at random, and signs payloads that it changed at random.

    What others wrote is its material: their payloads, kinds and subjects, changed and signed with
    its own key, get as far as any member's words. What must hold: no honest machine dies of it, and
    all of them make the same of it.
    """

    name = "mutate"
    refusals = frozenset((Reason.FRAME_INVALID, Reason.SIGNATURE_INVALID, Reason.UNASKED))

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[tuple[int, bytes, bytes]] = []  # kind, subject, payload

    def incoming(self, given: Input) -> list[Input]:
        if isinstance(given, Write):
            return []  # its logs are written by hand
        if isinstance(given, FrameReceived) and self.node.is_sync(given.session):
            self._look_at(given.frame)
        return [given]

    def outgoing(self, effects: list[Effect]) -> list[Effect]:
        return bent_hints(bent_frames(effects, self._frames), self._changed)

    def _frames(self, session: int, frame: bytes) -> list[bytes]:
        if session not in self.node.contacts or not self.node.contacts[session].is_sync:
            return [frame]
        changed = self._changed(frame)
        return [changed[: limits.FRAME_BYTES_MAX]]

    def _changed(self, data: bytes) -> bytes:
        if self.node.rng.random() > _SHARE:
            return data
        self.acts["changed"] += 1
        return mutated(self.node.rng, data)

    def _look_at(self, frame: bytes) -> None:
        try:
            ops = f.decode_frame(frame)
            runs = decode_batch(ops.batch) if isinstance(ops, f.Ops) else []
        except Refused:
            return
        for run in runs:
            for item in run.items:
                self._seen.append((item.kind, item.subject, item.payload))
        while len(self._seen) > _PAYLOADS_MAX:
            del self._seen[self.node.rng.randrange(len(self._seen))]

    def act(self, now_ms: int) -> list[Input | Effect]:
        replica = self.node.replica
        if replica is None or not replica.membership.is_live(self.node.device.public):
            return []
        said: list[Input | Effect] = []
        for log_class in (AUTH, CONTENT):
            made = self._signed(replica, log_class, now_ms)
            hint = hint_of(replica, [run_of(made)], self.node.rng.randbytes) if made else None
            if hint is not None:
                self.acts["signed"] += len(made)
                said.append(GossipReceived(*hint, "itself"))
        return said

    def _signed(self, replica: Replica, log_class: int, now_ms: int) -> list[Operation]:
        """Return operations of its own log with payloads that are nearly what others wrote."""
        rng = self.node.rng
        log = own_history(replica, self.node.device, log_class)
        log.time_ms = max(log.time_ms, now_ms)
        made: list[Operation] = []
        known = [replica.auth_references[head] for head in replica.graph.heads()]
        seen = [one for one in self._seen if (one[0] <= auth.AUTH_SEEN) == (log_class == AUTH)]
        for kind, subject, payload in rng.sample(seen, min(len(seen), _SIGNED_PER_TURN)):
            if kind in (auth.GENESIS, auth.DEV_ADD):
                continue
            key = key_for(replica, kind)
            if log_class == CONTENT and key is None and replica.epochs.is_sealed and kind >= 49:
                continue
            made.append(
                log.write(
                    kind,
                    mutated(rng, payload)[: limits.PAYLOAD_BYTES_MAX // 2],
                    parents=_some(known, log.backlink) if not made else (),
                    subject=subject,
                    under=key,
                    salt=rng.randbytes(24),
                )
            )
        return made


def _some(known: list[Reference], own_head: bytes) -> list[Reference]:
    return [reference for reference in known if reference.op_id != own_head][:10]
