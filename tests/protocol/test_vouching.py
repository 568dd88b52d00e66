"""A signature vouches for what precedes it in its log; where one must stand, and what waits."""

from __future__ import annotations

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.vouching import vouched
from tests.protocol.authoring import key_named
from tests.protocol.replicas import Chain

COMMUNITY = b"c" * 32
LATEST_MS = 9_000_000_000_000


def content(count: int, *signed: int, size: int = 10) -> list[Operation]:
    """Operations 0 to count - 1 of one log, of which these are signed."""
    log = Chain(key_named("device"), COMMUNITY)
    for seq in range(count):
        log.add(b"u" * size, kind=document.UPDATE_NUMBER, is_signed=seq in signed)
    return log.operations


def reason_for(operations: list[Operation]) -> Reason:
    """Why these operations are not authentic."""
    with pytest.raises(Refused) as refusal:
        vouched(operations, LATEST_MS)
    return refusal.value.reason


def test_one_signature_at_the_end_vouches_for_all_before_it() -> None:
    operations = content(63, 62)
    assert vouched(operations, LATEST_MS) == operations


def test_a_run_ends_in_a_signature() -> None:
    assert reason_for(content(5, 3)) is Reason.SIGNATURE_INVALID
    assert reason_for(content(5)) is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("seq", [63, 127])
def test_a_signature_must_stand_at_every_sixty_fourth(seq: int) -> None:
    assert vouched(content(200, 63, 127, 191, 199), LATEST_MS)
    signed = {63, 127, 191, 199} - {seq}
    assert reason_for(content(200, *signed)) is Reason.SIGNATURE_INVALID


def test_a_signature_must_stand_in_every_65_kib() -> None:
    assert vouched(content(3, 2, size=20_000), LATEST_MS)
    assert vouched(content(8, 1, 3, 5, 7, size=30_000), LATEST_MS)
    assert reason_for(content(3, 2, size=22_200)) is Reason.SIGNATURE_INVALID
    assert vouched(content(1, 0, size=limits.PAYLOAD_BYTES_MAX), LATEST_MS)


@pytest.mark.parametrize("wrong", [0, 2, 4])
def test_every_signature_carried_is_checked(wrong: int) -> None:
    operations = content(5, 0, 2, 4)
    forged = operations[wrong].signature[:-1] + bytes([operations[wrong].signature[-1] ^ 1])
    operations[wrong] = msgspec.structs.replace(operations[wrong], signature=forged)
    assert reason_for(operations) is Reason.SIGNATURE_INVALID


def test_the_signature_of_another_key_vouches_for_nothing() -> None:
    log = Chain(key_named("device"), COMMUNITY)
    op = log.add(b"mine")
    other = Chain(key_named("other"), COMMUNITY).add(b"mine")
    assert reason_for([msgspec.structs.replace(op, signature=other.signature)])


def test_content_that_must_wait_cuts_a_run_behind_the_last_signature_before_it() -> None:
    log = Chain(key_named("device"), COMMUNITY)
    for seq in range(6):
        log.add(b"u", is_signed=seq in (1, 5), time=seq + LATEST_MS - 3)
    assert vouched(log.operations, LATEST_MS) == log.operations[:2]
    assert vouched(log.operations[2:], LATEST_MS) == []


def test_an_unknown_auth_kind_cuts_a_run_and_the_time_of_a_known_one_does_not() -> None:
    log = Chain(key_named("device"), COMMUNITY, AUTH)
    log.add(kind=auth.AUTH_SEEN, time=LATEST_MS * 2)
    log.add(kind=auth.AUTH_SEEN)
    log.add(kind=11)
    log.add(kind=auth.AUTH_SEEN)
    assert vouched(log.operations, LATEST_MS) == log.operations[:2]


def test_a_wrong_signature_before_the_cut_is_refused_all_the_same() -> None:
    log = Chain(key_named("device"), COMMUNITY)
    op = log.add(b"u")
    log.operations[0] = msgspec.structs.replace(op, signature=b"s" * 64)
    log.add(b"u", time=LATEST_MS)
    assert reason_for(log.operations) is Reason.SIGNATURE_INVALID
