"""Random histories in which most words are about few needs, by honest and hostile members."""

from __future__ import annotations

from random import Random

from p2pvalue.node.needs.need_boards import read_acts
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import close, need, pledge
from tests.laws.histories import TERMS, History
from tests.protocol.replicas import Copy


class NeedHistory(History):
    """A community that pledges, takes back, confirms, disputes and closes."""

    def __init__(self, rng: Random, steps: int) -> None:
        self.needs: list[bytes] = []
        super().__init__(rng, steps)

    def _write(self, writer: Copy) -> None:
        super()._write(writer)
        states = (writer.store.state(writer.community, subject) for subject in self.subjects)
        held = {row.subject for row in states if row is not None and row.kind == need.NUMBER}
        self.needs = sorted(held.union(self.needs))

    def _draft(self) -> Draft:
        rng = self.rng
        dice = rng.random()
        if dice < 0.3 or not self.needs:
            return super()._draft()
        subject = rng.choice(self.needs)
        if dice < 0.6:
            offer = pledge.encode_pledge(subject, TERMS, 0, rng.randint(1, 9))
            return Draft(pledge.NUMBER, b"", offer)
        if dice < 0.8:
            return Draft(pledge.NUMBER, b"", self._act(subject))
        if dice < 0.9:
            names = sorted(self._names(subject))
            counted = [name for name in names if rng.random() < 0.9]
            return Draft(close.NUMBER, b"", close.encode_close(subject, TERMS, counted))
        changed = need.encode_need_change(title=f"changed {rng.random()}")
        return Draft(need.NUMBER, subject, changed)

    def _act(self, subject: bytes) -> bytes:
        pledged = self.rng.choice(self.subjects)
        if self.rng.random() < 0.5:
            return pledge.encode_pledge_act(subject, pledged, "confirm", quantity=3)
        return pledge.encode_pledge_act(
            subject, pledged, "withdraw" if self.rng.random() < 0.5 else "dispute", reason="no"
        )

    def _names(self, subject: bytes) -> set[bytes]:
        found = (
            (copy, copy.store.state(copy.community, subject)) for copy in self.members.values()
        )
        return {
            act.name
            for copy, row in found
            if row is not None and row.kind == need.NUMBER
            for act in read_acts(copy.replica, copy.store, row)
        }
