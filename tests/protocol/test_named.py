"""What is taken of a log that nobody lists, and what arrives after the verdict that it changes."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.auth_payloads import AUTH_SEEN, MEMBER
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.named import is_certified, still_taken
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import Author, key_named, membership_of
from tests.protocol.replicas import Chain, run_of

NOBODY = Membership(bytes(32), AuthGraph())


def cut_off_log() -> list[Operation]:
    """Five operations of a log that is cut off, all but the second signed."""
    log = Chain(key_named("eve device"), bytes(32))
    for number in range(5):
        log.say(f"{number}", is_signed=number != 1)
    return log.operations


def beside(op: Operation) -> Reference:
    """Another operation at the same place."""
    return Reference(op.core.device, op.core.log_class, op.core.seq, b"o" * 32)


@pytest.mark.parametrize(("named", "taken"), [(0, 1), (1, 3), (2, 3), (4, 5)])
def test_of_a_log_that_is_cut_off_what_is_named_is_taken_up_to_a_signature(
    named: int, taken: int
) -> None:
    log = cut_off_log()
    assert still_taken(NOBODY, [log[named].reference], log) == log[:taken]


@pytest.mark.parametrize("place", range(5))
def test_what_stands_where_something_else_is_named_is_not_taken(place: int) -> None:
    log = cut_off_log()
    with pytest.raises(Refused) as refused:
        still_taken(NOBODY, [beside(log[place])], log)
    assert refused.value.reason is Reason.UNKNOWN_AUTHOR


def test_all_that_leads_to_what_is_named_further_on_is_taken() -> None:
    log = cut_off_log()
    assert still_taken(NOBODY, [log[4].reference], log[:3]) == log[:3]


@pytest.mark.parametrize("later", [0, 1, 2, 3])
def test_a_withdrawal_that_comes_late_puts_out_whom_it_did_not_know(later: int) -> None:
    ada, cy, bo = Author("ada"), Author("cy"), Author("bo")
    genesis = ada.found(cy)
    invite = ada.invite(MEMBER)
    withdrawal = cy.withdraw(genesis, invite)
    added = bo.add_device(genesis)
    others = [ada.write(AUTH_SEEN) for _ in range(later)]
    admit = ada.admit(bo, invite, added)
    membership = Membership(ada.community, AuthGraph())
    for op in (genesis, invite, added, *others, admit):
        membership.integrate(op)
    assert membership.is_live(bo.device)
    membership.integrate(withdrawal)
    assert not membership.is_live(bo.device)


def test_a_first_operation_is_certified_by_its_root_or_a_device_of_the_same_root() -> None:
    ada, bo = Author("ada"), Author("bo")
    genesis = ada.found(bo)
    membership = membership_of(ada.community, [genesis])
    for certifier, is_right in ((bo, True), (None, True), (ada, False)):
        phone = Author("phone", ada.community)
        phone.root = bo.root
        added = phone.add_device(genesis, certifier)
        more = [phone.write(AUTH_SEEN) for _ in range(2)]
        assert is_certified(membership, run_of([added])) == is_right
        assert is_certified(membership, run_of([added, *more])) == is_right
        assert not is_certified(membership, run_of(more))
