"""A device is a member's if certificates lead from it to her root, and it agrees."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import ADMIN, GUEST, MEMBER
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.members import Standing
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import NONCE, Author, membership_of, prekey_named
from tests.protocol.village import Village, frontier


def test_a_root_known_only_by_its_own_claim_is_not_known() -> None:
    village = Village()
    eve, added = village.newcomer("eve")
    assert not village.with_(added).knows_root(eve.root.public)
    assert village.with_(added).knows_root(village.bo.root.public)


def test_a_device_certified_by_a_device_of_the_member_is_hers() -> None:
    village = Village()
    phone = Author("bo-phone", root="bo")
    added = phone.add_device(village.genesis, certifier=village.bo)
    membership = village.with_(added)
    assert membership.standing(phone.device) == Standing(village.bo.root.public, MEMBER)
    assert phone.device in membership.devices()


def test_a_device_certified_by_a_device_of_somebody_else_is_nobodys() -> None:
    village = Village()
    phone = Author("bo-phone", root="bo")
    added = phone.add_device(village.genesis, certifier=village.ada)
    assert village.with_(added).standing(phone.device) is None


def test_devices_that_certify_each_other_are_nobodys() -> None:
    village = Village()
    one, two = Author("one", root="bo"), Author("two", root="bo")
    first = one.add_device(village.genesis, certifier=two)
    second = two.add_device(village.genesis, certifier=one)
    membership = village.with_(first, second)
    assert membership.standing(one.device) is None
    assert membership.standing(two.device) is None


def test_certificates_reach_no_deeper_than_the_limit() -> None:
    village = Village()
    certifier, standings = village.bo, []
    added: list[Operation] = []
    devices: list[Author] = []
    for depth in range(2, limits.CERTIFICATE_DEPTH_MAX + 2):
        device = Author(f"device {depth}", root="bo")
        devices.append(device)
        added.append(device.add_device(village.genesis, certifier=certifier))
        certifier = device
        standings.append(village.with_(*added).standing(device.device))
    assert None not in standings[:-1]
    assert standings[-1] is None
    removals = [village.bo.remove_device(device, *added) for device in devices[-2:]]
    membership = village.with_(*added, *removals)
    effective = [membership.removals_of_device(device.device) for device in devices[-2:]]
    assert effective == [[removals[0].op_id], []]


@pytest.mark.parametrize("cys_rank", [ADMIN, MEMBER, GUEST])
def test_a_device_of_two_members_speaks_for_the_stronger_then_the_smaller_root(
    cys_rank: int,
) -> None:
    village = Village()
    for_bo = Author("shared", root="bo").add_device(village.genesis)
    for_cy = Author("shared", root="cy").add_device(village.genesis)
    cy = Author("cy").root.public
    grant = village.ada.grant(cy, cys_rank, for_cy)
    expected = min((MEMBER, village.bo.root.public), (cys_rank, cy))
    for order in ((for_bo, for_cy), (for_cy, for_bo)):
        membership = village.with_(*order, grant)
        assert membership.standing(for_bo.core.device) == expected[::-1]
        assert membership.devices().count(for_bo.core.device) == 1


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("is_cys", [True, False])
def test_a_device_of_two_members_is_sealed_to_by_the_prekey_of_whom_it_speaks_for(
    number: int, is_cys: bool
) -> None:
    village = Village()
    for_bo, for_cy = (Author("shared", root=root) for root in ("bo", "cy"))
    for author, name in ((for_bo, "one"), (for_cy, "other")):
        author.prekey = prekey_named(f"{name} {number}")  # ids that fall both ways
    added = [author.add_device(village.genesis) for author in (for_bo, for_cy)]
    grant = village.ada.grant(for_cy.root.public, ADMIN if is_cys else GUEST, added[1])
    membership = village.with_(*added, grant)
    heads = frontier(membership, [village.admit.op_id, *(op.op_id for op in added), grant.op_id])
    [found] = [at for at in membership.devices_at(heads) if at.device == for_bo.device]
    assert found.root == (for_cy if is_cys else for_bo).root.public
    assert found.prekey == (for_cy if is_cys else for_bo).prekey


def test_a_device_that_certifies_itself_is_nobodys() -> None:
    village = Village()
    phone = Author("bo-phone", root="bo")
    added = phone.add_device(village.genesis, certifier=phone)
    assert village.with_(added).standing(phone.device) is None


@pytest.mark.parametrize("other", ["root", "device", "prekey"])
def test_a_certificate_for_another_root_device_or_prekey_adds_nothing(other: str) -> None:
    village = Village()
    phone, bo_2 = Author("bo-phone", root="bo"), Author("bo-2", root="cy")
    said = dict.fromkeys(("root", "device", "prekey"), phone) | {other: bo_2}
    message = auth.certificate_message(
        NONCE, said["root"].root.public, said["device"].device, said["prekey"].prekey
    )
    payload = auth.dev_add_payload(phone.root.public, phone.prekey, phone.root.sign(message))
    phone.community = village.community
    added = phone.write(auth.DEV_ADD, payload, [village.genesis])
    assert village.with_(added).standing(phone.device) is None


def test_a_device_with_a_prekey_that_hides_nothing_is_nobodys() -> None:
    village = Village()
    phone = Author("bo-phone", root="bo")
    message = auth.certificate_message(NONCE, phone.root.public, phone.device, bytes(32))
    certificate = phone.root.sign(message)
    payload = encode(auth.DevAddPayload(phone.root.public, bytes(32), certificate, b""))
    phone.community = village.community
    added = phone.write(auth.DEV_ADD, payload, [village.genesis])
    assert village.with_(added).standing(phone.device) is None


def test_a_device_is_added_only_where_its_log_begins() -> None:
    village = Village()
    eve = Author("eve", village.community)
    seen = eve.write(auth.AUTH_SEEN, b"", [village.genesis])
    added = eve.add_device(village.genesis)
    grant = village.ada.grant(eve.root.public, MEMBER, added)
    assert village.with_(seen, added, grant).standing(eve.device) is None


def test_a_device_added_before_genesis_arrived_counts_when_it_arrives() -> None:
    village = Village()
    early = Author("early", village.community)
    added = early.add_device()
    grant = village.ada.grant(early.root.public, GUEST, added)
    membership = membership_of(village.community, [added, *village.operations, grant])
    assert membership.standing(early.device) == Standing(early.root.public, GUEST)
    assert membership.members() == village.with_(added, grant).members()
