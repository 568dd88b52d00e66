"""What the disk does not take at once, and is tried until it does."""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from p2pvalue.store import StoreFailed

log = logging.getLogger(__name__)
DUE_AGAIN_S = 1.0  # after the disk took nothing
ADDRESSES_AGAIN_S = 10.0  # the same: each try in vain ends the sessions, so not as often


async def until_due_taken(act: Callable[[], object]) -> None:
    """Do what is due, and try until the disk takes it."""
    await _until_taken("what is due is not done yet", act, DUE_AGAIN_S)


async def until_addresses_taken(act: Callable[[], object]) -> None:
    """Say where we are, and try until the disk takes it."""
    await _until_taken("where we are now is not said yet", act, ADDRESSES_AGAIN_S)


async def _until_taken(what: str, act: Callable[[], object], again_s: float) -> None:
    """Act at once; if the disk fails say so once, not each time."""
    is_told = False
    while True:
        try:
            act()
        except StoreFailed as failure:
            if not is_told:
                log.error("%s, which is tried again: %s", what, failure)
            is_told = True
            await trio.sleep(again_s)
        else:
            return
