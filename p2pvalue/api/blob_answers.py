"""The endpoints about the files that members share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from p2pvalue import types as t
from p2pvalue.api.blob_schema import AddBlob, GetBlob, OfBlob, Shared
from p2pvalue.api.lines import SendLine
from p2pvalue.api.schema import InCommunity
from p2pvalue.api.streams import absolute, with_progress
from p2pvalue.node.interface import NodeInterface


async def list_blobs(node: NodeInterface, question: InCommunity) -> list[t.BlobView]:
    """The files that members share."""
    return node.blobs(question.community).all()


async def remove_blob(node: NodeInterface, question: OfBlob) -> t.BlobView:
    """Take back a file that we share."""
    return await node.blobs(question.community).remove(question.blob)


async def add_blob(
    node: NodeInterface, question: AddBlob, send_line: SendLine, _: AsyncIterator[bytes]
) -> None:
    """Share a file of up to 64 MiB."""
    path = absolute(question.source, "source")
    blobs = node.blobs(question.community)

    async def work(progress: Callable[[int, int], None]) -> Shared:
        return Shared(blob=await blobs.add(path, progress, name=question.file))

    await with_progress(work, send_line)


async def get_blob(
    node: NodeInterface, question: GetBlob, send_line: SendLine, _: AsyncIterator[bytes]
) -> None:
    """Write a file to a new one here, fetching what is missing of it."""
    target: Path = absolute(question.target, "target")
    blobs = node.blobs(question.community)

    async def work(progress: Callable[[int, int], None]) -> Shared:
        view, peers = await blobs.get(question.blob, target, progress, wait_s=question.wait_s)
        return Shared(blob=view, peers=peers)

    await with_progress(work, send_line)
