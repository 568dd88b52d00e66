"""Updates put together by hand, true or false, and one document that judges them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.numbers import write_number
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.update_form import Place, Struct, Update, write_update
from p2pvalue_protocol.documents.verdict import Applies, Void, Waits

DOCUMENT = b"document" * 2
ANA, EVA, KIM = (bytes([number]) * 32 for number in (1, 2, 3))
APPLIES, WAITS = "applies", "waits"


def struct(
    content: int,
    length: int = 1,
    *,
    origin: Place | None = None,
    right: Place | None = None,
    parent: str | Place | None = None,
    key: str | None = None,
    body: bytes = b"",
    is_keyed: bool = False,
) -> Struct:
    """Return a struct; it stands in the root "content" unless something else says where."""
    if origin is None and right is None and parent is None and content != form.GC:
        parent = "content"
    is_keyed = is_keyed or key is not None
    return Struct(content, length, origin, right, parent, is_keyed, key, body, -1, ())


def text_bytes(text: str) -> bytes:
    """Return a text as updates hold it."""
    data = text.encode()
    return write_number(len(data)) + data


def string(text: str, **where: Any) -> Struct:
    """Return a struct that writes a text."""
    return struct(form.STRING, len(text.encode("utf-16-le")) // 2, body=text_bytes(text), **where)


def type_of(type_ref: int, **where: Any) -> Struct:
    """Return a struct that begins a type."""
    name = text_bytes("p") if type_ref == form.XML_ELEMENT else b""
    return struct(form.TYPE, body=bytes([type_ref]) + name, **where)


def client(device: bytes, session: int = 0) -> int:
    """Return the client of a session."""
    return client_of(device, DOCUMENT, session)


def update(
    author: int, clock: int, *structs: Struct, deletes: tuple[tuple[int, int, int], ...] = ()
) -> bytes:
    """Return an update by a client; `deletes` are (client, clock, length), one for each client."""
    deletions = tuple((named, ((start, length),)) for named, start, length in deletes)
    if not structs:
        author = clock = -1
    return write_update(Update(author, clock, structs, deletions))


class StoredIds(dict[tuple[int, int], bytes]):
    """The ids of updates by branch and seq, as a store has them."""

    def __call__(self, branch: int, seq: int) -> bytes:
        """Return one of them."""
        return self[branch, seq]

    def store(self, placement: Placement) -> Placement:
        """Store an update's id."""
        self[placement.branch, placement.seq] = placement.op_id
        return placement


class Given(NamedTuple):
    """One update that was given to a scene, and what became of it at once."""

    placement: Placement
    session: int
    heads: tuple[bytes, ...]
    data: bytes


class Scene:
    """One document; ids of updates are hashes of their numbers, so that all repeats."""

    def __init__(self, shape: str = "plain") -> None:
        self.ids = StoredIds()
        self.facts = Facts(DOCUMENT, shape, self.ids)
        self.shape = shape
        self.given: list[Given] = []
        self.forks: dict[int, tuple[int, int]] = {}
        self.verdicts: dict[bytes, str] = {}

    def op_id(self, number: int) -> bytes:
        """Return the id of the so-many-th update that is given."""
        return sha256(b"update %d" % number).digest()

    def fork(self, branch: int, base: bytes, last: int) -> None:
        """Begin a branch after a seq of a device's own log."""
        number = base[0]
        self.forks[branch] = (number, last)
        self.facts.branch(branch, number, last)

    def give(
        self,
        device: bytes,
        data: bytes,
        *,
        session: int = 0,
        branch: int | None = None,
        heads: tuple[int, ...] | None = None,
    ) -> str:
        """Give an update after all that is there, or after heads by number; return the verdict."""
        number = device[0] if branch is None else branch
        seq = 1 + max(
            [self.forks.get(number, (0, -1))[1]]
            + [given.placement.seq for given in self.given if given.placement.branch == number]
        )
        ids = self.facts.frontier(number) if heads is None else sorted(map(self.op_id, heads))
        placement = Placement(self.op_id(len(self.given)), device, number, seq)
        self.ids.store(placement)
        self.given.append(Given(placement, session, tuple(ids), data))
        verdict = self.facts.take(placement, session, tuple(ids), data)
        self.verdicts[placement.op_id] = shown(verdict)
        for released in self.facts.release():
            self.verdicts[released.placement.op_id] = shown(released.verdict)
        return self.verdicts[placement.op_id]


def shown(verdict: Applies | Waits | Void) -> str:
    """Return a verdict in a word."""
    if isinstance(verdict, Void):
        return str(verdict.reason)
    return APPLIES if isinstance(verdict, Applies) else WAITS
