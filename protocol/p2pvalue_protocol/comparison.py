"""Which heads each side of a link knows the other to have (spec: sync, "HEADS").

At the start each side lists its heads if they are few, or sends only their fingerprint. Where both
are many and different, one side shows sums of buckets, the other the sums of the heads in the
buckets that differ, and both tell the heads that the other lacks. From then on each knows exactly
what it told, and tells changes only. Claims are hints: they decide what is asked for, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import Scope
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.heads import HeadIndex
from p2pvalue_protocol.ids import Reference


class ComparedReplica(Protocol):
    """What the comparison asks of our copy of a community."""

    @property
    def heads_version(self) -> int: ...

    def heads(self) -> Sequence[Reference]: ...

    def seal(self) -> None: ...


class Comparison:
    """What we told a peer and what it claims. Methods return the frames to send."""

    def __init__(
        self,
        replica: ComparedReplica,
        key: bytes,
        *,
        is_initiator: bool,
        gives: Callable[[], Scope],
        claim: Callable[[list[Reference]], None],
    ) -> None:
        """`gives` says what the peer may see; `claim` takes what it says it holds."""
        self._replica = replica
        self._key = key
        self._is_initiator = is_initiator
        self._gives = gives
        self._claim = claim
        self._held = HeadIndex((), key)
        self._given = self._held
        self._index_of: tuple[int, Scope] | None = None
        self._told: frozenset[Reference] | None = None  # None: the peer does not know yet
        self._sent: HeadIndex | None = None  # what the last fingerprint we sent was made of
        self._agreed = self._held  # what both had when fingerprints were last equal
        self._claims: dict[tuple[bytes, int], Reference] = {}
        self._asking: HeadIndex | None = None  # what we showed the buckets of
        self._their_sums: set[bytes] = set()
        self._their_buckets: set[int] = set()
        self._answering: tuple[HeadIndex, dict[bytes, Reference]] | None = None
        self._peer_fingerprint = b""

    @property
    def is_equal(self) -> bool:
        """True if we have now what the peer had when it last sent its fingerprint."""
        return self._peer_fingerprint == self._refresh().fingerprint

    @property
    def awaits_sums(self) -> bool:
        """True while the peer owes an answer to our buckets."""
        return self._asking is not None

    @property
    def held(self) -> HeadIndex:
        """All heads of ours, whether or not the peer may see them."""
        self._refresh()
        return self._held

    def open(self) -> list[f.Frame]:
        """Say what we have, in full if it is little."""
        self._replica.seal()
        given = self._refresh()
        self._sent = given
        if len(given) > limits.HEADS_WITHOUT_BUCKETS_MAX:
            return [f.Heads(given.fingerprint, 0, [])]
        self._told = given.as_set
        return [f.Heads(given.fingerprint, 1, [f.head_entry(head) for head in given.heads])]

    def tell(self) -> list[f.Frame]:
        """Tell what changed since we last did, even if nothing: the fingerprint may bring news."""
        if self._told is None:
            return []
        self._replica.seal()
        given = self._refresh()
        return self._tell(given, given.as_set - self._told)

    def has_news(self) -> bool:
        """Return whether the peer knows less or other than what we have."""
        told, now = self._told, self._refresh().as_set
        return told is not None and told is not now and told != now

    def compare(self) -> list[f.Frame]:
        """Ask the peer to find out with us what differs; 2 KiB, then 8 bytes a head."""
        if self._asking is not None:
            return []
        self._replica.seal()
        self._asking = self._refresh()
        self._their_sums.clear()
        self._their_buckets.clear()
        return [f.Buckets(self._asking.bucket_sums())]

    def on_heads(self, frame: f.Heads) -> list[f.Frame]:
        """Take what a peer tells; a fingerprint ends a listing."""
        heads = [f.reference_of(entry) for entry in frame.heads]
        self._note(heads)
        if not frame.fingerprint:
            return []
        self._peer_fingerprint = frame.fingerprint
        given = self._refresh()
        for known in (given, self._sent):
            if known is not None and frame.fingerprint == known.fingerprint:
                self._agreed = known
                self._told = known.as_set
                self._claims.clear()
                return []
        if self._told is not None:
            return []
        if frame.is_complete:
            self._told = given.as_set.intersection(heads)
            return self.tell()
        return self.compare() if self._is_initiator else []

    def on_buckets(self, frame: f.Buckets) -> list[f.Frame]:
        """Show the sums of our heads in the buckets that differ."""
        self._replica.seal()
        given = self._refresh()
        buckets = given.differing_buckets(frame.sums)
        sums = given.head_sums(buckets)
        self._answering = (given, sums)
        return _sums_frames(buckets, sums)

    def on_sums(self, frame: f.Sums) -> list[f.Frame]:
        """Collect a peer's sums; after the last tell what it lacks and ask for what we lack."""
        asking = self._asking
        if asking is None:
            raise Refused(Reason.UNASKED)
        for bucket in frame.buckets:
            self._their_buckets.add(bucket.bucket)
            self._their_sums.update(_split(bucket.sums))
        if len(self._their_sums) > limits.SUMS_MAX:
            raise Refused(Reason.OVER_LIMIT)
        if not frame.is_last:
            return []
        self._asking = None
        ours = asking.head_sums(self._their_buckets)
        lacking = {head for short, head in ours.items() if short not in self._their_sums}
        unknown = sorted(self._their_sums.difference(ours))[: limits.HEADS_TOLD_MAX]
        self._their_sums.clear()
        return self._tell(asking, lacking) + _ask_frames(unknown)

    def on_ask(self, frame: f.Ask) -> list[f.Frame]:
        """Tell the heads that a peer picked from our sums."""
        if self._answering is None:
            raise Refused(Reason.UNASKED)
        given, sums = self._answering
        asked = [sums[short] for short in _split(frame.sums) if short in sums]
        if not frame.is_last:
            return _heads_frames(asked, b"")
        self._answering = None
        self._sent = given
        self._told = given.as_set
        return _heads_frames(asked, given.fingerprint)

    def peer_holds(self, reference: Reference) -> bool:
        """Return whether the peer says that it has this operation (of a log that we hold)."""
        if (self.is_equal and self._given.holds(reference)) or self._agreed.holds(reference):
            return True
        claimed = self._claims.get((reference.device, reference.log_class))
        if claimed is None:
            return False
        is_forked = len(self.held.of_log(reference.device, reference.log_class)) > 1
        return claimed == reference or (claimed.seq > reference.seq and not is_forked)

    def _refresh(self) -> HeadIndex:
        scope = self._gives()
        at = (self._replica.heads_version, scope)
        if at != self._index_of:
            heads = self._replica.heads()
            self._held = HeadIndex(heads, self._key)
            known = heads if scope.heads is None else scope.heads
            given = [head for head in known if head.log_class in scope.classes]
            is_all = scope.heads is None and len(given) == len(self._held)
            self._given = self._held if is_all else HeadIndex(given, self._key)
            self._index_of = at
        return self._given

    def _tell(self, given: HeadIndex, fresh: Collection[Reference]) -> list[f.Frame]:
        """Tell heads, those of auth logs first, and remember that the peer knows them now."""
        ordered = sorted(fresh, key=lambda head: (head.log_class, head))
        now, later = ordered[: limits.HEADS_TOLD_MAX], ordered[limits.HEADS_TOLD_MAX :]
        self._told = given.as_set.difference(later)
        if not later:
            self._sent = given
        return _heads_frames(now, given.fingerprint)

    def _note(self, heads: list[Reference]) -> None:
        """Pass claims on, and keep those of logs that we hold: no more than we have heads."""
        if heads:
            held = self.held
            for head in heads:
                log = (head.device, head.log_class)
                known = self._claims.get(log)
                if held.of_log(*log) and (known is None or known.seq <= head.seq):
                    self._claims[log] = head
            self._claim(heads)


