"""People who write one document with the real text library, and some who lie, without a network.

A `Peer` holds facts and a replica, as a node does: it takes updates of others in any order in which
nothing comes before what it follows, applies those that count and can edit honestly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from random import Random
from typing import Any, NamedTuple

import pycrdt

from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.kept_facts import dump_facts, load_facts
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.verdict import Applies, Void, Waits
from tests.documents.by_hand import StoredIds

DOCUMENT = b"document" * 2
LOCAL = "this person"


class Written(NamedTuple):
    """An update operation, as logs carry it; `backlink` is the one before it, empty if none."""

    op_id: bytes
    device: bytes
    seq: int
    backlink: bytes
    session: int
    heads: tuple[bytes, ...]
    data: bytes


def written(
    device: bytes, backlink: Written | None, session: int, heads: tuple[bytes, ...], data: bytes
) -> Written:
    """Return an update with an id that follows from all that it says."""
    seq = 0 if backlink is None else backlink.seq + 1
    before = b"" if backlink is None else backlink.op_id
    said = b"".join((device, before, session.to_bytes(4, "big"), *heads, data))
    return Written(sha256(said).digest(), device, seq, before, session, heads, data)


class Replica:
    """The facts of a document and a text made by them; numbers branches as they come.

    A text that an undo manager looks at collects no garbage: the library (yrs 0.28) would free a
    deleted block and keep what stands in it for an undo; what comes beside that later would be
    written into memory that may by then be another document's. No node has an undo manager.
    """

    can_undo = False

    def __init__(self, shape: str, client: int) -> None:
        self.shape = shape
        self.ids = StoredIds()
        self.facts = Facts(DOCUMENT, shape, self.ids)
        self.verdicts: dict[bytes, Void | Applies] = {}
        self.applied: list[tuple[Placement, bytes]] = []
        self.held: dict[bytes, Written] = {}
        self._place: dict[bytes, tuple[int, int]] = {}  # op id -> branch, seq
        self._tips: dict[int, bytes] = {}
        self._branches = 0
        self._renamings = 0
        self.rebuilt = 0
        self.start(client)

    def start(self, client: int) -> None:
        """Make the text anew, from what counts."""
        self.doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=client, skip_gc=self.can_undo)
        self.roots = roots_of(self.doc, self.shape)
        for update in self.encoded():
            self.doc.apply_update(update)

    def reload(self) -> None:
        """Go on with facts that were kept, and the same text; they count renamings anew."""
        self.facts = load_facts(dump_facts(self.facts), self.ids)
        self._renamings = self.facts.renamings

    def encoded(self, hidden: frozenset[bytes] = frozenset()) -> Iterator[bytes]:
        """Yield what counts, in the order in which it came here; of some devices it is hidden."""
        for placement, data in self.applied:
            is_hidden = placement.device in hidden
            yield self.facts.encode(placement, data, is_hidden=is_hidden)

    def shown_without(self, hidden: frozenset[bytes] = frozenset()) -> str:
        """What the document shows while what some devices wrote is hidden."""
        doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=1)
        for update in self.encoded(hidden):
            doc.apply_update(update)
        return shown_in(doc, self.shape)

    def branch_of(self, op: Written) -> int:
        """Return the number of an update's branch; tells the facts of a new one."""
        if op.backlink:
            branch, seq = self._place[op.backlink]
            if self._tips[branch] == op.backlink:
                return branch
            self.facts.branch(self._branches + 1, branch, seq)
        self._branches += 1
        return self._branches

    def take(self, op: Written) -> Applies | Waits | Void:
        """Take an update, and those that waited for it."""
        number = self.branch_of(op)
        self._tips[number] = op.op_id
        self._place[op.op_id] = number, op.seq
        self.held[op.op_id] = op
        placement = self.ids.store(Placement(op.op_id, op.device, number, op.seq))
        verdict = self.facts.take(placement, op.session, op.heads, op.data)
        found = [] if isinstance(verdict, Waits) else [(placement, op.data, verdict)]
        found += [(r.placement, r.data, r.verdict) for r in self.facts.release()]
        for judged, data, decided in found:
            self.verdicts[judged.op_id] = decided
            if isinstance(decided, Applies):
                self.applied.append((judged, data))
                if self.facts.renamings == self._renamings:
                    self.doc.apply_update(decided.update or data)
        if self.facts.renamings != self._renamings:
            self._renamings = self.facts.renamings
            self.rebuilt += 1
            self.start(self.doc.client_id)
        return verdict

    @property
    def shown(self) -> str:
        """All that the document shows, in one form."""
        return shown_in(self.doc, self.shape)

    def reason(self, op: Written) -> str | None:
        """Why an update is without effect; None if it counts or waits."""
        verdict = self.verdicts.get(op.op_id)
        return str(verdict.reason) if isinstance(verdict, Void) else None


