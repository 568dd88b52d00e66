"""Which epochs are valid, how operations wait for them, and what is refused late."""

from __future__ import annotations

from functools import cache

from msgspec.structs import replace

from p2pvalue.store import MemoryStore
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import CONTENT, ZERO32, Reference, payload_hash_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.kinds import epoch as kind
from p2pvalue_protocol.kinds.epoch import Epoch, decode_epoch, encode_epoch
from p2pvalue_protocol.operation import Core, Operation
from p2pvalue_protocol.past import Batch
from p2pvalue_protocol.rotation import epoch_drafts
from p2pvalue_protocol.sealing import SEAL_BYTES, seal_payload
from tests.protocol.authoring import key_named, signed
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    device_added,
    founded,
    frontier_of,
    genesis_of,
    joined,
    run_of,
)
from tests.protocol.sealed import sealed_community

SALT = b"t" * 24
HELLO = chat.encode_chat_message("hello")


def only_epoch(copy: Copy) -> bytes:
    [record] = copy.replica.epochs.records.deepest_first()
    return record.epoch


def content(
    copy: Copy,
    key: SigningKey,
    *,
    epoch: bytes,
    payload: bytes = HELLO,
    kind_number: int = chat.NUMBER,
    parents: list[Reference] | None = None,
    time: int = NOW_MS + 1,
    secret: bytes | None = None,
) -> Operation:
    """The first operation of a device's content log, sealed with `secret` if one is given."""
    named = frontier_of(copy) if parents is None else parents
    ordered = tuple(sorted(named, key=lambda r: (r.device, r.log_class, r.op_id)))
    blank = Core(
        1, copy.community, key.public, 0, ZERO32, kind_number, b"", ordered, time, epoch, 0, ZERO32
    )
    if secret is not None:
        payload = seal_payload(secret, blank, payload, SALT)
    core = replace(blank, payload_size=len(payload), payload_hash=payload_hash_of(payload))
    return signed(core, payload, key)


def secret_of(copy: Copy) -> bytes:
    return copy.replica.epochs.unwrapped()[0].secret


def branch_of(copy: Copy, op: Operation) -> Reason | bool | None:
    """Why the log of an operation was closed; True if it waits, None if all is folded."""
    [branch] = copy.replica.branches.of(op.core.device, CONTENT)
    return branch.closed or branch.is_waiting or None


def test_an_operation_waits_for_its_epoch_as_for_a_parent() -> None:
    ana = sealed_community()
    joined(ana, "ben")
    early = Copy(ana.community, key_named("ben device"), name="ben")
    early.learn(ana)
    other = joined(ana, "eve")
    own = content(
        other,
        key_named("eve device"),
        epoch=only_epoch(ana),
        parents=[r for r in frontier_of(other) if r.log_class != CONTENT],
        secret=secret_of(ana),
    )
    early.take(*[run for run in ana.runs() if run.log_class != CONTENT], run_of([own]))
    assert branch_of(early, own) is True
    assert early.texts() == []
    ana.give(early)
    assert branch_of(early, own) is None
    assert early.texts() == ["hello"]


def test_who_names_what_is_no_valid_epoch_waits_and_stops_nobody() -> None:
    ana = sealed_community()
    joined(ana, "eve")
    [message] = ana.say("an epoch? a message")
    op = content(ana, key_named("eve device"), epoch=message.op_id, secret=bytes(32))
    ana.take(run_of([op]))
    assert branch_of(ana, op) is True
    ana.say("goes on")
    assert ana.texts() == ["an epoch? a message", "goes on"]


def test_content_is_later_than_its_epoch() -> None:
    ana = sealed_community()
    joined(ana, "eve")
    [record] = ana.replica.epochs.records.deepest_first()
    named = [r for r in frontier_of(ana) if r.log_class != CONTENT]
    op = content(
        ana,
        key_named("eve device"),
        epoch=record.epoch,
        parents=named,
        time=record.time,
        secret=secret_of(ana),
    )
    ana.take(run_of([op]))
    assert branch_of(ana, op) is Reason.TIME_NOT_AFTER_PAST


