"""How fast a shared file comes from another node on this machine, and what it costs both.

    python -m tests.bench.blobs [MEBIBYTES]

Two daemons on loopback, durability "power-cut"; CPU time and the most memory of each.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.system.person import Owner, gathered, people, until_equal

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(owner: Owner) -> float:
    """CPU time of a daemon so far."""
    assert owner.process is not None
    fields = Path(f"/proc/{owner.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(owner: Owner, field: str) -> float:
    """`VmRSS`, memory now, or `VmHWM`, the most so far."""
    assert owner.process is not None
    status = Path(f"/proc/{owner.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1_000


def measure(root: Path, size: int) -> None:
    """Share a file, fetch it, and print what that took."""
    source = root / "file.bin"
    source.write_bytes(os.urandom(size))
    with people(root, "Ana", "Ben") as (ana, ben):
        gathered(ana, ben)
        until_equal(ana, ben)
        before = [memory_mb(owner, "VmRSS") for owner in (ana, ben)]
        begun_s, cpu = time.perf_counter(), cpu_s(ana)
        list(ana.lines("/blobs", source=str(source)))
        took_s = time.perf_counter() - begun_s
        print(f"shared   {size / took_s / 1e6:6.1f} MB/s, CPU {cpu_s(ana) - cpu:.2f} s")
        until_equal(ana, ben)
        begun_s, spent = time.perf_counter(), [cpu_s(owner) for owner in (ana, ben)]
        target = root / "copy.bin"
        *_, done = ben.lines("/blobs/file.bin/get", target=str(target))
        took_s = time.perf_counter() - begun_s
        assert target.read_bytes() == source.read_bytes()
        print(f"fetched  {size / took_s / 1e6:6.1f} MB/s in {took_s:.2f} s, peers {done['peers']}")
        for owner, cpu, rss in zip((ana, ben), spent, before, strict=True):
            most = memory_mb(owner, "VmHWM")
            print(
                f"{owner.name:8} CPU {cpu_s(owner) - cpu:.2f} s, "
                f"memory {rss:.0f} MB before, {most:.0f} MB at most"
            )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), int(sys.argv[1] if len(sys.argv) > 1 else 64) * 1024 * 1024)
