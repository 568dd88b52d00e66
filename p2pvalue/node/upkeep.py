"""Verification and rebuild of a running node: long work in short steps.

Each step blocks the node for some milliseconds, then everybody else has a turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from p2pvalue import types as t
from p2pvalue_protocol.inputs import Wakeup

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

Progress = Callable[[int, int], None]


async def rebuild(node: RunningNode, progress: Progress) -> list[t.CheckView]:
    """Fold everything anew from the operations; one check per community, ok if nothing changed.

    A crash in between does no harm: what is not folded is folded at the next start.
    """
    checks: list[t.CheckView] = []
    communities = node.machine.communities()
    for done, community in enumerate(communities):
        progress(done, len(communities))
        before = node.store.state_digest(community)
        node.store.clear_views(community)
        node.documents.forget(community)
        node.boards.forget(community)
        node.perform(node.machine.reload(community))
        while node.machine.replica(community).has_work:
            node.handle(Wakeup())
            await trio.lowlevel.checkpoint()
        is_same = node.store.state_digest(community) == before
        checks.append(
            t.CheckView(
                check=f"views of {node.community(community.hex()).name}",
                is_ok=is_same,
                detail="made anew, as they were"
                if is_same
                else "made anew, and they differ from before: that is a bug, please report it",
            )
        )
        if node.dialer is not None:
            node.dialer.look_again()
    progress(len(communities), len(communities))
    return checks


async def verify(node: RunningNode, progress: Progress) -> list[t.CheckView]:
    """Compute every hash and signature again; blocks the node for the time it takes."""
    await trio.lowlevel.checkpoint()
    report = node.store.verify(deep=True, progress=progress)
    checks = [
        t.CheckView(
            check="operations",
            is_ok=not report.faults,
            detail=f"{report.operations:,} read, {report.unsigned} not signed yet",
        )
    ]
    checks += [
        t.CheckView(check=fault.place, is_ok=False, detail=fault.finding)
        for fault in report.faults[:100]
    ]
    return [*checks, await _verify_files(node)]


async def _verify_files(node: RunningNode) -> t.CheckView:
    """Read every chunk of shared files; a damaged one is removed, and fetched again."""
    count = damaged = 0
    for community in node.store.communities():
        for kept in node.store.chunks.every(community):
            count += 1
            damaged += node.chunks.read(community, kept.chunk) is None
            await trio.lowlevel.checkpoint()
    detail = f"{count:,} pieces of shared files read"
    if damaged:
        detail += f", {damaged:,} were damaged and removed: check the disk; get the files again"
    return t.CheckView(check="files", is_ok=not damaged, detail=detail)
