"""Nodes as processes of their own, told what to do by JSON lines, and what Linux says of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
AGENT = "tests.bench.agent"
Figures = dict[str, Any]


class AgentProcess:
    """One node in a process of its own; `module` answers the commands."""

    def __init__(self, folder: Path, environment: dict[str, str], module: str = AGENT) -> None:
        self.folder = folder
        self.info: Figures = {}
        self._sent = 0
        self.spawned_ns = time.monotonic_ns()
        command = [sys.executable, "-m", module]
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

    def kill(self) -> None:
        """End the process at once, as a power cut of its own would."""
        self._process.kill()
        self._process.wait()

    def cpu_s(self) -> float:
        """Return the CPU seconds spent so far, by the clock that Linux keeps of each process."""
        return time.clock_gettime(~self._process.pid << 3 | 2)

    def rss_mb(self) -> float:
        """Return the memory that is resident now, in 10^6 bytes."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)

    def disk_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


class Agents:
    """Makes the processes of one run; each new one has a folder of its own."""

    def __init__(self, folder: Path, module: str = AGENT, **settings: str) -> None:
        self._folder = folder
        self._module = module
        self._made = 0
        # Programs that are installed run from compiled files; so do these, whatever is set here.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self._environment = {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled"), **settings}

    def new(self, folder: Path | None = None) -> AgentProcess:
        """Start a process on a folder of an earlier one, or on an empty one."""
        self._made += 1
        place = folder or self._folder / f"node-{self._made}"
        return AgentProcess(place, self._environment, self._module)

    def warm_up(self) -> None:
        """Start and stop two nodes that meet, so that everything is compiled once."""
        with self.new() as a, self.new() as b:
            a.open("A")("append", n=10, tag="warm")
            b.open("B", a.info["db"])("connect", addr=a.info["addr"])
            b("waitread", n=10)


def rest(seconds: float) -> None:
    """Let nodes come to rest: no event tells that nothing more is on its way."""
    time.sleep(seconds)


def since_s(start_ns: int, end_ns: int) -> float:
    """Return the seconds between two readings of the clock that all processes share."""
    return round((end_ns - start_ns) / 1e9, 4)


def milliseconds(figures: Figures) -> Figures:
    """Return the distribution in an agent's answer, with units in the names."""
    return {f"{name}_ms": figures[name] for name in ("p50", "p99", "max")}


def show(workload: str, **figures: Any) -> None:
    """Print one JSON line, with the load by which its wall times are to be judged."""
    print(json.dumps({"w": workload, "load": round(os.getloadavg()[0], 2), **figures}), flush=True)
