"""Runs the workloads on real processes and prints one JSON line for each repetition.

Every node is a process of its own (`agent.py`), told what to do by JSON lines; all talk over
loopback. W1 appends, W2 catches up, W3 is live, W5 heals a divergence, W7 starts again; what each
measures stands in docs/performance.md. CPU seconds are those of the whole process and hold on a
busy machine too; wall times are to be judged by `load`.

    python -m tests.bench.run                        all of them, W1 also beside bare SQLite
    python -m tests.bench.run W2,W3 --operations 1000 --repetitions 1
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
LIVE_OPERATIONS = 1_000
LIVE_EVERY_MS = 20
REPETITION_S_MAX = 900
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")

Figures = dict[str, Any]


class AgentProcess:
    """One node in a process of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.info: Figures = {}
        self._sent = 0
        self.spawned_ns = time.monotonic_ns()
        command = [sys.executable, "-m", "tests.bench.agent"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment
        )
        self.receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.kill()
        elif self._process.poll() is None:
            self("stop")
        with self._process:
            pass  # closes the pipes and waits

    def __call__(self, command: str, **arguments: Any) -> Figures:
        self.send(command, **arguments)
        return self.receive()

    def send(self, command: str, **arguments: Any) -> None:
        """Give a command; several agents can be at work before `receive` waits for one."""
        self._sent += 1
        line = json.dumps({"id": self._sent, "cmd": command, **arguments})
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def receive(self) -> Figures:
        """Return the answer to the command sent last."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(b"@@"):
                answer: Figures = json.loads(line[2:])
                if not answer["ok"]:
                    raise RuntimeError(answer["err"])
                if answer["id"] == self._sent:
                    return answer
        raise RuntimeError("the agent ended")

    def open(self, role: str, link: str = "") -> Self:
        self.folder.mkdir(exist_ok=True)
        self.info = self("open", dir=str(self.folder), role=role, tag=role, db=link)
        return self

    def cpu_s(self) -> float:
        """Return the CPU seconds spent so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def rss_mb(self) -> float:
        """Return the memory that is resident now, in 10^6 bytes."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)

    def disk_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


class Bench:
    """The workloads, for one size."""

    def __init__(self, folder: Path, operations: int, idle_s: float) -> None:
        self._folder = folder
        self._operations = operations
        self._idle_s = idle_s
        self._made = 0
        # Programs that are installed run from compiled files; so do these, whatever is set here.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self._environment = {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}

    def _agent(self, folder: Path | None = None) -> AgentProcess:
        self._made += 1
        return AgentProcess(folder or self._folder / f"node-{self._made}", self._environment)

    def warm_up(self) -> None:
        """Start and stop two nodes that meet, so that everything is compiled once."""
        with self._agent() as a, self._agent() as b:
            a.open("A")("append", n=10, tag="warm")
            b.open("B", a.info["db"])("connect", addr=a.info["addr"])
            b("waitread", n=10)

    def append(self, show: Callable[..., None]) -> None:
        """W1 by itself."""
        with self._agent() as a:
            self._append(a.open("A"), show)

    def _append(self, a: AgentProcess, show: Callable[..., None]) -> None:
        disk_bytes, cpu_s = a.disk_bytes(), a.cpu_s()
        done = a("append", n=self._operations, tag="w1")
        show(
            "W1",
            n=self._operations,
            ops_s=round(self._operations / done["secs"], 1),
            **_milliseconds(done),
            cpu_us_per_op=round((a.cpu_s() - cpu_s) / self._operations * 1e6, 1),
            disk_per_op=round((a.disk_bytes() - disk_bytes) / self._operations),
            rss_mb=a.rss_mb(),
        )

    def pair(self, wanted: set[str], show: Callable[..., None]) -> None:
        """W1, W2, W3 and W7 on one pair: A appends, B joins and reads, both go on, A restarts."""
        with ExitStack() as running:
            a = running.enter_context(self._agent()).open("A")
            self._append(a, show)
            expected = a("read")
            b = running.enter_context(self._agent()).open("B", a.info["db"])
            time.sleep(0.5)
            cpu_a_s, cpu_b_s, start_ns = a.cpu_s(), b.cpu_s(), time.monotonic_ns()
            b("connect", addr=a.info["addr"])
            read = b("waitread", n=self._operations)
            show(
                "W2",
                n=self._operations,
                secs=_since(start_ns, read["t"]),
                secs_arrived=_since(start_ns, read["twait"]),
                same=read["hash"] == expected["hash"],
                cpu_a_s=round(a.cpu_s() - cpu_a_s, 2),
                cpu_b_s=round(b.cpu_s() - cpu_b_s, 2),
                rss_b_mb=b.rss_mb(),
            )
            if "W3" in wanted:
                self._live(a, b, show)
            folders = (a.folder, b.folder)
        if "W7" in wanted:
            self._restart(*folders, show)

    def _live(self, a: AgentProcess, b: AgentProcess, show: Callable[..., None]) -> None:
        b("livestats")
        cpu_a_s, cpu_b_s = a.cpu_s(), b.cpu_s()
        a("live", n=LIVE_OPERATIONS, every=LIVE_EVERY_MS)
        time.sleep(3)
        heard = b("livestats")
        show(
            "W3",
            sent=LIVE_OPERATIONS,
            got=heard["n"],
            **_milliseconds(heard),
            cpu_a_ms_per_op=round((a.cpu_s() - cpu_a_s) / LIVE_OPERATIONS * 1e3, 2),
            cpu_b_ms_per_op=round((b.cpu_s() - cpu_b_s) / LIVE_OPERATIONS * 1e3, 2),
        )

    def _restart(self, folder_a: Path, folder_b: Path, show: Callable[..., None]) -> None:
        with self._agent(folder_a) as a, ExitStack() as running:
            a.open("A")
            first = a("last", k=20)
            figures = {"first_read_s": _since(a.spawned_ns, first["t"])}
            b = running.enter_context(self._agent(folder_b)).open("B")
            b("connect", addr=a.info["addr"])
            time.sleep(5)
            cpu_a_s, cpu_b_s = a.cpu_s(), b.cpu_s()
            time.sleep(self._idle_s)
            show(
                "W7",
                **figures,
                idle_cpu_a_percent=round((a.cpu_s() - cpu_a_s) / self._idle_s * 100, 2),
                idle_cpu_b_percent=round((b.cpu_s() - cpu_b_s) / self._idle_s * 100, 2),
                rss_a_mb=a.rss_mb(),
                rss_b_mb=b.rss_mb(),
            )

    def heal(self, show: Callable[..., None]) -> None:
        """W5: both write apart, then meet."""
        each = self._operations // 2
        with self._agent() as a, self._agent() as b:
            a.open("A")("append", n=1, tag="hello")
            b.open("B", a.info["db"])("connect", addr=a.info["addr"])
            b("wait", n=1)
            time.sleep(2)  # until B may write and both know it
        with self._agent(a.folder) as a, self._agent(b.folder) as b:
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
                secs=_since(start_ns, max(read_a["t"], read_b["t"])),
                same_set=read_a["hash"] == read_b["hash"],
                same_order=read_a["ordered"] == read_b["ordered"],
                cpu_a_s=round(a.cpu_s() - cpu_a_s, 2),
                cpu_b_s=round(b.cpu_s() - cpu_b_s, 2),
            )


def _since(start_ns: int, end_ns: int) -> float:
    return round((end_ns - start_ns) / 1e9, 4)


def _milliseconds(figures: Figures) -> Figures:
    return {f"{name}_ms": figures[name] for name in ("p50", "p99", "max")}


def _show(workload: str, **figures: Any) -> None:
    print(json.dumps({"w": workload, "load": os.getloadavg()[0], **figures}), flush=True)


def main() -> None:
    """Read the arguments, run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("workloads", nargs="?", default="W1,W2,W3,W5,W7")
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--idle-s", type=float, default=30.0)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))  # /tmp may be in memory
    asked = parser.parse_args()
    wanted = set(asked.workloads.split(","))
    if "W1" in wanted:
        pair = [sys.executable, "-m", "tests.bench.append", "--folder", str(asked.folder)]
        subprocess.run(pair, cwd=ROOT, check=True)
    with TemporaryDirectory(dir=asked.folder) as name:
        bench = Bench(Path(name), asked.operations, asked.idle_s)
        bench.warm_up()
        for _ in range(asked.repetitions):
            signal.alarm(REPETITION_S_MAX)  # an agent that hangs ends the run
            if wanted & {"W2", "W3", "W7"}:
                bench.pair(wanted, _show)
            elif "W1" in wanted:
                bench.append(_show)
            if "W5" in wanted:
                bench.heal(_show)


if __name__ == "__main__":
    main()
