"""Auth payloads say what their page allows, up to their bounds, and beyond them nothing."""

from __future__ import annotations

import msgspec
import pytest

from p2pvalue_protocol import act_reading, acts, limits
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.operation import Core, Operation

ROOT, DEVICE = SigningKey(bytes(32)), bytes([1]) * 32
NONCE = bytes([2]) * 32


def references(count: int) -> list[Reference]:
    return [Reference(DEVICE, CONTENT, seq, bytes(32)) for seq in range(count)]


def act_of(kind: int, payload: bytes) -> acts.Act:
    core = Core(
        version=1,
        community=bytes(32),
        device=DEVICE,
        seq=1,
        backlink=bytes([3]) * 32,
        kind=kind,
        subject=b"",
        parents=(),
        time=1,
        epoch=b"",
        payload_size=len(payload),
        payload_hash=ZERO32,
    )
    return act_reading.read_act(Operation(bytes(32), core, b"", b"", payload), NONCE)


def test_write_rules_name_each_kind_once_and_in_order() -> None:
    assert auth.is_ascending(((33, 0), (34, 1)))
    assert not auth.is_ascending(((34, 1), (33, 0)))
    assert not auth.is_ascending(((33, 0), (33, 0), (34, 1)))


def test_a_removal_keeps_no_more_than_800_heads() -> None:
    most, more = (
        encode([0, ROOT.public, 0, references(count)])
        for count in (limits.KEEPS_MAX, limits.KEEPS_MAX + 1)
    )
    assert isinstance(act_of(auth.REVOKE, most), acts.Remove)
    assert act_of(auth.REVOKE, more) is act_reading.NOTHING


def test_the_words_know_no_more_than_16_operations() -> None:
    for count in (limits.SEEN_MAX, limits.SEEN_MAX + 1):
        seen = tuple(bytes([number]) * 32 for number in range(count))
        message = auth.revocation_message(NONCE, ROOT.public, DEVICE, seen)
        payload = encode([ROOT.public, DEVICE, ROOT.sign(message), seen, []])
        is_read = isinstance(act_of(auth.DEV_REVOKE, payload), acts.RemoveDevice)
        assert is_read == (count <= limits.SEEN_MAX)


FIRST = Reference(DEVICE, AUTH, 4, bytes([1]) * 32)
SECOND = Reference(DEVICE, AUTH, 4, bytes([2]) * 32)


@pytest.mark.parametrize(
    ("first", "second", "is_fork"),
    [
        (FIRST, SECOND, True),
        (SECOND, FIRST, False),
        (FIRST, FIRST, False),
        (FIRST, Reference(DEVICE, AUTH, 5, SECOND.op_id), False),
        (FIRST, Reference(DEVICE, CONTENT, 4, SECOND.op_id), False),
        (FIRST, Reference(ROOT.public, AUTH, 4, SECOND.op_id), False),
    ],
    ids=["fork", "descending", "one", "two seqs", "two classes", "two devices"],
)
def test_a_fork_is_two_operations_at_one_place_ascending(
    first: Reference, second: Reference, is_fork: bool
) -> None:
    act = act_of(auth.FORK, encode([[first, second], []]))
    assert isinstance(act, acts.ProveFork) == is_fork


def test_a_withdrawn_invite_keeps_nothing() -> None:
    kept = references(1)
    assert isinstance(act_of(auth.REVOKE, encode([1, DEVICE, 0, []])), acts.WithdrawInvite)
    for other in ([1, DEVICE, 0, kept], [1, DEVICE, 2, []], [0, DEVICE, 1, []]):
        assert act_of(auth.REVOKE, encode(other)) is act_reading.NOTHING


def test_a_policy_names_its_kinds_ascending_or_says_nothing() -> None:
    write = ((32, 1), (35, 2))
    assert act_of(auth.POLICY, auth.policy_payload(0, 2, write)) != act_reading.NOTHING
    known = auth.read_payload(auth.PolicyPayload, auth.policy_payload(0, 2, write))
    assert known is not None
    unsorted = msgspec.structs.replace(known, write=tuple(reversed(known.write)))
    for payload in (encode(unsorted), b"no payload"):
        assert act_of(auth.POLICY, payload) == act_reading.NOTHING


def test_a_removal_by_a_device_says_nothing_of_what_its_root_knew() -> None:
    removal = auth.DevRevokePayload(ROOT.public, DEVICE, b"", (), ())
    assert isinstance(act_of(auth.DEV_REVOKE, encode(removal)), acts.RemoveDevice)
    knowing = msgspec.structs.replace(removal, seen=(bytes(32),))
    assert act_of(auth.DEV_REVOKE, encode(knowing)) == act_reading.NOTHING


@pytest.mark.parametrize("kind", sorted(auth.AUTH_KINDS - {auth.GENESIS, auth.AUTH_SEEN}))
def test_what_cannot_be_read_says_nothing(kind: int) -> None:
    assert act_of(kind, b"no payload") == act_reading.NOTHING


def test_who_names_too_many_heads_is_told_to_name_fewer() -> None:
    with pytest.raises(LocalProtocolError, match="over 64 KiB: name fewer heads to keep"):
        auth.revoke_payload(ROOT.public, acts.OUT, tuple(references(2 * limits.KEEPS_MAX)))
