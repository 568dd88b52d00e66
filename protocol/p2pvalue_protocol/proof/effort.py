"""How much a file asks of its reader, told before she begins (spec: proof, "Building it again").

Whether one operation counts is a question about each rank that was given to its author, and about
each operation that took one: these are looked at as sets, but may differ at each frontier. Of who
was made weaker each pair may matter. In a community there are few of these. Who founds one for the
purpose can give and take one member's rank thousands of times, in a file of some kilobytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.acts import OUT
from p2pvalue_protocol.operation import Operation


def judgements_of(operations: Iterable[Operation]) -> int:
    """Return how many givings, takings and pairs of them are looked at; ~2 µs an operation."""
    counting = _Counting()
    for op in operations:
        counting.take(op)
    return counting.judgements()


class _Counting:
    def __init__(self) -> None:
        self._written: Counter[bytes] = Counter()  # operations, by device
        self._given: Counter[bytes] = Counter()  # by root
        self._taken: Counter[bytes] = Counter()  # by root, or by device
        self._roots: dict[bytes, set[bytes]] = {}  # by device
        self._demoted: set[bytes] = set()  # roots

    def take(self, op: Operation) -> None:
        self._written[op.core.device] += 1
        for root in self._roots_given(op):
            self._given[root] += 1
        for key in self._keys_taken(op):
            self._taken[key] += 1
        if op.core.kind == auth.DEV_ADD:
            added = auth.read_payload(auth.DevAddPayload, op.payload)
            if added is not None:
                self._roots.setdefault(op.core.device, set()).add(added.root)

    def _roots_given(self, op: Operation) -> Iterator[bytes]:
        if op.core.kind == auth.GENESIS:
            genesis = auth.read_payload(auth.GenesisPayload, op.payload)
            for founder in () if genesis is None else genesis.founders:
                self._roots.setdefault(founder.device, set()).add(founder.root)
                yield founder.root
        elif op.core.kind == auth.GRANT:
            given = auth.read_payload(auth.GrantPayload, op.payload)
            yield from () if given is None else (given.root,)
        elif op.core.kind == auth.ADMIT:
            admitted = auth.read_payload(auth.AdmitPayload, op.payload)
            yield from () if admitted is None else (admitted.root,)

    def _keys_taken(self, op: Operation) -> Iterator[bytes]:
        """Yield whom an operation takes something from; who gives with keeps is asked like them."""
        match op.core.kind:
            case auth.REVOKE:
                taken = auth.read_payload(auth.RevokePayload, op.payload)
                if taken is not None and taken.rank != OUT:
                    self._demoted.add(taken.key)
                yield from () if taken is None else (taken.key,)
            case auth.VOTE:
                vote = auth.read_payload(auth.VotePayload, op.payload)
                yield from () if vote is None else (vote.root,)
            case auth.DEV_REVOKE:
                removed = auth.read_payload(auth.DevRevokePayload, op.payload)
                yield from () if removed is None else (removed.root,)
            case auth.FORK:
                fork = auth.read_payload(auth.ForkPayload, op.payload)
                yield from () if fork is None else (auth.references_of(fork.operations)[0].device,)
            case auth.GRANT:
                given = auth.read_payload(auth.GrantPayload, op.payload)
                yield from (given.root,) if given is not None and given.keeps else ()
            case _:
                pass

    def judgements(self) -> int:
        return sum(
            count * sum(self._looked_at(device, root) for root in roots)
            for device, roots in self._roots.items()
            if (count := self._written[device])
        )

    def _looked_at(self, device: bytes, root: bytes) -> int:
        given, taken = self._given[root], self._taken[root] + self._taken[device]
        return given * taken if root in self._demoted else given + taken
