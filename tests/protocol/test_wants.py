"""What one peer claims is asked for in frames that it can read, and costs a bounded memory."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.frames import Want
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.turns import Turns
from p2pvalue_protocol.wants import Wanting


class EmptyCopy:
    """A copy of a community in which nothing is held, and everything would be taken."""

    community = bytes(32)
    graph = ()
    device = None

    def __init__(self) -> None:
        self.branches = self.ladder = self.named = self

    def held(self, reference: Reference) -> bool:
        return False

    def takes_log(self, device: bytes, log_class: int) -> bool:
        return True

    def is_listed(self, device: bytes, log_class: int) -> bool:
        return True

    def of(self, device: bytes, log_class: int) -> list[object]:
        return []

    def missing(self) -> list[Reference]:
        return []


def wanting() -> Wanting:
    takes_all = (AUTH, CONTENT)
    return Wanting(EmptyCopy(), lambda: takes_all, lambda: True, Turns())  # type: ignore[arg-type]  # as far as it is asked


def heads(count: int) -> list[Reference]:
    return [Reference(number.to_bytes(32, "big"), AUTH, 0, bytes(32)) for number in range(count)]


def asked_in_vain(wants: Wanting) -> list[list[Want]]:
    """The frames of wants, each answered with nothing, until there are no more."""
    frames = []
    while frame := wants.next_wants(0):
        frames.append(frame)
        wants.delivered(len(frame), 0, ())
    return frames


def test_wants_go_in_frames_of_800() -> None:
    wants = wanting()
    wants.claim(heads(2 * limits.WANTS_PER_FRAME_MAX + 1))
    most = limits.WANTS_PER_FRAME_MAX
    assert [len(frame) for frame in asked_in_vain(wants)] == [most, most, 1]


def test_one_peers_claims_take_a_bounded_memory() -> None:
    wants = wanting()
    wants.claim(heads(limits.CLAIMS_MAX + 1))
    assert sum(map(len, asked_in_vain(wants))) == limits.CLAIMS_MAX


def test_the_auth_logs_that_one_peer_claims_are_remembered_within_a_bound() -> None:
    wants = wanting()
    for start in range(3):
        wants.claim(heads((start + 1) * limits.CLAIMS_MAX)[-limits.CLAIMS_MAX :])
        asked_in_vain(wants)
    assert len(wants._auth_claims) == limits.CLAIMS_MAX


def test_nobody_ends_more_wants_than_are_open() -> None:
    wants = wanting()
    wants.claim(heads(2))
    assert len(wants.next_wants(0)) == 2
    wants.check([], 2)
    with pytest.raises(Refused) as refused:
        wants.check([], 3)
    assert refused.value.reason is Reason.UNASKED


def test_what_came_to_nothing_is_believed_again_only_after_the_next_comparison() -> None:
    wants = wanting()
    wants.claim(heads(3))
    assert sum(map(len, asked_in_vain(wants))) == 3
    wants.claim(heads(4))
    assert sum(map(len, asked_in_vain(wants))) == 1
    wants.believe_again()
    wants.claim(heads(4))
    assert sum(map(len, asked_in_vain(wants))) == 4


def test_what_came_to_nothing_is_remembered_within_a_bound() -> None:
    wants = wanting()
    wants.claim(heads(limits.CLAIMS_MAX))
    asked_in_vain(wants)
    other = heads(limits.CLAIMS_MAX + 2)[-2:]
    wants.claim(other)
    assert sum(map(len, asked_in_vain(wants))) == 2
    assert len(wants._given_up) <= limits.CLAIMS_MAX


def test_what_came_to_nothing_is_remembered_as_long_as_there_is_room() -> None:
    wants = wanting()
    for count in range(20, 101, 20):
        wants.claim(heads(count)[-20:])
        assert sum(map(len, asked_in_vain(wants))) == 20
    wants.claim(heads(100))
    assert asked_in_vain(wants) == []


class StrangeCopy(EmptyCopy):
    """A copy that knows none of the authors."""

    def is_listed(self, device: bytes, log_class: int) -> bool:
        return False


def test_what_strangers_claimed_in_vain_is_remembered_within_a_bound() -> None:
    takes_all = (AUTH, CONTENT)
    wants = Wanting(StrangeCopy(), lambda: takes_all, lambda: True, Turns())  # type: ignore[arg-type]  # as above
    wants.claim(heads(limits.CLAIMS_MAX))
    asked_in_vain(wants)
    wants.claim(heads(limits.CLAIMS_MAX + 2)[-2:])
    asked_in_vain(wants)
    assert wants._strange == set(heads(limits.CLAIMS_MAX + 2)[-2:])


class NamingCopy(EmptyCopy):
    """A copy that names content of somebody whose log is not taken."""

    def takes_log(self, device: bytes, log_class: int) -> bool:
        return False

    def missing(self) -> list[Reference]:
        return [Reference(bytes(32), CONTENT, 0, bytes(32))]


def test_what_is_named_of_a_log_that_is_not_taken_is_not_asked_for() -> None:
    takes_all = (AUTH, CONTENT)
    wants = Wanting(NamingCopy(), lambda: takes_all, lambda: True, Turns())  # type: ignore[arg-type]  # as above
    assert wants.next_wants(0) == []
    wants.claim(heads(1))
    assert [len(frame) for frame in asked_in_vain(wants)] == [1]


def test_auth_logs_are_asked_for_first_and_each_once() -> None:
    wants = wanting()
    content = Reference(bytes(32), CONTENT, 0, bytes(32))
    wants.claim([content, *heads(2)])
    [frame] = asked_in_vain(wants)
    assert [want.log_class for want in frame] == [AUTH, AUTH, CONTENT]


def test_a_log_that_does_not_join_is_asked_for_from_further_back_twice_as_far_each_time() -> None:
    wants = wanting()
    head = Reference(bytes(32), AUTH, 100, bytes(32))
    other = Reference(b"o" * 32, AUTH, 100, bytes(32))
    wants.claim([head, other])
    wants._missing.update({head: 100, other: 90})  # as if so much were held of them
    asked = []
    while frame := wants.next_wants(0):
        asked += [want.from_seq for want in frame if want.device == head.device]
        assert [want.from_seq for want in frame if want.device == other.device] == [90]
        broken = [asked[-1], asked[-1] + 64]  # each later run of the same want does not join either
        wants.delivered(len(frame), 0, [(head.device, AUTH, seq) for seq in broken])
    assert asked == [100, 99, 97, 93, 85, 69, 37, 0]


def test_what_came_meanwhile_is_passed_over_and_the_rest_is_asked_for() -> None:
    claimed = heads(3)
    copy = EmptyCopy()
    takes_all = (AUTH, CONTENT)
    wants = Wanting(copy, lambda: takes_all, lambda: True, Turns())  # type: ignore[arg-type]  # as above
    wants.claim(claimed)
    copy.held = lambda reference: reference == claimed[0]  # type: ignore[method-assign]  # it came
    [frame] = asked_in_vain(wants)
    assert [want.device for want in frame] == [head.device for head in claimed[1:]]
