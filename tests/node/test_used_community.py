"""Of several communities one can be chosen, to be meant where none is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.node import open_node
from p2pvalue.node.running import RunningNode
from p2pvalue_protocol.errors import NotFound


def used(node: RunningNode) -> list[str]:
    return [view.name for view in node.communities() if view.is_used]


async def test_a_community_that_was_chosen_is_meant_where_none_is_named(tmp_path: Path) -> None:
    Keystore.create(tmp_path, "Ana")
    config = Config(data_dir=tmp_path, listen=())
    async with open_node(tmp_path, config) as node:
        garden = await node.create_community("Garden")
        assert (node.community().name, used(node)) == ("Garden", [])
        await node.create_community("Choir")
        with pytest.raises(NotFound, match="community use NAME"):
            node.community()
        node.use_community("Choir")
        assert (node.community().name, used(node)) == ("Choir", ["Choir"])
        assert node.community("Garden").id == garden.id
        with pytest.raises(NotFound):
            node.use_community("Nowhere")
        with pytest.raises(NotFound, match="say which with -c"):
            await node.leave()
    async with open_node(tmp_path, config) as node:
        assert node.community().name == "Choir"
        node.use_community("")
        assert used(node) == []
        with pytest.raises(NotFound, match="several communities"):
            node.community()


async def test_a_choice_that_is_gone_from_here_counts_for_nothing(tmp_path: Path) -> None:
    Keystore.create(tmp_path, "Ana")
    async with open_node(tmp_path, Config(data_dir=tmp_path, listen=())) as node:
        for name in ("Garden", "Choir", "Hall"):
            await node.create_community(name)
        node.use_community("Choir")
        node.used_community.choose(bytes(32))
        assert used(node) == []
        with pytest.raises(NotFound, match="several communities"):
            node.community()


async def test_who_leaves_the_chosen_community_means_the_one_she_is_still_in(
    tmp_path: Path,
) -> None:
    Keystore.create(tmp_path, "Ana")
    async with open_node(tmp_path, Config(data_dir=tmp_path, listen=())) as node:
        for name in ("Garden", "Choir"):
            await node.create_community(name)
        node.use_community("Garden")
        await node.leave("Garden")
        assert (node.community().name, used(node)) == ("Choir", [])
        assert node.community("Garden").name == "Garden"
        await node.leave()
        assert node.community().name == "Garden"  # to read what came before she left
