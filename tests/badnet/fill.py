"""Writes a long history into a member's data folder, in few commits and without a network.

python -m tests.badnet.fill FOLDER COUNT SEED
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import trio

from p2pvalue.config import Config
from p2pvalue.node.opening import open_node
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import chat

AT_ONCE = 2_000
WORDS = 16
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


async def fill(folder: Path, count: int, rng: random.Random) -> None:
    """Post so many texts of some 100 letters, as compressible as words out of a small lexicon."""
    lexicon = ["".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(3_000)]
    async with open_node(folder, Config(data_dir=folder, listen=(), durability="kill")) as node:
        (community,) = node.machine.communities()
        for first in range(0, count, AT_ONCE):
            drafts = [
                Draft(chat.NUMBER, b"", chat.encode_chat_message(f"{number} {said}"))
                for number in range(first, min(first + AT_ONCE, count))
                for said in [" ".join(rng.choices(lexicon, k=WORDS))]
            ]
            await node.write(community, drafts)


if __name__ == "__main__":
    trio.run(fill, Path(sys.argv[1]), int(sys.argv[2]), random.Random(sys.argv[3]))