def roots_of(doc: pycrdt.Doc[Any], shape: str) -> dict[str, Any]:
    """Return the roots of a document of a shape, which must be named before they are read."""
    first: tuple[str, Any] = (
        ("prosemirror", pycrdt.XmlFragment) if shape == "rich" else ("content", pycrdt.Text)
    )
    return {name: doc.get(name, type=kind) for name, kind in (first, ("meta", pycrdt.Map))}


def shown_in(doc: pycrdt.Doc[Any], shape: str) -> str:
    roots = roots_of(doc, shape)
    meta = roots.pop("meta")
    (text,) = roots.values()
    body = [_tree(child) for child in text.children] if shape == "rich" else str(text)
    return json.dumps([body, _plain(meta)], sort_keys=True, ensure_ascii=False)


def _tree(node: Any) -> Any:
    """Return an XML node in one form, runs of equal format joined."""
    attributes = {name: _plain(value) for name, value in node.attributes}
    if isinstance(node, pycrdt.XmlElement):
        return [node.tag, attributes, [_tree(child) for child in node.children]]
    runs: list[list[Any]] = []
    for value, marks in node.diff():
        format_ = _plain(marks or {})
        if isinstance(value, str) and runs and runs[-1][1:] == [format_, "text"]:
            runs[-1][0] += value
        else:
            runs.append([_plain(value), format_, "text" if isinstance(value, str) else "embed"])
    return [attributes, runs]


def _plain(value: Any) -> Any:
    if isinstance(value, pycrdt.Map):
        return {name: _plain(value[name]) for name in value.keys()}  # noqa: SIM118 - iterates no keys
    if isinstance(value, pycrdt.Array):
        return [_plain(item) for item in value]
    if isinstance(value, pycrdt.Text):
        return str(value)
    if isinstance(value, pycrdt.XmlElement | pycrdt.XmlText):
        return _tree(value)
    if isinstance(value, bytes | bytearray):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


class Person(Replica):
    """Somebody who edits honestly, one session after the other."""

    can_undo = True

    def __init__(self, name: bytes, shape: str) -> None:
        self.device = sha256(name).digest()
        self.session = 0
        self.last: Written | None = None
        self.misled = 0  # how often an undo showed here what it shows nobody else
        self._took_back = False
        super().__init__(shape, client_of(self.device, DOCUMENT, 0))

    def start(self, client: int) -> None:
        super().start(client)
        self._undo = pycrdt.UndoManager(scopes=[*self.roots.values()], capture_timeout_millis=0)
        self._undo.include_origin(LOCAL)

    def take(self, op: Written) -> Applies | Waits | Void:
        rebuilt = self.rebuilt
        verdict = super().take(op)
        if self.rebuilt != rebuilt:  # what things are called changed: a new session
            self._begin_session()
        return verdict

    def _begin_session(self) -> None:
        self.session += 1
        self.start(client_of(self.device, DOCUMENT, self.session))

    def take_back(self) -> None:
        """Undo the last edit; part of `write`."""
        self._took_back = True
        self._undo.undo()

    def bring_back(self) -> None:
        """Redo what was undone last; part of `write`."""
        self._took_back = True
        self._undo.redo()

    def write(self, edit: Callable[[Person, Random], None], rng: Random) -> list[Written]:
        """Edit in one transaction; return what is to be given to others, if anything changed."""
        updates: list[bytes] = []
        subscription = self.doc.observe(lambda event: updates.append(bytes(event.update)))
        edit(self, rng)
        self.doc.unobserve(subscription)
        ops = [self._sign(data) for data in updates]
        if self._took_back:
            self._took_back = False
            if self.shown != self.shown_without():
                self.misled += 1
                self._begin_session()
        return ops

    def _sign(self, data: bytes) -> Written:
        own = None if self.last is None else self._place[self.last.op_id][0]
        op = written(self.device, self.last, self.session, self.facts.frontier(own)[:64], data)
        self.last = op
        verdict = self.take(op)
        assert isinstance(verdict, Applies), f"an honest update is refused: {verdict} {data.hex()}"
        return op
