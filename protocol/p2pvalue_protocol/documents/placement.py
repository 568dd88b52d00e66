"""Where an update stands in the logs of a document."""

from __future__ import annotations

from typing import NamedTuple


class Placement(NamedTuple):
    """An update operation: its id, its device, the branch of the log, its seq there.

    A branch is a number by which the caller calls one log of the device: its content log, or what a
    fork made of it. Other nodes may have other numbers.
    """

    op_id: bytes
    device: bytes
    branch: int
    seq: int
