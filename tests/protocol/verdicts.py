"""A membership whose verdicts on content a test gives by hand, instead of writing removals."""

from __future__ import annotations

from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.replica import Replica


class Verdicts:
    """What is hidden in any replica that these verdicts are given to."""

    def __init__(self) -> None:
        self.hidden: set[bytes] = set()
        self._replicas: list[Replica] = []

    def rule(self, replica: Replica) -> None:
        """Put these verdicts in the place of those of a replica's membership."""
        membership = replica.membership

        def visible(device: bytes, kind: int, frontier: int, reference: Reference) -> bool:
            is_admitted = membership.judge(device, kind, frontier) is not None
            return is_admitted and reference.op_id not in self.hidden

        membership.visible = visible  # type: ignore[method-assign]  # a test decides
        self._replicas = [*self._replicas, replica]

    def hide(self, *references: Reference) -> None:
        """Let operations count no more."""
        self.hidden.update(reference.op_id for reference in references)
        self._announce(references)

    def show(self, *references: Reference) -> None:
        """Let operations count again."""
        self.hidden.difference_update(reference.op_id for reference in references)
        self._announce(references)

    def _announce(self, references: tuple[Reference, ...]) -> None:
        for replica in self._replicas:
            replica.ladder.reconsider(sorted({reference.device for reference in references}))
