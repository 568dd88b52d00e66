"""A disk that is found damaged by who only looks: what a person would see is told to her.

The core reads little of what is shown. So damage there is found by whoever looks, and not by the
machine; its owner does then what she does when the machine itself finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from p2pvalue.sim.member import Actor
from p2pvalue.sim.shell import Shell
from p2pvalue.store import StoreFailed

_Answer = TypeVar("_Answer")


def ask(shell: Shell, actor: Actor, question: Callable[[Actor], _Answer]) -> _Answer | None:
    """Return what a machine's disk answers; None if it is damaged: then it is replaced."""
    try:
        return question(actor)
    except StoreFailed:
        shell.lose(actor)
        return None
