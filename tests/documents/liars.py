"""People whose software keeps none of the rules: they write anywhere, and fork their logs."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import Any, NamedTuple

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.past import Past
from p2pvalue_protocol.documents.rules import PLAIN_TEXT
from p2pvalue_protocol.documents.strands import Node
from p2pvalue_protocol.documents.update_form import Place, Struct, Update, write_update
from tests.documents.by_hand import string, struct, type_of
from tests.documents.edits import WORDS
from tests.documents.peers import DOCUMENT, Replica, Written, written

FORKS_SHARE = 0.1
HEADS_SHARE = 0.8


class _Unit(NamedTuple):
    """A unit that the liar may name: what it is called, and what it is in."""

    place: Place
    node: Node | None
    key: str | None


class Liar(Replica):
    """Writes what its random source says, in the names of its past, mostly."""

    def __init__(self, name: bytes, shape: str) -> None:
        self.device = sha256(name).digest()
        self.session = 0
        self.log: list[Written] = []
        self._heads: tuple[bytes, ...] = ()
        super().__init__(shape, client_of(self.device, DOCUMENT, 2**32 - 1))

    def lie(self, rng: Random) -> Written:
        """Write one update, whether it counts or not."""
        last = self.log[-1] if self.log else None
        if self.log and rng.random() < FORKS_SHARE:
            last = rng.choice([None, *self.log])
        past, session = self._past(last, rng)
        data = self._update(past, rng)
        op = written(self.device, last, session, self._heads, data)
        if op.op_id not in self.held:
            self.log.append(op)
            self.take(op)
            if self.reason(op) is not None:
                self.session += 1
        return op

    def _past(self, last: Written | None, rng: Random) -> tuple[Past, int]:
        """Return the past that an update after `last` would have, and the session it is of."""
        session = self.session if rng.random() < 0.8 else rng.randint(0, self.session)
        op = written(self.device, last, session, (), b"")
        number = self.branch_of(op)
        own = {op.op_id for op in self.log} if rng.random() < 0.7 else set()
        frontier = tuple(head for head in self.facts.frontier(number) if head not in own)
        is_told = rng.random() < HEADS_SHARE
        self._heads = frontier if is_told else tuple(h for h in frontier if rng.random() < 0.4)
        return self.facts.past_of(number, self.device, session, self._heads), session

    def _update(self, past: Past, rng: Random) -> bytes:
        units = self._units(past)
        clock = past.first - past.shift
        structs: list[Struct] = []
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            one = self._struct(units, rng)
            structs.append(one)
            node, key = self._where(one, units, past)
            units += [_Unit((past.name, clock + n), node, key) for n in range(one.length)]
            clock += one.length
        ranges = []
        if units and rng.random() < 0.3:
            client, first = rng.choice(units).place
            ranges.append((client, ((first, rng.randint(1, 3)),)))
        first_clock = past.first - past.shift if structs else -1
        return write_update(
            Update(past.name if structs else -1, first_clock, tuple(structs), tuple(ranges))
        )

    def _units(self, past: Past) -> list[_Unit]:
        found = []
        for strands in past.claims.strands.values():
            for strand in strands:
                for clock in range(strand.start, past.limit(strand)):
                    run = strand.runs[strand.run_of(clock)]
                    node, key = run.node, run.key
                    found.append(_Unit(past.naming.called(strand, clock), node, key))
        return found

    def _where(self, one: Struct, units: list[_Unit], past: Past) -> tuple[Node | None, str | None]:
        side = one.origin or one.right
        if side is None:
            root = self.facts.roots.get(one.parent) if isinstance(one.parent, str) else None
            return root, one.key
        return next(((u.node, u.key) for u in units if u.place == side), (None, None))

    def _struct(self, units: list[_Unit], rng: Random) -> Struct:
        if not units or rng.random() < 0.15:
            return self._at_root(rng)
        origin = rng.choice(units)
        beside = [unit for unit in units if unit.node is origin.node and unit.key == origin.key]
        right = rng.choice(beside)
        sides = rng.choice(("both", "both", "both", "left", "right"))
        where: dict[str, Any] = {"is_keyed": origin.key is not None}
        if sides != "right":
            where["origin"] = origin.place
        if sides == "right" or (sides == "both" and origin.key is None):
            where["right"] = right.place
        return self._content(origin.node, origin.key is not None, where, rng)

    def _at_root(self, rng: Random) -> Struct:
        name, node = rng.choice([*self.facts.roots.items()])
        key = rng.choice(("title", "tags")) if node.kind == form.MAP else None
        return self._content(node, key is not None, {"parent": name, "key": key}, rng)

    def _content(
        self, node: Node | None, is_keyed: bool, where: dict[str, Any], rng: Random
    ) -> Struct:
        kind = form.TEXT if node is None else node.kind
        if rng.random() < 0.05:
            return struct(form.GC, rng.randint(1, 3))
        if rng.random() < 0.05:
            return struct(form.DELETED, rng.randint(1, 3), **where)
        if is_keyed:
            return struct(form.ANY, 1, body=b"\x01\x7d" + bytes([rng.randrange(60)]), **where)
        if kind in (form.XML_FRAGMENT, form.XML_ELEMENT):
            if rng.random() < 0.5:
                return type_of(form.XML_TEXT, **where)
            return type_of(form.XML_ELEMENT, **where)
        if kind == form.ARRAY:
            return struct(form.ANY, 1, body=b"\x01\x78", **where)
        if kind != PLAIN_TEXT and rng.random() < 0.3:
            value = rng.choice((b"\x04true", b"\x04null"))
            return struct(form.FORMAT, 1, body=b"\x02em" + value, **where)
        return string(rng.choice(WORDS), **where)