def test_the_past_of_an_epoch_is_in_the_past_of_what_names_it() -> None:
    ana = sealed_community()
    joined(ana, "eve")
    named = [r for r in frontier_of(ana) if r.log_class != CONTENT]
    joined(ana, "cia")
    ana.replica.begin()
    ana.replica.renew(NOW_MS)
    ana.commit()
    newest = ana.replica.epochs.usable()[0]
    eve = key_named("eve device")
    secret = secret_of(ana)
    op = content(ana, eve, epoch=newest.epoch, parents=named, time=newest.time + 1, secret=secret)
    ana.take(run_of([op]))
    [branch] = ana.replica.branches.of(eve.public, CONTENT)
    graph = ana.replica.graph
    assert newest.frontier != graph.frontier(tuple(reference.op_id for reference in named))
    assert graph.past(branch.frontier) & graph.past(newest.frontier) == graph.past(newest.frontier)


def test_a_payload_is_opened_with_its_own_core_alone_though_it_was_just_opened() -> None:
    ana = sealed_community()
    joined(ana, "eve")
    epoch, secret = only_epoch(ana), secret_of(ana)
    op = content(ana, key_named("eve device"), epoch=epoch, secret=secret)
    copied = content(ana, key_named("sam device"), epoch=epoch, payload=op.payload or b"")
    assert ana.replica.epochs.open(op.core, op.payload or b"") == HELLO
    assert copied.payload == op.payload
    assert ana.replica.epochs.open(copied.core, bytes(bytearray(op.payload or b""))) is None


def test_clear_content_is_refused_late_where_only_members_read() -> None:
    ana = sealed_community()
    joined(ana, "eve")
    op = content(ana, key_named("eve device"), epoch=b"")
    ana.take(run_of([op]))
    assert branch_of(ana, op) is Reason.EPOCH_INVALID
    assert ana.texts() == []


def test_sealed_content_is_nothing_in_a_public_community() -> None:
    ana = founded("ana")
    joined(ana, "eve")
    part = Epoch(bytes(32), bytes(2 * SEAL_BYTES))
    [epoch] = ana.write(Draft(kind.NUMBER, b"", encode_epoch(part)))
    assert ana.replica.epochs.records.deepest_first() == []
    op = content(ana, key_named("eve device"), epoch=epoch.op_id, secret=bytes(32))
    ana.take(run_of([op]))
    assert branch_of(ana, op) is True


def test_content_without_genesis_in_its_past_is_refused_whatever_is_held() -> None:
    ana = sealed_community()
    stranger = key_named("sue device")
    first = device_added(ana.community, genesis_of(ana), "sue")
    rootless = Chain(stranger, ana.community, 0)
    alone = rootless.add(first.payload or b"", kind=auth.DEV_ADD)
    ana.store_first(alone)
    op = content(ana, stranger, epoch=b"", parents=[alone.reference])
    ana.replica.ladder.expect(stranger.public, CONTENT)
    ana.take(run_of([op]))
    assert branch_of(ana, op) is Reason.AUTH_PAST_EMPTY


def test_a_payload_that_does_not_open_or_parse_is_without_effect_and_closes_nothing() -> None:
    ana = sealed_community()
    ben, eve = joined(ana, "ben"), joined(ana, "eve")
    key, epoch, secret = key_named("eve device"), only_epoch(ana), secret_of(ana)
    for number, op in enumerate(
        (
            content(eve, key, epoch=epoch, secret=bytes(32)),
            content(eve, key, epoch=epoch, payload=b"no message", secret=secret),
            content(eve, key, epoch=epoch, payload=b"in clear"),
        )
    ):
        copies = [Copy(ana.community, key_named("ben device"), name="ben") for _ in range(2)]
        for at, copy in enumerate(copies):
            if at:
                copy.learn(ana)
            ana.give(copy)
            copy.take(run_of([op]))
            copy.learn(ana)  # late for the first
            copy.settle()
            assert branch_of(copy, op) is None, number
            assert copy.texts() == []
        assert copies[0].seen() == copies[1].seen()
    assert ben.texts() == []