def _heads_frames(heads: Sequence[Reference], fingerprint: bytes) -> list[f.Frame]:
    frames: list[f.Frame] = []
    for start in range(0, max(len(heads), 1), limits.HEADS_PER_FRAME_MAX):
        part = heads[start : start + limits.HEADS_PER_FRAME_MAX]
        is_last = start + limits.HEADS_PER_FRAME_MAX >= len(heads)
        entries = [f.head_entry(head) for head in part]
        frames.append(f.Heads(fingerprint if is_last else b"", 0, entries))
    return frames


def _sums_frames(buckets: Sequence[int], sums: dict[bytes, Reference]) -> list[f.Frame]:
    by_bucket: dict[int, list[bytes]] = {bucket: [] for bucket in buckets}
    for short in sorted(sums):
        by_bucket[sums[short].device[0]].append(short)
    frames: list[f.Frame] = []
    shown: list[f.BucketSums] = []
    room = limits.SUMS_PER_FRAME_MAX
    for bucket, listed in by_bucket.items():
        rest = listed
        while True:
            part, rest = rest[:room], rest[room:]
            shown.append(f.BucketSums(bucket, b"".join(part)))
            room -= len(part)
            if not rest:
                break
            frames.append(f.Sums(0, shown))
            shown, room = [], limits.SUMS_PER_FRAME_MAX
    frames.append(f.Sums(1, shown))
    return frames


def _ask_frames(sums: Sequence[bytes]) -> list[f.Frame]:
    step = limits.SUMS_PER_FRAME_MAX
    starts = range(0, max(len(sums), 1), step)
    return [
        f.Ask(int(start + step >= len(sums)), b"".join(sums[start : start + step]))
        for start in starts
    ]


def _split(sums: bytes) -> list[bytes]:
    return [sums[at : at + f.SUM_BYTES] for at in range(0, len(sums), f.SUM_BYTES)]
