"""Words from before: old times, and pasts that leave a removal out."""

from __future__ import annotations

from p2pvalue.sim.hostile.crafting import History, hint_of, key_for, run_of
from p2pvalue.sim.hostile.unaware import Unaware
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.epochs import EpochKey
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import GossipReceived, Input, Write
from p2pvalue_protocol.kinds import chat

_WRITTEN_MAX = 60


class Backdate(Unaware):
    """Writes as if it were still the moment of its admission, also once it is out.

    Its content names what it knew at its first turn and nothing later, and bears the earliest times
    that this past allows; in the end a time that no past allows. What must hold: who holds its
    removal shows nothing of what the remover had not seen, whatever time it bears.
    """

    name = "backdate"

    def __init__(self) -> None:
        super().__init__()
        self.written: list[Reference] = []
        self._log: History | None = None
        self._known: list[Reference] = []
        self._key: EpochKey | None = None

    def incoming(self, given: Input) -> list[Input]:
        return [] if isinstance(given, Write) else super().incoming(given)

    def act(self, now_ms: int) -> list[Input | Effect]:
        node, replica = self.node, self.node.replica
        if replica is None or not replica.membership.is_live(node.device.public):
            return []
        if self._log is None:
            self._key = key_for(replica, chat.NUMBER)
            if replica.epochs.is_sealed and self._key is None:
                return []
            self._known = [replica.auth_references[head] for head in replica.graph.heads()]
            first_ms = 0 if self._key is None else self._key.record.time
            self._log = History(replica.community, node.device, CONTENT, time_ms=first_ms)
        if len(self.written) >= _WRITTEN_MAX:
            return []
        is_last = len(self.written) + 1 == _WRITTEN_MAX // 2
        made = self._log.write(
            chat.NUMBER,
            chat.encode_chat_message(f"long ago {len(self.written)}"),
            parents=[] if self.written else self._known[:10],
            under=self._key,
            time_ms=self._log.time_ms if is_last else None,
            salt=node.rng.randbytes(24),
        )
        hint = hint_of(replica, [run_of([made])], node.rng.randbytes)
        if hint is None:
            return []
        self.written.append(made.reference)
        self.acts["backdated"] += 1
        return [GossipReceived(*hint, "itself")]
