"""The library is loaded late, in part, and without shutting anybody else out."""

from __future__ import annotations

import json
import subprocess
import sys


def in_fresh_process(code: str) -> object:
    """Return what a program prints as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_importing_the_room_imports_neither_the_library_nor_zeroconf() -> None:
    code = (
        "import json, sys, p2pvalue.network\n"
        "print(json.dumps([m for m in ('libp2p', 'zeroconf', 'google.protobuf', 'noise')"
        " if m in sys.modules]))"
    )
    assert in_fresh_process(code) == []


def test_loading_leaves_out_what_we_do_not_speak() -> None:
    code = (
        "import json, sys\n"
        "from p2pvalue.network.libp2p_load import load_libp2p\n"
        "load_libp2p()\n"
        "heavy = ('grpc', 'aioquic', 'libp2p.transport.quic.stream', 'requests', 'httpx',"
        " 'zeroconf', 'libp2p.host.basic_host',"
        " 'libp2p.network.swarm', 'libp2p.kad_dht', 'libp2p.transport.websocket')\n"
        "print(json.dumps([m for m in heavy if m in sys.modules]))"
    )
    assert in_fresh_process(code) == []


def test_another_program_still_gets_the_whole_library() -> None:
    code = (
        "from p2pvalue.network.libp2p_load import load_libp2p\n"
        "load_libp2p()\n"
        "from libp2p import new_host\n"
        "import libp2p.security, libp2p.transport, libp2p.network\n"
        "from libp2p.transport.quic.stream import QUICStream\n"
        "import json\n"
        "names = [new_host.__name__, libp2p.transport.TCP.__name__, len(dir(QUICStream)) > 40]\n"
        "print(json.dumps(names))"
    )
    assert in_fresh_process(code) == ["new_host", "TCP", True]


def test_another_version_is_refused() -> None:
    code = (
        "import importlib.metadata, json\n"
        "importlib.metadata.version = lambda name: '0.9.0'\n"
        "from p2pvalue.network.libp2p_load import LibraryUnusable, load_libp2p\n"
        "try:\n"
        "    load_libp2p()\n"
        "except LibraryUnusable as unusable:\n"
        "    print(json.dumps(str(unusable)))"
    )
    assert "works with 0.8.1 only" in str(in_fresh_process(code))
