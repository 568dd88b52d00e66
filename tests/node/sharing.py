"""Nodes that share files with each other."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from p2pvalue.node.blobs import chunk_keeper
from p2pvalue.node.running import RunningNode
from p2pvalue.types import BlobView
from tests.node.household import Household, until
from tests.patience import WAIT_S

BIG = chunk_keeper.SMALL_BYTES_MAX + 70_000  # 18 chunks
SOON_S = 0.2


def quiet(_done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def a_file(path: Path, size: int) -> Path:
    """A file of bytes that no other file of another size has."""
    path.write_bytes(random.Random(size).randbytes(size))
    return path


@asynccontextmanager
async def people(
    folder: Path, *names: str, read: Any = "members"
) -> AsyncIterator[list[RunningNode]]:
    """Nodes of one community, in which all know each other; the first founded it."""
    house = Household(folder)
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(house.node(name)) for name in names]
        await nodes[0].create_community("Garden", read=read)
        for node in nodes[1:]:
            await join(nodes[0], node)
        await until_all_equal(*nodes)
        yield nodes


async def join(founder: RunningNode, node: RunningNode) -> None:
    """Let a node into the founder's one community."""
    invite = await founder.community().invite()
    joined = await node.join(invite.link)
    await until(node, lambda: joined.view().state == "active" and joined.has_my_name())


def damage_chunks(node: RunningNode) -> None:
    """Let all chunks on a node's disk be other bytes."""
    vars(node.store)["_connection"].execute("UPDATE chunk_bytes SET sealed = x'00'")


async def until_any(look: Callable[[], bool], *nodes: RunningNode) -> None:
    """Return when `look` is true; it is asked again after each change that one of them tells."""
    tell, told = trio.open_memory_channel[None](0)

    async def follow(
        node: RunningNode, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        async with node.events() as events:
            task_status.started()
            async for _ in events:
                await tell.send(None)

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            for node in nodes:
                await nursery.start(follow, node)
            while not look():
                await told.receive()
            nursery.cancel_scope.cancel()


async def until_all_equal(*nodes: RunningNode) -> None:
    """Return when everybody sees the same."""
    await until_any(lambda: len({node.community().digest() for node in nodes}) == 1, *nodes)


def here(node: RunningNode, file: str) -> bool:
    """Return whether a file is whole on a node's disk."""
    return any(view.file == file and view.state == "here" for view in node.blobs().all())


def held(node: RunningNode) -> int:
    """How many chunks a node has of its one community."""
    return len(node.store.chunks.every(node.community().id))


async def shared(node: RunningNode, path: Path, *others: RunningNode) -> BlobView:
    """Share a file; return when the others know of it."""
    view = await node.blobs().add(path, quiet)
    await until_all_equal(node, *others)
    return view


async def fetched(node: RunningNode, name: str, target: Path, wait_s: float = WAIT_S) -> int:
    _, peers = await node.blobs().get(name, target, quiet, wait_s=wait_s)
    return peers


def giving_only(node: RunningNode, count: int) -> list[bytes]:
    """Let a node give so many chunks and say of the others that they are not here."""
    given: list[bytes] = []
    read = node.chunks.read

    def some(community: bytes, chunk: bytes) -> bytes | None:
        if len(given) >= count:
            return None
        given.append(chunk)
        return read(community, chunk)

    vars(node.chunks)["read"] = some
    return given
