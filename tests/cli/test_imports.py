"""A call feels instant because it loads little."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.conftest import Person

HEAVY = (
    "trio",
    "libp2p",
    "pycrdt",
    "httpx",
    "starlette",
    "msgspec",
    "cryptography",
    "nacl",
    "apsw",
    "anyio",
    "asyncio",
    "p2pvalue.node",
    "p2pvalue.api",
    "p2pvalue.store",
    "p2pvalue.network",
)
MODULES_MAX = 260
PROGRAM = """
import sys
from p2pvalue_cli.main import cli
cli(sys.argv[1:], standalone_mode=False)
print("\\n".join(sys.modules), file=sys.stderr)
"""


def loaded(person: Person, *words: str) -> list[str]:
    """The modules in memory after a command."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        capture_output=True,
        env={**os.environ, "P2PVALUE_DATA_DIR": str(person.folder)},
        text=True,
        check=True,
    )
    return ended.stderr.splitlines()


@pytest.mark.parametrize(
    "words",
    [
        ("chat", "post", "hello", "--channel", "imports"),
        ("chat", "list"),
        ("document", "list"),
        ("need", "list"),
        ("pledge", "list"),
        ("contribution", "list"),
        ("thanks", "list"),
        ("notify", "list"),
        ("status",),
        ("community", "members"),
        ("version",),
    ],
)
def test_a_call_to_a_running_daemon_loads_nothing_heavy(
    settled: Person, words: tuple[str, ...]
) -> None:
    modules = loaded(settled, *words)
    heavy = [m for m in modules if m in HEAVY or m.startswith(tuple(f"{h}." for h in HEAVY))]
    assert heavy == []
    assert 50 < len(modules) <= MODULES_MAX


def test_help_loads_no_command(settled: Person) -> None:
    modules = loaded(settled, "--help")
    assert [m for m in modules if m.startswith("p2pvalue_cli.commands")] == []
