"""A real daemon process around a node of straw: `python -m tests.api.fake_daemon FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from p2pvalue import config, daemon
from p2pvalue.keystore import FILE_NAME, Keystore
from p2pvalue_protocol.errors import P2PValueError
from tests.api.fake_node import open_fake_node

if __name__ == "__main__":
    daemon.log_to_stderr("info")
    folder = Path(sys.argv[1])
    if not (folder / FILE_NAME).exists():
        Keystore.create(folder, "Ana")
    try:
        trio.run(daemon.run, config.load(folder), open_fake_node)
    except P2PValueError as error:
        sys.exit(str(error))
