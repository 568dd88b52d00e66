"""The network may die under a node: the node keeps what it has, and the network starts anew."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from p2pvalue.network import Libp2pNetwork
from p2pvalue.node.running import RunningNode
from tests.system.hostile import asked, honest, joined, until
from tests.system.person import people


async def fall() -> None:
    raise RuntimeError("the network was made to die")


def kill_network(node: RunningNode) -> None:
    """Raise inside the running generation, as a fault of the library would."""
    assert isinstance(node.network, Libp2pNetwork)
    generation = node.network._generation
    assert generation is not None
    assert generation.swarm._nursery is not None
    generation.swarm._nursery.start_soon(fall)


def texts(node: RunningNode) -> set[str]:
    return {message.text for message in node.community().messages(limit=100)}


def shows(node: RunningNode, text: str) -> bool:
    return text in texts(node)


async def test_a_node_outlives_its_network_again_and_again(tmp_path: Path) -> None:
    with people(tmp_path, "Ben") as (ben,):
        ben.found("Garden")
        async with honest(tmp_path / "ana", "Ana") as ana:
            await joined(ana, await asked(ben.invite))
            await ana.community().post("before")
            await asked(ben.until_reads, "before")
            digest = ana.community().digest()
            for life in (2, 3):
                kill_network(ana)
                await until(lambda: not ana.status().peers)
                assert ana.community().digest() == digest
                text = f"written without a network, before life {life}"
                await ana.community().post(text)
                assert text in texts(ana)
                await asked(ben.until_reads, text)
                answer = f"answer in life {life}"
                await asked(ben.post, answer)
                await until(partial(shows, ana, answer))
                digest = ana.community().digest()
                assert digest == await asked(ben.digest)
            detail = ana.status().network_detail
            assert detail["generation"] == 3
            assert "made to die" in str(detail["last_error"])
