"""How long tests wait."""

from __future__ import annotations

WAIT_S = 180.0
"""Ends a test that hangs, and shows nothing else: what is waited for takes a second or a few on an
idle machine, and a loaded one may be fifty times slower."""

LONGEST_FIRST = ("tests/garden/", "tests/demo/", "tests/system/", "tests/bench/", "tests/network/")
"""The folders whose tests wait most of their time: where several run at once, they begin first."""