@cache
def crowd() -> Copy:
    """A founder's copy of a community whose devices are one more than a part seals to."""
    count = kind.SEALS_PER_PART
    ana = sealed_community()
    genesis = genesis_of(ana)
    for number in range(count):
        ana.store_first(device_added(ana.community, genesis, f"m{number}"))
    roots = [key_named(f"m{number} root").public for number in range(count)]
    for at in range(0, count, 256):
        grants = [auth.grant_payload(root, auth.MEMBER) for root in roots[at : at + 256]]
        ana.write(*(Draft(auth.GRANT, b"", grant) for grant in grants))
    return ana


def copied(copy: Copy, name: str = "") -> Copy:
    """A copy by somebody else, who folds all the operations anew."""
    store = MemoryStore()
    logs = [head.log for head in copy.store.past(copy.community).heads()]
    rows = [row._replace(frontier=0) for row in copy.store.operations_in_order(copy.community)]
    store.commit([Batch(copy.community, logs=logs, operations=rows)])
    signer = key_named(f"{name} device") if name else None
    made = Copy(copy.community, signer, lambda: store, name)
    made.settle()
    return made


def test_a_large_community_has_epochs_in_parts_named_by_the_last() -> None:
    ana = copied(crowd(), "ana")
    ana.replica.begin()
    drafts = epoch_drafts(ana.replica)
    first, second = ana.replica.write(drafts, NOW_MS)
    ana.commit()
    parts = [decode_epoch(draft.payload) for draft in drafts]
    assert [len(part.seals) // SEAL_BYTES for part in parts] == [kind.SEALS_PER_PART, 1]
    assert ana.replica.epochs.records.get(first.op_id) is None
    record = ana.replica.epochs.records.get(second.op_id)
    assert record is not None
    assert len(record.wraps) == 1
    last = ana.replica.epochs.recipients()[-1].device
    [name] = [f"m{n}" for n in range(640) if key_named(f"m{n} device").public == last] or ["ana"]
    reader = copied(ana, name)
    assert reader.replica.epochs.holds(second.op_id)
    reader.restart()
    assert reader.replica.epochs.holds(second.op_id)


def test_parts_that_do_not_follow_each_other_make_no_epoch() -> None:
    ana = copied(crowd(), "ana")
    before = len(ana.replica.epochs.records.deepest_first())
    for disturbed in ("between", "order", "commitment"):
        ana.replica.begin()
        first, second = epoch_drafts(ana.replica)
        if disturbed == "between":
            drafts = [first, Draft(66, b"", b""), second]
        elif disturbed == "order":
            drafts = [second, first]
        else:
            other = epoch_drafts(ana.replica)[1]
            drafts = [first, other]
        ana.replica.write(drafts, NOW_MS)
        ana.commit()
    assert len(ana.replica.epochs.records.deepest_first()) == before


def test_a_fork_between_two_parts_makes_two_epochs_of_two_names() -> None:
    ana = copied(crowd(), "ana")
    eve = copied(ana, "m0")
    eve.replica.begin()
    one, other = (epoch_drafts(eve.replica), epoch_drafts(eve.replica))
    log = Chain(key_named("m0 device"), ana.community)
    log.add(one[0].payload, kind=kind.NUMBER, parents=frontier_of(eve), time=NOW_MS + 1)
    fork = log.branch(1)
    part = decode_epoch(one[1].payload)
    garbage = encode_epoch(replace(part, seals=decode_epoch(other[1].payload).seals))
    names = [
        log.add(one[1].payload, kind=kind.NUMBER).op_id,
        fork.add(garbage, kind=kind.NUMBER).op_id,
    ]
    copies = [copied(ana) for _ in range(2)]
    for copy, order in zip(copies, ([log, fork], [fork, log]), strict=True):
        for chain in order:
            copy.take(chain.run())
        copy.settle()
        assert all(copy.replica.epochs.records.get(name) for name in names)
    first, second = (copy.replica.epochs.records for copy in copies)
    assert [r.epoch for r in first.deepest_first()] == [r.epoch for r in second.deepest_first()]
