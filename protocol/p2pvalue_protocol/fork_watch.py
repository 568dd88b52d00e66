"""Telling everybody that a log was forked (spec: operation, "Logs and forks").

A device that writes two operations for one place was copied or lies. Whoever of rank member or
stronger holds both says so with a FORK, after a wait by rank so that one of them does and the
others need not. It keeps what was held of the device before its second branch appeared, so it takes
nothing back that anybody had seen here. After a restart that is what the first-held branches hold
by then: a few operations more, if the device went on with them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from p2pvalue_protocol.auth_payloads import MEMBER
from p2pvalue_protocol.branches import Branches
from p2pvalue_protocol.dues import set_back
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.removal import fork_draft
from p2pvalue_protocol.replica import Replica

_WAIT_MS_MAX = (5_000, 15_000, 30_000)  # by rank: founders speak first
_AGAIN_MS = 60_000  # after our own log was not ready to be written


def witnesses(branches: Branches, device: bytes) -> tuple[Reference, Reference]:
    """Return two held operations of a forked device for one place of a log.

    Those where its first two branches part, of the auth log if that is forked.
    """
    logs = (branches.of(device, log_class) for log_class in (AUTH, CONTENT))
    second = next(log[1] for log in logs if len(log) > 1)
    log_class, seq = second.row.log_class, second.row.first_seq
    return (
        Reference(device, log_class, seq, second.row.branch),
        Reference(device, log_class, seq, branches.beside(second)),
    )


class ForkWatch:
    """When our device says which logs are forked; moved by the virtual clock."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        """Wait `jitter` times the span that our rank has; it returns 0 to 1, another each time."""
        self._jitter = jitter
        self._due_ms: dict[tuple[bytes, bytes], int] = {}  # by community and device

    def review(self, replica: Replica, now_ms: int) -> None:
        """Note forks that nobody has told yet; costs nothing while no log is forked."""
        forked = replica.branches.forked_devices()
        for community, device in list(self._due_ms):
            if community == replica.community and device not in forked:  # a copy made anew
                del self._due_ms[community, device]
        for device in forked:
            name = (replica.community, device)
            wait_ms = _wait_ms_max(replica, device)
            if wait_ms is None:
                self._due_ms.pop(name, None)
            elif name not in self._due_ms:
                self._due_ms[name] = now_ms + int(self._jitter() * wait_ms)

    def set_back(self, by_ms: int) -> None:
        """Put nothing off, now that our clock was set back by so much."""
        set_back(self._due_ms, by_ms)

    def next_wakeup_ms(self) -> int | None:
        """Return when `tell` has something to do; None if nothing is due."""
        return min(self._due_ms.values(), default=None)

    def tell(self, replica: Replica, now_ms: int) -> None:
        """Write the FORKs that are due in one community."""
        self.review(replica, now_ms)
        due = [name for name, due_ms in self._due_ms.items() if due_ms <= now_ms]
        for community, device in sorted(due):
            if community != replica.community:
                continue
            self._due_ms[community, device] = now_ms + _AGAIN_MS
            proof = witnesses(replica.branches, device)
            draft = fork_draft(*proof, replica.branches.held_before_fork(device))
            with suppress(LocalProtocolError):  # our own log is forked or incomplete
                replica.write([draft], now_ms)
        self.review(replica, now_ms)


def _wait_ms_max(replica: Replica, device: bytes) -> int | None:
    """Return how long to wait at most before telling of a fork; None if it is not ours to tell."""
    own, membership = replica.device, replica.membership
    if own is None or own == device:
        return None
    if membership.is_gone(device) and not _decides(replica, own, device):
        return None
    standing = membership.standing(own)
    if standing is None or standing.rank > MEMBER or not membership.was_ever_admitted(device):
        return None
    told = (fork for fork in membership.forked_devices() if fork.device == device)
    if any(replica.auth_references[fork.by_op_id].device == own for fork in told):
        return None
    return _WAIT_MS_MAX[standing.rank]


def _decides(replica: Replica, own: bytes, device: bytes) -> bool:
    """Return whether others only warned of a device so far, and our FORK would put it out."""
    root = replica.membership.member_of(device)
    return root is not None and replica.membership.may_remove_device(own, root, device)
