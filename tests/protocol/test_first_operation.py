"""The operation that begins a device's log, and the GENESIS that it is shown before."""

from __future__ import annotations

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.admission import genesis_run
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.first_operation import (
    Proofs,
    first_run,
    founding_of,
    take_first,
)
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.log import Item, Run, encode_batch
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    auth_log,
    device_added,
    founded,
    genesis_of,
    joined,
    run_of,
)

BEN = key_named("ben device").public
UNHEARD = Reference(key_named("cia device").public, AUTH, 0, bytes(32))
NAMING = Draft(auth.AUTH_SEEN, b"", b"")


def begun(ana: Copy, *parents: Reference) -> Run:
    """The run that begins the auth log of Ben's device."""
    first = device_added(ana.community, genesis_of(ana), "ben")
    assert first.payload is not None
    log = Chain(key_named("ben device"), ana.community, AUTH)
    log.add(first.payload, kind=auth.DEV_ADD, parents=parents)
    return log.run()


def forged(run: Run) -> Run:
    """The same run with a signature that nobody made."""
    items = [msgspec.structs.replace(item, signature=bytes(64)) for item in run.items]
    return msgspec.structs.replace(run, items=items)


def changed(run: Run, **fields: object) -> list[Run]:
    return [msgspec.structs.replace(run, **fields)]


def of_kind(run: Run, kind: int) -> list[Item]:
    return [msgspec.structs.replace(run.items[0], kind=kind)]


def test_a_log_begins_with_a_dev_add_alone() -> None:
    run = begun(founded())
    assert first_run(encode_batch([run]), BEN) == run
    others = [
        [],
        [run, run],
        changed(run, device=key_named("cia device").public),
        changed(run, log_class=CONTENT),
        changed(run, first_seq=1),
        changed(run, items=[*run.items, *run.items]),
        changed(run, items=of_kind(run, auth.AUTH_SEEN)),
    ]
    for runs in others:
        with pytest.raises(Refused) as refusal:
            first_run(encode_batch(runs), BEN)
        assert refusal.value.reason is Reason.FRAME_INVALID


def test_a_first_operation_is_stored_with_what_names_it() -> None:
    ana = founded()
    ana.replica.begin()
    assert take_first(ana.replica, begun(ana), NAMING, NOW_MS)
    ana.commit()
    [branch] = ana.replica.branches.of(BEN, AUTH)
    assert auth_log(ana, "ana").operations[-1].core.parents == (branch.tip.reference,)


def test_a_first_operation_that_names_what_is_not_held_is_not_stored() -> None:
    ana = founded()
    heads = ana.replica.heads()
    ana.replica.begin()
    assert not take_first(ana.replica, begun(ana, UNHEARD), NAMING, NOW_MS)
    assert ana.commit().is_empty()
    assert not ana.replica.branches.of(BEN, AUTH)
    assert ana.replica.heads() == heads


def test_a_first_operation_that_its_device_did_not_sign_is_an_offence() -> None:
    ana = founded()
    ana.replica.begin()
    with pytest.raises(Refused) as refusal:
        take_first(ana.replica, forged(begun(ana)), NAMING, NOW_MS)
    assert refusal.value.reason is Reason.SIGNATURE_INVALID
    assert ana.commit().is_empty()


def test_a_community_is_shown_by_its_genesis_alone() -> None:
    ana = founded()
    run = run_of([genesis_of(ana)])
    shown, founding = founding_of(encode_batch([run]), ana.community)
    assert shown == run
    assert founding.founders[0].device == key_named("ana device").public
    nonsense = Chain(key_named("ana device"), ZERO32, AUTH)
    nonsense.add(b"no payload", kind=auth.GENESIS)
    refused = [
        ([], ana.community, Reason.FRAME_INVALID),
        ([run, run], ana.community, Reason.FRAME_INVALID),
        (changed(run, items=run.items * 2), ana.community, Reason.FRAME_INVALID),
        ([run], founded("ben").community, Reason.WRONG_COMMUNITY),
        ([run], bytes(32), Reason.WRONG_COMMUNITY),
        ([run], b"\xff" * 32, Reason.WRONG_COMMUNITY),
        ([begun(ana)], ana.community, Reason.WRONG_COMMUNITY),
        ([nonsense.run()], nonsense.community, Reason.FRAME_INVALID),
    ]
    for runs, community, reason in refused:
        with pytest.raises(Refused) as refusal:
            founding_of(encode_batch(runs), community)
        assert refusal.value.reason is reason


def test_a_community_is_shown_by_its_genesis_though_its_founders_log_has_forked() -> None:
    ana = founded()
    ben = joined(ana, "ben")
    for time_ms in (NOW_MS + 1, NOW_MS + 2):
        log = auth_log(ana, "ana")
        log.add(kind=auth.AUTH_SEEN, time=time_ms)
        ben.take(log.run())
    assert len(ben.replica.branches.of(key_named("ana device").public, AUTH)) == 2
    shown = genesis_run(ben.replica)
    assert shown is not None
    assert shown == run_of([genesis_of(ana)])


def test_proofs_are_stored_together_and_a_forged_one_is_an_offence() -> None:
    ana = founded()
    ben = joined(ana, "ben")
    reader = Copy(ana.community)
    runs = [run for run in ben.runs() if run.log_class == AUTH]
    proofs = Proofs()
    for run in runs:
        proofs.gather(encode_batch([run]))
    reader.replica.begin()
    proofs.store(reader.replica, NOW_MS)
    reader.commit()
    assert reader.replica.membership.is_live(BEN)
    proofs.gather(encode_batch([begun_by_nobody(ana)]))  # of somebody unheard of: no offence
    proofs.store(reader.replica, NOW_MS)
    proofs.gather(encode_batch([forged(runs[0])]))
    with pytest.raises(Refused):
        proofs.store(Copy(ana.community).replica, NOW_MS)
    assert proofs_left(proofs, ana) == 0


def test_as_many_frames_of_proofs_are_taken_each_time() -> None:
    ana = founded()
    proofs, batch = Proofs(), encode_batch([begun_by_nobody(ana)])
    for _ in range(2):
        for _ in range(limits.PROOF_FRAMES_MAX):
            proofs.gather(batch)
        assert proofs_left(proofs, ana) == 0
    for _ in range(limits.PROOF_FRAMES_MAX):
        proofs.gather(batch)
    with pytest.raises(Refused):
        proofs.gather(batch)


def begun_by_nobody(ana: Copy) -> Run:
    log = Chain(key_named("nobody device"), ana.community, AUTH)
    log.add(b"", kind=auth.AUTH_SEEN)
    return log.run()


def proofs_left(proofs: Proofs, ana: Copy) -> int:
    """How many operations would still be stored."""
    reader = Copy(ana.community)
    reader.replica.begin()
    proofs.store(reader.replica, NOW_MS)
    return len(reader.commit().operations)


def test_a_member_hands_over_so_many_frames_of_proofs_at_most() -> None:
    proofs = Proofs()
    for _ in range(limits.PROOF_FRAMES_MAX):
        proofs.gather(encode_batch([]))
    with pytest.raises(Refused) as refusal:
        proofs.gather(encode_batch([]))
    assert refusal.value.reason is Reason.OVER_LIMIT
