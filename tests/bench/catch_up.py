"""What a newcomer's catching up costs, both nodes in one process on a network in memory.

    python -m tests.bench.catch_up FOLDER

prints the CPU time of both together for each operation, once for each repetition.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from p2pvalue.keystore import Keystore
from p2pvalue.network import MemoryHub, MemoryNetwork
from p2pvalue.node.running import RunningNode
from p2pvalue_protocol.ids import CONTENT
from tests.bench.history import node_in


async def catch_up(folder: Path, newcomer: Path, operations: int) -> float:
    """Let a newcomer fetch all that the folder's node holds; return CPU microseconds for each."""
    hub = MemoryHub()
    Keystore.create(newcomer, "newcomer")
    async with (
        node_in(folder, network=_network(hub, folder)) as a,
        node_in(newcomer, network=_network(hub, newcomer)) as b,
    ):
        await a.is_network_up.wait()
        await b.is_network_up.wait()
        held = a.community()
        link = (await held.invite(uses=0)).link
        author = a.device(held.id)
        folded = folded_of(a, held.id, author)
        cpu_start_s = time.process_time()
        await b.join(link)
        while folded_of(b, held.id, author) < folded:
            await trio.sleep(0.01)  # events would cost what is measured
        return (time.process_time() - cpu_start_s) / operations * 1e6


def _network(hub: MemoryHub, folder: Path) -> MemoryNetwork:
    return MemoryNetwork(hub, Keystore.open(folder).transport_seed)


def folded_of(node: RunningNode, community: bytes, device: bytes) -> int:
    """Return up to which seq a node has folded what a device wrote; -1 if there is nothing."""
    branches = node.copy_of(community).branches.of(device, CONTENT)
    return branches[0].folded_seq if branches else -1


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description="the CPU time of a newcomer's catching up")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--operations", type=int, required=True)
    asked = parser.parse_args()
    with TemporaryDirectory(dir=asked.folder.parent) as name:
        newcomer = Path(name) / "newcomer"
        cpu_us = trio.run(catch_up, asked.folder, newcomer, asked.operations)
    print(json.dumps({"cpu_us": cpu_us}), flush=True)


if __name__ == "__main__":
    main()
