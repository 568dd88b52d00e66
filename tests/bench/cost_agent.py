"""A bench agent that says what one operation more costs the community that it holds.

CPU time is the process's own, so a busy machine hardly changes it; the flushes of the disk are in
it as far as the kernel works for us.
"""

from __future__ import annotations

import random
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.kind import Order
from tests.bench.agent import Agent, main
from tests.bench.catch_up import folded_of
from tests.bench.history import names_in


class CostAgent(Agent):
    """One node on a folder that `history` filled."""

    async def cost_up(self, m: dict[str, Any]) -> dict[str, Any]:
        """Wait until the network is up, and what is loaded is set aside."""
        await self.is_settled.wait()
        return {}

    async def cost_post(self, m: dict[str, Any]) -> dict[str, Any]:
        async def post(number: int) -> None:
            await self.community.post(self._filler.pad(f"cost|{number}|", 200))

        return await timed(m["n"], post)

    async def cost_page(self, m: dict[str, Any]) -> dict[str, Any]:
        """Open the newest page of the chat."""

        async def page(number: int) -> None:
            assert len(self.community.messages(limit=50)) == 50

        return await timed(m["n"], page)

    async def cost_past(self, m: dict[str, Any]) -> dict[str, Any]:
        """Open pages of the chat anywhere in its past."""
        newest = int(self.node.copy_of(self.community.id).newest_time_ms)
        draw = random.Random(m["n"])

        async def page(number: int) -> None:
            at = Order(newest - draw.randrange(m["operations"]), b"", 0, b"")
            cursor = urlsafe_b64encode(encode(at)).decode()
            self.community.messages(limit=50, before=cursor)

        return await timed(m["n"], page)

    async def cost_edit(self, m: dict[str, Any]) -> dict[str, Any]:
        """Edit a document of a page or so, made now."""
        text = self._filler.pad("", 2_000)
        made = await self.community.create_document("One page", text)
        return await self._edits(made.document, m["n"])

    async def cost_long(self, m: dict[str, Any]) -> dict[str, Any]:
        """Edit a document that has up to 2,000 edits behind it."""
        document = names_in(self.node.data_dir)["document"]
        await self.community.document_text(document)  # opened before it is edited
        return await self._edits(document, m["n"])

    async def _edits(self, document: str, count: int) -> dict[str, Any]:
        async def edit(number: int) -> None:
            await self.community.splice_document(document, [(number, 0, "x")])

        return await timed(count, edit)

    async def cost_pledge(self, m: dict[str, Any]) -> dict[str, Any]:
        need = names_in(self.node.data_dir)["need"]

        async def pledge(number: int) -> None:
            await self.community.pledges.make(need, 1)

        return await timed(m["n"], pledge)

    async def cost_need(self, m: dict[str, Any]) -> dict[str, Any]:
        """Look at the need, which sums up all that is pledged to it."""
        need = names_in(self.node.data_dir)["need"]

        async def look(number: int) -> None:
            assert self.community.needs.named(need).lines[0].pledged > 0

        return await timed(m["n"], look)

    async def cost_folded(self, m: dict[str, Any]) -> dict[str, Any]:
        """Wait until what a device wrote is folded up to `seq`; return how far it is."""
        device = bytes.fromhex(m["device"]) if "device" in m else self._device()
        folded = -1
        while (folded := folded_of(self.node, self.community.id, device)) < m.get("seq", -1):
            await trio.sleep(0.01)  # not every operation makes an event: folding is looked at
        return {"device": device.hex(), "seq": folded, "t": time.monotonic_ns()}

    def _device(self) -> bytes:
        return bytes(self.node.device(self.community.id))


async def timed(count: int, work: Callable[[int], Awaitable[None]]) -> dict[str, Any]:
    """Return the wall and CPU time of each of so many repetitions, in microseconds."""
    start_s, cpu_start_s = time.perf_counter(), time.process_time()
    for number in range(count):
        await work(number)
    cpu_s = time.process_time() - cpu_start_s
    wall_s = time.perf_counter() - start_s
    return {"cpu_us": cpu_s / count * 1e6, "wall_us": wall_s / count * 1e6}


if __name__ == "__main__":
    trio.run(main, CostAgent)
