"""A small community for tests: a founder, and a member whom she invited."""

from __future__ import annotations

from p2pvalue_protocol.auth_payloads import MEMBER
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import Author, membership_of


class Village:
    """A founder's community with one member, invited and admitted."""

    def __init__(self, rank: int = MEMBER, **policy: object) -> None:
        self.ada = Author("ada")
        self.genesis = self.ada.found(**policy)
        self.community = self.ada.community
        self.invite = self.ada.invite(rank)
        self.bo = Author("bo")
        self.bo_added = self.bo.add_device(self.genesis)
        self.admit = self.ada.admit(self.bo, self.invite, self.bo_added)
        self.operations = [self.genesis, self.invite, self.bo_added, self.admit]

    def with_(self, *more: Operation) -> Membership:
        return membership_of(self.community, [*self.operations, *more])

    def newcomer(self, name: str) -> tuple[Author, Operation]:
        author = Author(name)
        return author, author.add_device(self.genesis)


def frontier(membership: Membership, graph_ids: list[bytes]) -> int:
    return membership._graph.frontier(graph_ids)
