"""A small community that a test writes act by act, and what its membership answers."""

from __future__ import annotations

from p2pvalue_protocol.auth_payloads import ADMIN, GUEST, MEMBER
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import Author

CHAT, DOCUMENT, CARD = 35, 32, 46


class HeldContent:
    """Content logs of one chain each, as far as they are held."""

    def __init__(self) -> None:
        self.held: set[Reference] = set()

    def is_in_chain(self, op: Reference, head: Reference) -> bool:
        return head in self.held and op.device == head.device and op.seq <= head.seq


class Hamlet:
    """A founder, an admin, a member and a guest; whoever writes has seen all that came before."""

    def __init__(self, *founders: Author, **policy: object) -> None:
        self.ada = Author("ada")
        genesis = self.ada.found(*founders, **policy)
        self.content = HeldContent()
        self.graph = AuthGraph()
        self.membership = Membership(self.ada.community, self.graph, self.content)
        self.operations: dict[bytes, Operation] = {}
        self.genesis = self.take(genesis)
        self.cy, self.bo, self.dee = (
            self.join(name, rank) for name, rank in (("cy", ADMIN), ("bo", MEMBER), ("dee", GUEST))
        )
        self.membership.take_reconsidered()

    def take(self, op: Operation) -> Operation:
        self.operations[op.op_id] = op
        self.membership.integrate(op)
        return op

    def heads(self) -> list[Operation]:
        return [self.operations[op_id] for op_id in self.graph.heads()]

    def join(self, name: str, rank: int) -> Author:
        author = Author(name, self.ada.community)
        added = self.take(author.add_device(self.genesis))
        self.take(self.ada.grant(author.root.public, rank, added))
        return author

    def phone_of(self, owner: Author, name: str) -> Author:
        phone = Author(f"{owner.key.public.hex()} {name}", self.ada.community)
        phone.root = owner.root
        self.take(phone.add_device(self.genesis, owner))
        return phone

    def frontier(self) -> int:
        return self.graph.head_frontier()

    def wrote(self, author: Author, seq: int = 0) -> Reference:
        """A content operation of an author that is held."""
        reference = Reference(author.device, CONTENT, seq, b"%032d" % seq)
        self.content.held.add(reference)
        return reference

    def shows(self, author: Author, frontier: int, place: Reference, kind: int = CHAT) -> bool:
        return self.membership.visible(author.device, kind, frontier, place)


# --- content
