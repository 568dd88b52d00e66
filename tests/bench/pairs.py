"""W1, W2, W3, W5 and W7: one node, or two that meet. docs/performance.md says what they are."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench.agent_process import AgentProcess, Agents, milliseconds, rest, show, since_s

LIVE_OPERATIONS = 1_000
LIVE_EVERY_MS = 20


class Pair:
    """The workloads on two nodes, with so many operations."""

    def __init__(self, agents: Agents, operations: int, idle_s: float) -> None:
        self._agents = agents
        self._operations = operations
        self._idle_s = idle_s

    def append(self) -> None:
        """W1 by itself."""
        with self._agents.new() as a:
            self._append(a.open("A"))

    def _append(self, a: AgentProcess) -> None:
        disk_bytes, cpu_s = a.disk_bytes(), a.cpu_s()
        done = a("append", n=self._operations, tag="w1")
        show(
            "W1",
            n=self._operations,
            ops_s=round(self._operations / done["secs"], 1),
            **milliseconds(done),
            cpu_us_per_op=round((a.cpu_s() - cpu_s) / self._operations * 1e6, 1),
            disk_per_op=round((a.disk_bytes() - disk_bytes) / self._operations),
            rss_mb=a.rss_mb(),
        )

    def meet(self, wanted: set[str]) -> None:
        """W1, W2, W3 and W7: A appends, B joins and reads, both go on, A restarts."""
        with ExitStack() as running:
            a = running.enter_context(self._agents.new()).open("A")
            self._append(a)
            expected = a("read")
            b = running.enter_context(self._agents.new()).open("B", a.info["db"])
            rest(0.5)
            cpu_a_s, cpu_b_s, start_ns = a.cpu_s(), b.cpu_s(), time.monotonic_ns()
            b("connect", addr=a.info["addr"])
            read = b("waitread", n=self._operations)
            show(
                "W2",
                n=self._operations,
                secs=since_s(start_ns, read["t"]),
                secs_arrived=since_s(start_ns, read["twait"]),
                same=read["hash"] == expected["hash"],
                cpu_a_s=round(a.cpu_s() - cpu_a_s, 2),
                cpu_b_s=round(b.cpu_s() - cpu_b_s, 2),
                rss_b_mb=b.rss_mb(),
            )
            if "W3" in wanted:
                self._live(a, b)
            folders = (a.folder, b.folder)
        if "W7" in wanted:
            self._restart(*folders)

    def _live(self, a: AgentProcess, b: AgentProcess) -> None:
        b("livestats")
        cpu_a_s, cpu_b_s = a.cpu_s(), b.cpu_s()
        a("live", n=LIVE_OPERATIONS, every=LIVE_EVERY_MS)
        rest(3)
        heard = b("livestats")
        show(
            "W3",
            sent=LIVE_OPERATIONS,
            got=heard["n"],
            **milliseconds(heard),
            cpu_a_ms_per_op=round((a.cpu_s() - cpu_a_s) / LIVE_OPERATIONS * 1e3, 2),
            cpu_b_ms_per_op=round((b.cpu_s() - cpu_b_s) / LIVE_OPERATIONS * 1e3, 2),
        )

    def _restart(self, folder_a: Path, folder_b: Path) -> None:
        with self._agents.new(folder_a) as a, ExitStack() as running:
            a.open("A")
            first = a("last", k=20)
            figures = {"first_read_s": since_s(a.spawned_ns, first["t"])}
            figures["first_read_cpu_s"] = round(a.cpu_s(), 3)
            b = running.enter_context(self._agents.new(folder_b)).open("B")
            b("connect", addr=a.info["addr"])
            rest(5)
            cpu_a_s, cpu_b_s = a.cpu_s(), b.cpu_s()
            time.sleep(self._idle_s)  # what is measured
            show(
                "W7",
                **figures,
                idle_cpu_a_percent=round((a.cpu_s() - cpu_a_s) / self._idle_s * 100, 3),
                idle_cpu_b_percent=round((b.cpu_s() - cpu_b_s) / self._idle_s * 100, 3),
                rss_a_mb=a.rss_mb(),
                rss_b_mb=b.rss_mb(),
            )

    def heal(self) -> None:
        """W5: both write apart, then meet."""
        each = self._operations // 2
        with self._agents.new() as a, self._agents.new() as b:
            a.open("A")("append", n=1, tag="hello")
            b.open("B", a.info["db"])("connect", addr=a.info["addr"])
            b("wait", n=1)
            rest(2)  # until B may write and both know it
        with self._agents.new(a.folder) as a, self._agents.new(b.folder) as b:
            a.open("A")("append", n=each, tag="a")
            b.open("B")("append", n=each, tag="b")
            cpu_a_s, cpu_b_s, start_ns = a.cpu_s(), b.cpu_s(), time.monotonic_ns()
            b("connect", addr=a.info["addr"])
            a.send("waitread", n=2 * each + 1)
            b.send("waitread", n=2 * each + 1)
            read_a, read_b = a.receive(), b.receive()
            show(
                "W5",
                each=each,
                secs=since_s(start_ns, max(read_a["t"], read_b["t"])),
                same_set=read_a["hash"] == read_b["hash"],
                same_order=read_a["ordered"] == read_b["ordered"],
                cpu_a_s=round(a.cpu_s() - cpu_a_s, 2),
                cpu_b_s=round(b.cpu_s() - cpu_b_s, 2),
            )
