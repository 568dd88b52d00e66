"""Writers that wait at the same time share one flush of the disk.

The first of them yields once to let the others queue up, then writes for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from p2pvalue_protocol import effects as e
from p2pvalue_protocol.errors import LocalProtocolError, P2PValueError
from p2pvalue_protocol.inputs import Draft, Input, Write
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.operation import KIND_AUTH_MAX


class _Waiting:
    """One writer's drafts and, later, what became of them."""

    def __init__(self, community: bytes, drafts: tuple[Draft, ...]) -> None:
        self.community = community
        self.drafts = drafts
        self.orders: Sequence[Order] = ()
        self.error: P2PValueError | None = None
        self.done: trio.Event | None = None  # for who waits while another writes for both


class Writers:
    """Who waits to write; `handle` takes an input, performs its effects and returns them."""

    def __init__(self, handle: Callable[[Input], list[e.Effect]]) -> None:
        self._handle = handle
        self._queue: list[_Waiting] = []
        self._is_leading = False

    async def write(self, community: bytes, drafts: Sequence[Draft]) -> Sequence[Order]:
        """Write drafts in this order; return where they stand once they are durable and visible."""
        waiting = _Waiting(community, tuple(drafts))
        self._queue.append(waiting)
        if self._is_leading:
            waiting.done = trio.Event()
            with trio.CancelScope(shield=True):  # it will be written: the caller must know
                await waiting.done.wait()
        else:
            self._is_leading = True
            await trio.lowlevel.cancel_shielded_checkpoint()
            self._is_leading = False
            queue, self._queue = self._queue, []
            self._write_all(queue)
        if waiting.error is not None:
            raise waiting.error
        return waiting.orders

    def _write_all(self, queue: list[_Waiting]) -> None:
        by_community: dict[tuple[bytes, bool], list[_Waiting]] = {}
        for waiting in queue:
            is_auth = bool(waiting.drafts) and waiting.drafts[0].kind <= KIND_AUTH_MAX
            by_community.setdefault((waiting.community, is_auth), []).append(waiting)
        for group in by_community.values():
            try:
                self._write_group(group)
            except LocalProtocolError as error:
                if len(group) == 1:
                    group[0].error = error
                    continue
                for waiting in group:  # one of them is wrong: find out which
                    try:
                        self._write_group([waiting])
                    except P2PValueError as alone:
                        waiting.error = alone
            except P2PValueError as error:
                for waiting in group:
                    waiting.error = error
        for waiting in queue:
            if waiting.done is not None:
                waiting.done.set()

    def _write_group(self, group: list[_Waiting]) -> None:
        drafts = tuple(draft for waiting in group for draft in waiting.drafts)
        effects = self._handle(Write(group[0].community, drafts))
        orders = next(f.orders for f in effects if isinstance(f, e.Wrote))
        start = 0
        for waiting in group:
            end = start + len(waiting.drafts)
            waiting.orders = orders[start:end]
            start = end
