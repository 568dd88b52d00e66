"""Comparing what two nodes hold, at a cost that follows the difference (spec: sync, "HEADS").

A node holds, of each branch of each log, everything up to its head. So two nodes that have the same
heads have the same operations, and to compare them is to compare two sets of references. One keyed
hash over all says "equal" in 16 bytes; one per bucket of devices says where not; eight bytes per
head then say which. The key is made of both nonces of the link: nobody can prepare heads that
collide.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

from p2pvalue_protocol.frames import BUCKETS, FINGERPRINT_BYTES, SUM_BYTES
from p2pvalue_protocol.ids import Reference, tagged_hash


@lru_cache(maxsize=65_536)
def head_hash(head: Reference) -> bytes:
    """Return `H("head", device ‖ class ‖ seq ‖ id)`, seq as 8 bytes big-endian; cached."""
    place = bytes((head.log_class,)) + head.seq.to_bytes(8, "big")
    return tagged_hash("head", head.device + place + head.op_id)


def heads_key(nonces: tuple[bytes, bytes]) -> bytes:
    """Return the key of all fingerprints on one link, 32 bytes."""
    return tagged_hash("heads-key", nonces[0] + nonces[1])


class HeadIndex:
    """The heads of one moment, ascending by (device, class, id); never changed once made."""

    def __init__(self, heads: Iterable[Reference], key: bytes) -> None:
        self.heads = tuple(heads)
        self._key = key
        self._set: frozenset[Reference] | None = None
        self._logs: dict[tuple[bytes, int], list[Reference]] | None = None
        self._fingerprint: bytes | None = None

    def __len__(self) -> int:
        return len(self.heads)

    @property
    def as_set(self) -> frozenset[Reference]:
        """The heads as a set, for differences."""
        if self._set is None:
            self._set = frozenset(self.heads)
        return self._set

    def of_log(self, device: bytes, log_class: int) -> list[Reference]:
        """Return the heads of one log; several if it is forked."""
        if self._logs is None:
            self._logs = {}
            for head in self.heads:
                self._logs.setdefault((head.device, head.log_class), []).append(head)
        return self._logs.get((device, log_class), [])

    @property
    def fingerprint(self) -> bytes:
        """The keyed hash of all heads, 16 bytes; made once, about 1 µs per head."""
        if self._fingerprint is None:
            data = b"".join(map(head_hash, self.heads))
            self._fingerprint = self._keyed(b"all", data)[:FINGERPRINT_BYTES]
        return self._fingerprint

    def bucket_sums(self) -> bytes:
        """Return one short keyed hash for each value of a device's first byte, in order."""
        parts: list[list[bytes]] = [[] for _ in range(BUCKETS)]
        for head in self.heads:
            parts[head.device[0]].append(head_hash(head))
        return b"".join(self._keyed(b"bucket", b"".join(part))[:SUM_BYTES] for part in parts)

    def differing_buckets(self, sums: bytes) -> list[int]:
        """Return the buckets in which a peer with these sums holds something else."""
        own = self.bucket_sums()
        places = range(0, SUM_BYTES * BUCKETS, SUM_BYTES)
        return [
            at // SUM_BYTES
            for at in places
            if own[at : at + SUM_BYTES] != sums[at : at + SUM_BYTES]
        ]

    def head_sums(self, buckets: Iterable[int]) -> dict[bytes, Reference]:
        """Return the heads of some buckets by their short keyed hashes."""
        wanted = frozenset(buckets)
        return {
            self._keyed(b"one", head_hash(head))[:SUM_BYTES]: head
            for head in self.heads
            if head.device[0] in wanted
        }

    def holds(self, reference: Reference) -> bool:
        """Return whether whoever has these heads surely has an operation.

        Of a forked log only the heads themselves are sure.
        """
        heads = self.of_log(reference.device, reference.log_class)
        if len(heads) == 1 and heads[0].seq > reference.seq:
            return True
        return reference in heads

    def _keyed(self, purpose: bytes, data: bytes) -> bytes:
        return sha256(self._key + purpose + b"\x00" + data).digest()
