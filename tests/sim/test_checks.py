"""Each check of the simulator notices by itself, whatever the others see."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import cast

import pytest

from p2pvalue.sim.checks import LOST, Checks
from p2pvalue.sim.ledger import Ledger
from p2pvalue.sim.member import Actor
from p2pvalue.sim.shell import Shell
from p2pvalue.sim.words import CANARY
from p2pvalue_protocol.ids import CONTENT, Reference

COMMUNITY, DEVICE = b"c" * 32, b"d" * 32
PROMISED = Reference(DEVICE, CONTENT, 0, b"o" * 32)


class Copy:
    """A copy of a community that holds nothing, and has not come to its end."""

    has_work = True

    def __init__(self) -> None:
        self.branches = SimpleNamespace(forked_devices=list)

    def held(self, _: Reference) -> bool:
        return False


def checks(ledger: Ledger, *, is_sealed: bool = True) -> Checks:
    shell = SimpleNamespace(
        is_sealed=is_sealed,
        community=COMMUNITY,
        machines={},
        replica=lambda _: Copy(),
        root_of=lambda _: b"r" * 32,
    )
    return Checks(cast("Shell", shell), ledger, Random(0))


def actor() -> Actor:
    device = SimpleNamespace(public=DEVICE)
    return cast("Actor", SimpleNamespace(number=0, device=device))


def promising() -> Ledger:
    ledger = Ledger()
    ledger.acknowledged[DEVICE] = [PROMISED]
    ledger.owners[DEVICE] = 1
    return ledger


@pytest.mark.parametrize(("is_sealed", "count"), [(True, 1), (False, 0)])
def test_a_text_in_a_frame_is_noticed_where_only_members_read(is_sealed: bool, count: int) -> None:
    ledger = Ledger()
    looking = checks(ledger, is_sealed=is_sealed)
    looking.look_at_frame(0, 1, b"any other frame")
    assert ledger.failures == []
    looking.look_at_frame(0, 1, b"\x07" + CANARY.encode() + b"\x00")
    assert len(ledger.failures) == count


def test_what_was_acknowledged_and_is_not_held_is_noticed_on_the_way() -> None:
    ledger = promising()
    checks(ledger)._look_at(actor(), is_deep=False)
    assert ledger.failures == [f"machine-00 {LOST}"]


def test_what_others_were_promised_and_somebody_lacks_is_noticed_in_the_end() -> None:
    ledger = promising()
    checks(ledger)._look_at_promises(actor(), [DEVICE])
    assert ledger.failures == ["machine-00 lacks 1 operations that machine-01 wrote"]


@pytest.mark.parametrize(("secrets", "count"), [([], 0), ([(b"e" * 32, b"s" * 32)], 1)])
def test_secrets_of_who_was_never_let_in_are_noticed(
    secrets: list[tuple[bytes, bytes]], count: int
) -> None:
    ledger, past = Ledger(), SimpleNamespace(epoch_secrets=lambda: secrets)
    reader = SimpleNamespace(number=0, store=SimpleNamespace(past=lambda _: past))
    checks(ledger)._look_at_reader(cast("Actor", reader))
    assert len(ledger.failures) == count
