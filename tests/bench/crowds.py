"""W4, W6, W8 and W9: many nodes, long typing, many documents, and a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.agent_process import AgentProcess, Agents, milliseconds, rest, show, since_s

NODES = 8
FANNED_OUT = 500
KEYSTROKES = 20_000
DOCUMENTS = 1_000
DOCUMENT_CHARACTERS = 2_000
KILLED_AFTER = 500


def fan_out(agents: Agents) -> None:
    """W4: each of eight nodes calls A and the one before it; A writes 500 messages."""
    with ExitStack() as running:
        a = running.enter_context(agents.new()).open("A")
        a("append", n=1, tag="hello")
        nodes = [a]
        for _ in range(NODES - 1):
            node = running.enter_context(agents.new()).open("B", a.info["db"])
            node("connect", addr=a.info["addr"])
            if nodes[-1] is not a:
                node("connect", addr=nodes[-1].info["addr"])
            nodes.append(node)
        for node in nodes:
            node("wait", n=1)
        rest(3)
        cpu_s, start_ns = sum(node.cpu_s() for node in nodes), time.monotonic_ns()
        a.send("append", n=FANNED_OUT, tag="w4")
        for node in nodes[1:]:
            node.send("wait", n=FANNED_OUT + 1, timeout=120)
        written = a.receive()
        arrived = [node.receive() for node in nodes[1:]]
        expected = a("read")["ordered"]
        show(
            "W4",
            nodes=NODES,
            write_s=round(written["secs"], 4),
            secs=max(since_s(start_ns, answer["t"] or time.monotonic_ns()) for answer in arrived),
            got=[answer["n"] - 1 for answer in arrived],
            same=all(node("read")["ordered"] == expected for node in nodes[1:]),
            cpu_s=round(sum(node.cpu_s() for node in nodes) - cpu_s, 2),
            rss_mb=round(sum(node.rss_mb() for node in nodes)),
        )


def typing(agents: Agents, trace: Path, burst: int) -> None:
    """W6: 20,000 keystrokes of a recorded trace, `burst` in an awaited edit, seen by B."""
    with _joined(agents) as (a, b):
        document = a("textopen")["doc"]
        b("textopen", doc=document)
        cpu_a_s, cpu_b_s = a.cpu_s(), b.cpu_s()
        typed = a("textreplay", file=str(trace.resolve()), n=KEYSTROKES, burst=burst)
        seen = b("textwait", sha=typed["sha"], timeout=300)
        figures = {
            "cpu_a_s": round(a.cpu_s() - cpu_a_s, 2),
            "cpu_b_s": round(b.cpu_s() - cpu_b_s, 2),
            "rss_a_mb": a.rss_mb(),
            "rss_b_mb": b.rss_mb(),
        }
    show(
        "W6",
        keystrokes=typed["edits"],
        burst=burst,
        secs=round(typed["secs"], 2),
        **milliseconds(typed),
        lag_s=since_s(typed["t1"], seen["t"] or time.monotonic_ns()),
        same=seen["t"] is not None,
        disk_per_key=round(a.disk_bytes() / typed["edits"]),  # of all there is, once it is closed
        **figures,
    )


def documents(agents: Agents) -> None:
    """W8: 1,000 documents of 2,000 characters, until a newcomer has the text of each."""
    with agents.new() as a, agents.new() as b:
        a.open("A")
        cpu_a_s = a.cpu_s()
        created = a("docscreate", n=DOCUMENTS, size=DOCUMENT_CHARACTERS)
        created_cpu_s = round(a.cpu_s() - cpu_a_s, 2)
        b.open("B", a.info["db"])
        rest(0.5)
        cpu_b_s, start_ns = b.cpu_s(), time.monotonic_ns()
        b("connect", addr=a.info["addr"])
        got = b("docswait", ids=created["ids"], size=DOCUMENT_CHARACTERS)
        show(
            "W8",
            documents=DOCUMENTS,
            got=got["got"],
            create_s=round(created["secs"], 3),
            create_cpu_s=created_cpu_s,
            sync_s=since_s(start_ns, got["t"]),
            cpu_b_s=round(b.cpu_s() - cpu_b_s, 2),
            rss_a_mb=a.rss_mb(),
            rss_b_mb=b.rss_mb(),
        )


def killed(agents: Agents) -> None:
    """W9: the process is killed right after the last of 500 messages was acknowledged."""
    with agents.new() as a:
        a.open("A")("append", n=1, tag="first")
        a("live", n=KILLED_AFTER, every=1)
        a.kill()
    with agents.new(a.folder) as again:
        kept = again.open("A")("read")["n"] - 1
    show("W9", acknowledged=KILLED_AFTER, kept=kept)


@contextmanager
def _joined(agents: Agents) -> Iterator[tuple[AgentProcess, AgentProcess]]:
    """Two nodes of one community; B has what A wrote first."""
    with agents.new() as a, agents.new() as b:
        a.open("A")("append", n=1, tag="hello")
        b.open("B", a.info["db"])("connect", addr=a.info["addr"])
        b("wait", n=1)
        yield a, b
