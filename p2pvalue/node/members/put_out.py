"""Telling who may write no more because she was put out of a community by whom that was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from p2pvalue.node.people import Holder, Names
from p2pvalue_protocol.errors import NotAdmitted
from p2pvalue_protocol.membership import Membership


class Ours(Holder, Protocol):
    """What knows who we are, and who is a member."""

    def membership(self, community: bytes) -> Membership: ...

    def root(self, community: bytes) -> bytes: ...


@contextmanager
def saying_who_put_us_out(ours: Ours, community: bytes) -> Iterator[None]:
    """Let NotAdmitted say who put our member out, if somebody did; else it stays as it is."""
    try:
        yield
    except NotAdmitted as error:
        words = _words(ours, community)
        if not words:
            raise
        raise NotAdmitted(words) from error


def _words(ours: Ours, community: bytes) -> str:
    root = ours.root(community)
    for former in ours.membership(community).former_members():
        if former.root == root and not former.is_leave:
            by = former.removed_by
            who = "votes" if by is None else Names(ours, community).of(by)
            return (
                f"you were put out of the community by {who}: what is here can still be read, and "
                "an admin there lets you in again with `p2pvalue member readmit`"
            )
    return ""
