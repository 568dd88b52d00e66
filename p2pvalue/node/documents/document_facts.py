"""What becomes of the updates of one document: which count, why others do not, what to apply.

The core judges (`p2pvalue_protocol.documents`); here stored updates are given to it in an order in
which it can, and what it says is kept for people: how many were skipped, whose, and why. Updates of
ours are judged before they are signed, under made-up ids until they have their own.

A *version* names a set of visible updates: the sum of their operation ids modulo 2^128. Whoever
holds the same set computes the same version, in whatever order they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from p2pvalue.node.documents.set_aside import SetAside, Written
from p2pvalue.store import Base, Store, StoreFailed
from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.kept_facts import dumping_facts, loading_facts
from p2pvalue_protocol.documents.mending import mending
from p2pvalue_protocol.documents.op_ids import IdOf
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.steps import Steps
from p2pvalue_protocol.documents.strands import Waiting
from p2pvalue_protocol.documents.verdict import Applies, Void, Waits
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document

EMPTY_UPDATE: Final = b"\x00\x00"
WAITS: Final = "waits"
BROKEN: Final = "broken-here"
_MADE_UP_SEQ: Final = 2**50
_NO_BRANCH: Final = -1
_UPDATE_BYTES: Final = 25
_RUN_BYTES: Final = 250
_FORM: Final = 3


def stored_id(store: Store, community: bytes, log: int, seq: int) -> bytes:
    """Return the id of a stored operation; raises StoreFailed if it is there no more."""
    found = store.past(community).operations(log, seq, 1)
    if not found:
        raise StoreFailed("an operation that was held is gone: its community was wiped")
    return found[0].op_id


def version_with(version: str, orders: Iterable[Order]) -> str:
    """Return the name of a set with some updates more."""
    total = int(version, 16) + sum(_share(order.op_id) for order in orders)
    return f"{total % 2**128:032x}"


def _share(op_id: bytes) -> int:
    return int.from_bytes(op_id[:16], "big")


class NobodyShows(P2PValueError):
    """An update of ours would be without effect; nothing was written."""


class Judged(NamedTuple):
    """An update that counts, or a hidden one on which such rest: to be applied."""

    placement: Placement
    update: bytes
    is_hidden: bool

    @property
    def op_id(self) -> bytes:
        """The id of its operation."""
        return self.placement.op_id


class OwnUpdate(NamedTuple):
    """An update of ours that counts: what to write."""

    made_up_id: bytes
    update: bytes
    session: int
    heads: tuple[bytes, ...]


class _Kept(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    form: int
    version: bytes
    hidden_version: bytes
    updates: int
    skips: list[tuple[bytes, str, int]]
    waiting: dict[bytes, bytes]
    hidden: list[bytes]
    waited_for: list[bytes]
    clocks: dict[int, int]
    told: list[int]
    aside: list[Written]
    facts: bytes


class DocumentFacts:
    """The verdicts on one document's updates, as far as they were taken in."""

    def __init__(
        self, subject: bytes, shape: str, base_of: Callable[[int], Base], id_of: IdOf
    ) -> None:
        """Begin without updates.

        `base_of` says where a branch of a log begins, `id_of` which id a stored operation has.
        """
        self.updates = 0
        self.clocks: dict[int, int] = {}  # by Yjs client: the next one
        self._version = 0
        self._hidden = 0
        self._skips: Counter[tuple[bytes, str]] = Counter()
        self._waiting: dict[bytes, bytes] = {}  # op id -> member
        self._hidden_waiting: set[bytes] = set()
        self._waited_for: set[bytes] = set()  # what those name, perhaps here by now
        self._told: set[int] = set()
        self._made_up = 0
        self._base_of = base_of
        self._aside = SetAside(base_of)
        self._id_of = id_of
        self._facts = Facts(subject, shape, id_of)

    # --- what there is

    @property
    def version(self) -> str:
        """The name of the set of visible updates that were taken in."""
        return f"{self._version:032x}"

    @property
    def basis(self) -> str:
        """Names what a copy of the text was made by, if it is to be added to.

        It is another when something was hidden or shown again, or is called otherwise since.
        """
        shared = sum(map(len, self._facts.claims.shared.values()))
        return f"{self._hidden:032x}{shared:x}"

    @property
    def renamings(self) -> int:
        """Grows when what was applied is called otherwise now, and must all be applied anew."""
        return self._facts.renamings

    @property
    def size(self) -> int:
        """About how many bytes of memory this takes."""
        return _UPDATE_BYTES * self.updates + _RUN_BYTES * self._facts.claims.runs

    @property
    def is_waiting(self) -> bool:
        """Whether some update waits for another."""
        return bool(self._waiting or self._hidden_waiting)

    def awaited(self) -> list[bytes]:
        """Return the ids, ascending, of the updates that are not here and that others wait for."""
        return self._facts.awaited() if self.is_waiting else []

    @property
    def skipped(self) -> int:
        """How many visible updates are without effect for good."""
        return self._skips.total()

    @property
    def skips(self) -> list[tuple[bytes, str, int]]:
        """Who wrote what is without effect, why, and how many: (member, reason, count)."""
        counts = self._skips + Counter((member, WAITS) for member in self._waiting.values())
        return [(member, reason, count) for (member, reason), count in sorted(counts.items())]

    @property
    def core(self) -> Facts:
        """What the core knows, to be looked at only."""
        return self._facts

    def is_broken(self, member: bytes) -> None:
        """Count an update that counts, but makes the text library fail here."""
        self._skips[member, BROKEN] += 1

    # --- what is stored

    def taking(self, written: Written) -> Steps[list[Judged]]:
        """Judge a stored update, in steps; return what is to be applied now, in this order.

        Raises ValueError if it came before one that stands earlier in its branch.
        """
        op_id = written.placement.op_id
        if written.is_hidden:
            self._hidden = (self._hidden + _share(op_id)) % 2**128
            self._aside.add(written)
            if op_id not in self._waited_for:
                return []
        else:
            self._count(op_id)
        self._waited_for.discard(op_id)
        judged: list[Judged] = []
        for each in self._aside.take_needed(written):
            yield from self._give(each, judged)
            yield
        return judged

    def _count(self, op_id: bytes) -> None:
        self._version = (self._version + _share(op_id)) % 2**128
        self.updates += 1

    def _give(self, written: Written, judged: list[Judged]) -> Steps[None]:
        placement = written.placement
        self._tell(placement.branch)
        entry = Waiting(placement, written.session, written.heads, written.update)
        verdict = yield from self._facts.taking(entry)
        op_id, member = placement.op_id, written.member
        if isinstance(verdict, Waits):
            self._waited_for.update(written.heads)
            if written.is_hidden:
                self._hidden_waiting.add(op_id)
            else:
                self._waiting[op_id] = member
        else:
            self._note(placement, written.update, member, verdict, written.is_hidden, judged)
        for released in (yield from self._facts.releasing()):
            op_id = released.placement.op_id
            is_hidden = op_id in self._hidden_waiting
            self._hidden_waiting.discard(op_id)
            member = self._waiting.pop(op_id, b"")
            self._note(
                released.placement, released.data, member, released.verdict, is_hidden, judged
            )

    def _tell(self, branch: int) -> None:
        if branch not in self._told:
            self._told.add(branch)
            base = self._base_of(branch)
            if base.log is not None:
                self._tell(base.log)
                self._facts.branch(branch, base.log, base.seq)

    def _note(
        self,
        placement: Placement,
        update: bytes,
        member: bytes,
        verdict: Applies | Void,
        is_hidden: bool,
        judged: list[Judged],
    ) -> None:
        match verdict:
            case Applies():
                self._advance(verdict)
                judged.append(Judged(placement, update, is_hidden))
            case Void(reason) if not is_hidden:
                self._skips[member, str(reason)] += 1

    def _advance(self, verdict: Applies) -> None:
        if verdict.inserted is not None:
            client, _, end = verdict.inserted
            self.clocks[client] = end

    def encoded(self, judged: Judged) -> bytes:
        """Return the bytes by which to apply an update, in today's names."""
        return self._facts.encode(judged.placement, judged.update, is_hidden=judged.is_hidden)

    # --- what is ours

    def judging_own(
        self, device: bytes, branch: int | None, session: int, updates: Sequence[bytes]
    ) -> Steps[list[OwnUpdate]]:
        """Return what to write for these updates of one session, in one piece and in this order.

        More heads than an update can name are gathered by empty ones before it. Raises
        P2PValueError if an update would not count; then, as if they are not written afterwards,
        this is not to be used any more.
        """
        number = _NO_BRANCH if branch is None else branch
        own: list[OwnUpdate] = []
        if not updates:
            return own
        heads = self._facts.frontier(branch)
        while len(heads) > document.HEADS_MAX:
            named = heads[: document.HEADS_MAX]
            at = Placement(b"", device, number, 0)
            own.append((yield from self._judge(at, session, named, EMPTY_UPDATE)))
            heads = self._facts.frontier(number)
        for update in updates:
            at = Placement(b"", device, number, 0)
            own.append((yield from self._judge(at, session, heads, update)))
            yield
            heads = ()  # what comes earlier in its own log needs no naming
        return own

    def _judge(
        self, at: Placement, session: int, heads: tuple[bytes, ...], update: bytes
    ) -> Steps[OwnUpdate]:
        self._made_up += 1
        made_up_id = self._made_up.to_bytes(32, "big")
        placement = at._replace(op_id=made_up_id, seq=_MADE_UP_SEQ + self._made_up)
        if at.branch != _NO_BRANCH:
            self._tell(at.branch)
        update = yield from mending(self._facts, at.branch, at.device, session, heads, update)
        entry = Waiting(placement, session, heads, update)
        verdict = yield from self._facts.taking(entry, is_stored=False)
        if not isinstance(verdict, Applies) or verdict.update is not None:
            reason = verdict.reason if isinstance(verdict, Void) else "names-changed"
            raise NobodyShows(
                f"nothing was written: nobody would show this edit ({reason});"
                " read the text again, and if it happens again, report it"
            )
        self._advance(verdict)
        return OwnUpdate(made_up_id, update, session, heads)

    def wrote(self, own: Sequence[OwnUpdate], orders: Sequence[Order], branch: int) -> None:
        """Give updates that were judged, and are stored now, their places in our branch."""
        for update, order in zip(own, orders, strict=True):
            placement = Placement(order.op_id, order.device, branch, order.seq)
            self._facts.identify(update.made_up_id, placement)
            self._count(order.op_id)

    # --- as bytes, and no more

    def close(self) -> None:
        """Free the memory; not to be used any more."""
        self._facts.close()

    def dumping(self) -> Steps[bytes]:
        """Return all this as bytes, in steps, to go on from later; about 1 µs per update."""
        facts = yield from dumping_facts(self._facts)
        kept = _Kept(
            _FORM,
            self._version.to_bytes(16, "big"),
            self._hidden.to_bytes(16, "big"),
            self.updates,
            [(*key, count) for key, count in sorted(self._skips.items())],
            self._waiting,
            sorted(self._hidden_waiting),
            sorted(self._waited_for),
            self.clocks,
            sorted(self._told),
            self._aside.all(),
            facts,
        )
        return msgspec.msgpack.encode(kept)

    def loading(self, data: bytes) -> Steps[None]:
        """Become what `dumping` gave, in steps; raises ValueError for anything else."""
        try:
            kept = msgspec.msgpack.decode(data, type=_Kept)
        except msgspec.DecodeError as error:
            raise ValueError(f"these are no facts that were kept: {error}") from None
        if kept.form != _FORM:
            raise ValueError("these facts were kept by another version")
        self._facts = yield from loading_facts(kept.facts, self._id_of)
        self._aside = SetAside(self._base_of, kept.aside)
        self._version, self.updates = int.from_bytes(kept.version, "big"), kept.updates
        self._hidden = int.from_bytes(kept.hidden_version, "big")
        self._skips = Counter({(member, reason): n for member, reason, n in kept.skips})
        self._waiting, self._hidden_waiting = dict(kept.waiting), set(kept.hidden)
        self._waited_for = set(kept.waited_for)
        self.clocks, self._told = dict(kept.clocks), set(kept.told)
