"""What is told, taken and counted of a device that is out."""

from __future__ import annotations

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import removal
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import NONCE, key_named, prekey_named
from tests.protocol.replicas import (
    Chain,
    Copy,
    auth_log,
    device_added,
    founded,
    frontier_of,
    genesis_of,
    joined,
    logs_listed,
    own_runs,
)

BEN = key_named("ben root").public
BENS = key_named("ben device").public
TOO = key_named("ben too device").public


def second_device(copy: Copy) -> Operation:
    """A device of ben that his first one certified."""
    prekey, first = prekey_named("ben too"), key_named("ben device")
    signature = first.sign(auth.certificate_message(NONCE, BEN, TOO, prekey))
    payload = auth.dev_add_payload(BEN, prekey, signature, first.public)
    log = Chain(key_named("ben too device"), copy.community, AUTH)
    return log.add(payload, kind=auth.DEV_ADD, parents=[genesis_of(copy).reference])


def made_admin(ana: Copy, name: str) -> Copy:
    """Somebody who was never less than an admin."""
    ana.store_first(device_added(ana.community, genesis_of(ana), name))
    granted = auth.grant_payload(key_named(f"{name} root").public, auth.ADMIN)
    ana.write(Draft(auth.GRANT, b"", granted))
    return Copy(ana.community, key_named(f"{name} device"), name=name)


def takes_the_second(kind: int) -> bytes:
    """What ben's first device says to take away his second."""
    if kind == auth.DEV_REVOKE:
        return auth.dev_revoke_payload(BEN, TOO)
    one, other = (Reference(TOO, CONTENT, 0, bytes([number]) * 32) for number in (1, 2))
    return auth.fork_payload(one, other)


@pytest.mark.parametrize("kind", [auth.FORK, auth.DEV_REVOKE])
def test_a_device_taken_by_one_that_is_out_itself_is_told_of(kind: int) -> None:
    """Ben was an admin: what his first device says of the second an equal's word does not undo."""
    ana = founded()
    ben, dan = (made_admin(ana, name) for name in ("ben", "dan"))
    cem = joined(ana, "cem")
    ana.store_first(second_device(ana))
    ana.write(Draft(auth.AUTH_SEEN, b"", b""))
    ana.give(ben, cem, dan)
    assert cem.replica.membership.is_live(TOO)
    log = auth_log(ben, "ben")
    heads = [tip for tip in frontier_of(ben) if tip.log_class == AUTH and tip.device != BENS]
    said = [log.add(takes_the_second(kind), kind=kind, parents=heads) for _ in range(4)]
    cem.take(log.run())
    ana.write(Draft(auth.REVOKE, b"", auth.revoke_payload(BEN, auth.MEMBER)))
    ana.give(dan)
    dan.write(Draft(auth.DEV_REVOKE, b"", auth.dev_revoke_payload(BEN, BENS)))
    ana.take(*own_runs(dan))
    cem.take(*own_runs(ana), *own_runs(dan))
    for copy in (ana, cem):
        assert not copy.replica.membership.is_live(BENS)
    assert not cem.replica.membership.is_live(TOO)
    assert (BENS, AUTH) not in logs_listed(cem)
    assert ana.replica.membership.is_live(TOO)
    cem.say("hello")
    ana.take(*own_runs(cem))
    named = [reference for reference in ana.replica.missing() if reference.device == BENS]
    assert named == [said[0].reference], "who is out cannot have more and more stored"
    for reference in ana.replica.missing():
        ana.take(*cem.replica.runs_wanted(reference, 0, 100_000)[0])
    assert not ana.replica.membership.is_live(TOO)
    assert ana.texts() == ["hello"]


def test_of_who_comes_in_and_is_out_at_once_the_beginning_is_taken_and_counted() -> None:
    ana = founded()
    written = auth_log(joined(ana, "ben"), "ben")
    ana.write(removal.removal_draft(ana.replica, BEN))
    written.add(kind=auth.AUTH_SEEN)
    reader = Copy(ana.community)
    reader.take(*(run for run in ana.runs() if run.device != BENS))
    assert [(r.device, r.seq) for r in reader.replica.missing()] == [(BENS, 0)]
    receipt = reader.take(written.run())
    assert (receipt.stored, receipt.refused) == (1, ())
    assert reader.replica.membership.is_gone(BENS)


def test_a_run_that_goes_on_with_a_forged_signature_is_refused_though_its_beginning_was_taken() -> (
    None
):
    ana = founded()
    written = auth_log(joined(ana, "ben"), "ben")
    last = written.add(kind=auth.AUTH_SEEN)
    written.operations[-1] = msgspec.structs.replace(last, signature=bytes(64))
    reader = Copy(ana.community)
    reader.take(*(run for run in ana.runs() if run.device != BENS))
    receipt = reader.take(written.run())
    assert receipt.refused == ((Reason.SIGNATURE_INVALID, True),)
    assert reader.replica.membership.is_live(BENS)
