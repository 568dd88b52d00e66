"""What a member's device may write about authority and keys, and what follows: nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence

from p2pvalue.node.node import wall_clock_ms
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.kinds.epoch import NUMBER as EPOCH
from p2pvalue_protocol.kinds.epoch import Epoch, encode_epoch
from p2pvalue_protocol.log import Run, encode_batch, operations_of
from p2pvalue_protocol.sealing import SEAL_BYTES
from tests.protocol.replicas import Chain, said
from tests.system.hostile import Insider, Spoken, Watch, asked, stranger
from tests.system.person import Person

TIMES = 10
EPOCHS = 50


def auth_log(member: Insider) -> Chain:
    """The auth log of a member's device, to be continued by hand."""
    replica, device = member.replica, member.signer.public
    (branch,) = replica.branches.of(device, AUTH)
    runs, rest = replica.runs(AUTH, device, 0, branch.head_id, 1 << 20)
    assert rest is None
    before = [op for run in runs for op in operations_of(run, member.community)]
    return Chain(member.signer, member.community, AUTH, before)


def head_of(log: Chain) -> Reference:
    return log.operations[-1].reference


async def bring(spoken: Spoken, head: Reference, runs: Sequence[Run]) -> None:
    """Let the daemon take operations, run by run."""
    await spoken.say(f.Heads(b"", 0, [f.head_entry(head)]))
    wants = await spoken.hear(f.Wants)
    for number, run in enumerate(runs, 1):
        finished = len(wants.wants) if number == len(runs) else 0
        await spoken.say(f.Ops(finished, encode_batch([run])))
        await spoken.hear(f.Ack)


async def answer_wants(spoken: Spoken, run: Run, epoch: bytes) -> None:
    """Send a run for whatever is asked, until nothing more is asked for; no key is given."""
    await spoken.say(f.KeysWanted([epoch]))
    while True:
        frame = f.decode_frame(await spoken.hear_raw())
        if isinstance(frame, f.Wants):
            assert all(want.log_class == AUTH for want in frame.wants)
            await spoken.say(f.Ops(len(frame.wants), encode_batch([run])), f.KeysWanted([epoch]))
        elif isinstance(frame, f.Keys):
            assert frame.secrets == []
            return


def who_is_what(person: Person) -> list[tuple[str, str, str]]:
    return sorted((m["member"], m["name"], m["rank"]) for m in person.ask("GET", "/members"))


def forgeries(member: Insider, founder: bytes, device: bytes) -> list[tuple[int, bytes]]:
    """What her rank does not allow, and what nobody signed."""
    own = member.replica.membership.member_of(member.signer.public)
    assert own is not None
    first, second = (
        Reference(device, CONTENT, 0, op_id) for op_id in sorted((os.urandom(32), os.urandom(32)))
    )
    (invite, *_) = member.replica.membership.invites()
    signed = (os.urandom(64), (head_of(auth_log(member)).op_id,))
    return [
        (auth.GRANT, auth.grant_payload(own, auth.ADMIN)),
        (auth.GRANT, auth.grant_payload(os.urandom(32), auth.MEMBER)),
        (auth.REVOKE, auth.revoke_payload(founder)),
        (auth.VOTE, auth.vote_payload(founder)),
        (auth.INVITE, auth.invite_payload(invite_key(os.urandom(16)).public, auth.ADMIN, 0)),
        (auth.REVOKE, auth.withdraw_payload(invite.invite_key)),
        (
            auth.ADMIT,
            auth.admit_payload(
                os.urandom(32), os.urandom(32), invite.invite_key, os.urandom(64), invite.op_id
            ),
        ),
        (auth.DEV_REVOKE, auth.dev_revoke_payload(founder, device)),
        (auth.DEV_REVOKE, auth.dev_revoke_payload(founder, device, *signed)),
        (auth.FORK, auth.fork_payload(first, second, (first,))),
        (auth.POLICY, auth.policy_payload(auth.JOIN_OPEN, auth.GUEST, ())),
    ]


async def test_what_a_member_forges_about_authority_changes_nothing(
    watch: Watch, mallory: Insider
) -> None:
    victim = watch.victim
    before = await asked(who_is_what, victim)
    (founder,) = [m for m in mallory.replica.membership.members() if m.rank == auth.FOUNDER]
    log = auth_log(mallory)
    done = len(log.operations)
    for _ in range(TIMES):
        for kind, payload in forgeries(mallory, founder.root, founder.devices[0]):
            log.add(payload, kind=kind)
    async with stranger(await asked(lambda: victim.address)) as peer:
        spoken = await peer.greet(mallory)
        await bring(spoken, head_of(log), [log.run(done)])
    mallory.replica.begin()
    mallory.replica.receive([log.run(done)], wall_clock_ms())
    mallory.store.commit([mallory.replica.finish()])
    assert await asked(who_is_what, victim) == before
    assert (await asked(victim.ask, "GET", "/community"))["join"] == "invite"
    await asked(victim.post, "still here")
    await asked(victim.until_reads, "still here")
    await watch.check_serves()


async def test_epochs_that_nobody_can_open_keep_nobody_from_writing_and_reading(
    watch: Watch, mallory: Insider
) -> None:
    victim = watch.victim
    recipients = len(mallory.replica.epochs.recipients())
    epochs = [
        Epoch(os.urandom(32), os.urandom(SEAL_BYTES * count))
        for count in [recipients] * EPOCHS + [recipients - 1, recipients + 1]
    ]
    drafts = [Draft(EPOCH, b"", encode_epoch(epoch)) for epoch in epochs]
    head, runs = mallory.write(*drafts, now_ms=wall_clock_ms())
    async with stranger(await asked(lambda: victim.address)) as peer:
        await bring(await peer.greet(mallory), head, runs)
    await asked(victim.post, "under a key that all have")
    await asked(victim.until_reads, "under a key that all have")
    await watch.check_serves()
    assert (await asked(victim.ask, "GET", "/community"))["sealed"] == 0


async def test_who_is_put_out_gets_no_key_and_stores_nothing_over_links_open_or_new(
    watch: Watch, mallory: Insider
) -> None:
    victim = watch.victim
    ahead = Reference(mallory.signer.public, AUTH, 1 << 40, os.urandom(32))
    root = mallory.replica.membership.member_of(mallory.signer.public)
    assert root is not None
    planted, _ = mallory.imagine(said("planted"), now_ms=wall_clock_ms())
    log = auth_log(mallory)
    done = len(log.operations)
    log.add(kind=auth.AUTH_SEEN, parents=[ahead])
    async with stranger(await asked(lambda: victim.address)) as peer:
        spoken = await peer.greet(mallory)
        await bring(spoken, head_of(log), [log.run(done)])
        await asked(victim.ask, "POST", f"/members/{root.hex()}/remove")
        stored = (await asked(victim.ask, "GET", "/community"))["operations"]
        epoch = mallory.replica.epochs.records.deepest_first()[0].epoch
        await spoken.say(f.KeysWanted([epoch]))
        assert (await spoken.hear(f.Keys)).secrets == []
        for _ in range(100):
            log.add(kind=auth.AUTH_SEEN)
        again = await peer.greet(mallory)
        for link in (spoken, again):
            await link.say(f.Heads(b"", 0, [f.head_entry(head_of(log)), f.head_entry(planted)]))
            await answer_wants(link, log.run(done), epoch)
    assert (await asked(victim.ask, "GET", "/community"))["operations"] == stored
    assert "planted" not in await asked(victim.texts)
    await watch.check_serves()
