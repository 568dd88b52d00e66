"""How long a test waits before it gives up."""

from __future__ import annotations

WAIT_S = 180.0
"""Ends a test that hangs, and shows nothing else: what is waited for takes a second or a few on an
idle machine, and a loaded one may be fifty times slower."""
