"""After a removal the nodes of who stays move to new topics, and who was put out is left behind."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import trio

from p2pvalue.network import MemoryHub, MemoryNetwork
from p2pvalue.node.running import RunningNode
from p2pvalue_protocol.removal import removal_draft
from tests.node.household import gossiping, until
from tests.patience import WAIT_S

TRIES = 20


def reads(node: RunningNode, text: str) -> bool:
    return text in {message.text for message in node.community().messages()}


def peer_of(node: RunningNode) -> str:
    assert node.network is not None
    return node.network.peer_id


async def test_hints_go_on_without_who_was_put_out(tmp_path: Path) -> None:
    hub = MemoryHub()
    delivered: set[tuple[str, str]] = set()

    def heard(sender: str, receiver: str, topic: str) -> bool:
        delivered.add((receiver, topic))
        return False

    hub.gossip_is_lost = heard
    async with AsyncExitStack() as stack:
        ana, ben, mal = [
            await stack.enter_async_context(gossiping(partial(MemoryNetwork, hub), tmp_path / name))
            for name in ("ana", "ben", "mal")
        ]
        community = (await ana.create_community("Garden")).id
        for node in (ben, mal):
            await node.join(await ana.invite(community, "member", 1))
            await until(node, lambda n=node: n.community().view().state == "active")  # type: ignore[misc]  # bound now
        before = set(ana.machine.topics_of(community))
        standing = ana.membership(community).standing(mal.device(community))
        assert standing is not None
        draft = removal_draft(ana.machine.replica(community), standing.member)
        await ana.write(community, [draft])

        def after() -> set[str]:
            # More than one if ben wrote too before he knew of ana's epoch: then he made his own.
            return set(ana.machine.topics_of(community)) - before

        assert len(after()) == 1
        with trio.fail_after(WAIT_S):
            for number in range(TRIES):
                text = f"after the removal {number}"
                await ana.community().post(text)
                await until(ben, lambda t=text: reads(ben, t))  # type: ignore[misc]  # bound now
                if any(topic in after() for _, topic in delivered):
                    break
        assert {receiver for receiver, topic in delivered if topic in after()} == {peer_of(ben)}
        await until(mal, lambda: not mal.is_admitted(community))
        assert not after() & set(mal.machine.topics_of(community))
        assert peer_of(mal) not in ana.machine.peers_of(community)
