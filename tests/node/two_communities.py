"""A person's node with two communities, in one store."""

from __future__ import annotations

from collections.abc import Sequence

from p2pvalue.node.community import Community
from p2pvalue.node.context import Participation
from p2pvalue.node.needs.need_boards import NeedBoards
from p2pvalue.store import MemoryStore, Store
from p2pvalue.types import Rank
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.replica import Replica
from tests.node.small_node import SmallNode


class TwoCommunities:
    """What the rooms ask of a node that is in several communities; each has its founders."""

    def __init__(self, name: str, *founders: Sequence[str]) -> None:
        self.store: Store = MemoryStore()
        self.boards = NeedBoards()
        self.nodes = [SmallNode(name, names, self.store) for names in founders]
        self._by_id = {node.community_id: node for node in self.nodes}
        for node in self.nodes:
            node.boards = self.boards
        self.first, self.second = (
            Community(self, node.community_id, node.documents) for node in self.nodes
        )

    def membership(self, community: bytes) -> Membership:
        return self._by_id[community].membership(community)

    def clock_ms(self) -> int:
        return max(node.now_ms for node in self.nodes)

    def copy_of(self, community: bytes) -> Replica:
        return self._by_id[community].replica

    def sign(self) -> None:
        for node in self.nodes:
            node.sign()

    def device(self, community: bytes) -> bytes:
        return self._by_id[community].device(community)

    def root(self, community: bytes) -> bytes:
        return self._by_id[community].root(community)

    def participation(self, community: bytes) -> Participation:
        return self._by_id[community].participation(community)

    async def write(self, community: bytes, drafts: Sequence[Draft]) -> Sequence[Order]:
        return await self._by_id[community].write(community, drafts)

    def await_updates(self, community: bytes, document: bytes, op_ids: Sequence[bytes]) -> None:
        self._by_id[community].await_updates(community, document, op_ids)

    async def invite(self, community: bytes, rank: Rank, uses: int) -> str:
        return await self._by_id[community].invite(community, rank, uses)
