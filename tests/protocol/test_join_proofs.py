"""What somebody who knocks at a join link must prove, and what a member gives and to whom."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import join_frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.admission import genesis_run, proof_batches
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Answer, Draft
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.log import decode_batch, encode_batch
from p2pvalue_protocol.replica import Replica
from tests.protocol.authoring import NONCE, SECRET, key_named, prekey_named
from tests.protocol.desk import Computer
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import NOW_MS, Community, Link, Node, run_of
from tests.protocol.replicas import Chain

Alter = Callable[[bytes], bytes]


def altering(frame_type: type[msgspec.Struct], field: str) -> Alter:
    """Flip a bit of one field in frames of one type."""

    def alter(data: bytes) -> bytes:
        frame = f.decode_join_frame(data)
        if not isinstance(frame, frame_type):
            return data
        value = bytearray(getattr(frame, field))
        value[0] ^= 1
        return encode(msgspec.structs.replace(frame, **{field: bytes(value)}))

    return alter


def assert_silent(link: JoinLink, reason: Reason | None = None) -> None:
    """Check that a member said nothing but its nonce and let nobody in."""
    [said] = link.sent[1]
    assert isinstance(f.decode_join_frame(said), f.NonceAnswered)
    assert link.closed[0] == (1, reason)
    device = link.nodes[0].replica.device
    assert device is not None
    assert not link.nodes[1].replica.membership.was_ever_admitted(device)


@pytest.mark.parametrize("field", ["invite_key", "invite_signature", "device", "device_signature"])
def test_an_invite_is_shown_with_its_key_and_the_devices(field: str) -> None:
    community = Community("ada")
    ada = community.node("ada")
    invite(ada)
    link = JoinLink(newcomer(community), ada, alter=altering(f.InviteShown, field))
    assert_silent(link.run())


@pytest.mark.parametrize("field", ["proof", "device", "device_signature"])
def test_a_community_is_shown_with_a_proof_and_the_devices_key(field: str) -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    ada = community.node("ada")
    link = JoinLink(newcomer(community), ada, b"", alter=altering(f.CommunityShown, field))
    assert_silent(link.run())


@pytest.mark.parametrize(
    "frame",
    [f.Introduction(b"", b""), f.Plea(b"", "nia", ""), f.Pending(), f.NonceOffered(bytes(32))],
    ids=lambda frame: type(frame).__name__,
)
def test_a_frame_out_of_turn_ends_the_link(frame: msgspec.Struct) -> None:
    community = Community("ada")
    link = JoinLink(newcomer(community), community.node("ada"))
    link.act(1, lambda: link.server.open(NOW_MS))
    first = encode(f.NonceOffered(bytes(32)))
    for data in (first, encode(frame)):
        link.act(1, lambda d=data: link.server.receive(d, NOW_MS))  # type: ignore[misc]  # bound now
    assert_silent(link, Reason.FRAME_INVALID)


def test_who_was_put_out_is_told_so_whatever_device_she_comes_with() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada, uses=0)
    assert JoinLink(nia, ada).run().joined[-1].state == "admitted"
    root = ada.replica.membership.member_of(nia.replica.device or b"")
    assert root is not None
    ada.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root)))
    heads = ada.heads()
    again = Node(community.community, "nia", key_named("nia's other device"))
    link = JoinLink(again, ada).run()
    assert link.joined[-1].message.startswith("you were removed from this community")
    assert ada.heads() == heads


def test_where_all_may_join_a_member_lets_in_guests_and_stronger_ones_members() -> None:
    community = Community("ada", read=auth.READ_PUBLIC, join=auth.JOIN_OPEN)
    ada, nia, omar = community.node("ada"), newcomer(community), newcomer(community, "omar")
    for door, comer, rank in ((ada, nia, auth.MEMBER), (nia, omar, auth.GUEST)):
        assert JoinLink(comer, door, b"").run().joined[-1].state == "admitted"
        standing = door.replica.membership.standing(comer.replica.device or b"")
        assert standing is not None
        assert standing.rank == rank
        Link(comer, door).settle()


@pytest.mark.parametrize(
    ("answer", "is_final"), [("declined", True), ("busy", False)], ids=["declined", "busy"]
)
def test_who_is_not_let_in_knows_whether_to_ask_again(answer: Answer, is_final: bool) -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    link = JoinLink(newcomer(community), community.node("ada"), b"", answer=answer).run()
    assert link.joined[-1].state == "failed"
    assert link.joined[-1].is_final is is_final


def test_no_secret_is_handed_over_by_who_was_put_out_meanwhile() -> None:
    community = Community("ada")
    ada, nia, omar = community.node("ada"), newcomer(community), newcomer(community, "omar")
    invite(ada, uses=0)
    JoinLink(nia, ada).run()
    Link(nia, ada).settle()
    root = ada.replica.membership.member_of(nia.replica.device or b"")
    assert root is not None
    ada.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root)))

    def late(data: bytes) -> bytes:
        if isinstance(f.decode_join_frame(data), f.Introduction):
            nia.take([run for run in ada.runs() if run.log_class == AUTH])
        return data

    link = JoinLink(omar, nia, alter=late).run()
    assert link.joined[-1].state == "failed"
    answers = [f.decode_join_frame(frame) for frame in link.sent[1]]
    assert isinstance(answers[-1], f.Declined)
    assert not any(isinstance(answer, f.Admitted | f.Proof) for answer in answers)


def test_who_was_let_in_and_lost_the_answer_need_not_ask_a_person_again() -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    ada, nia = community.node("ada"), newcomer(community)
    [asked] = JoinLink(nia, ada, b"").run().requested
    ada.write(Draft(auth.GRANT, b"", auth.grant_payload(asked.root, auth.MEMBER)))
    JoinLink(nia, ada, b"").run()
    heads = ada.heads()
    again = JoinLink(newcomer(community), ada, b"").run()  # the same keys, and nothing stored
    assert [joined.state for joined in again.joined] == ["welcomed", "admitted"]
    assert again.requested == []
    assert ada.heads() == heads


def saying(frame_type: type[f.Introduction | f.Plea], prekey: bytes, certificate: bytes) -> Alter:
    """Let a newcomer's first operation say another prekey or certificate; empty: the right one."""
    root = SigningKey(auth.root_seed(b"nia".ljust(32), NONCE))
    device = key_named("nia device")
    prekey = prekey or prekey_named("nia")
    signed = root.sign(auth.certificate_message(NONCE, root.public, device.public, prekey))
    payload = auth.DevAddPayload(root.public, prekey, certificate or signed, b"")

    def alter(data: bytes) -> bytes:
        frame = f.decode_join_frame(data)
        if not isinstance(frame, frame_type):
            return data
        log = Chain(device, Community("ada", join=auth.JOIN_REQUEST).community, AUTH)
        log.add(encode(payload), kind=auth.DEV_ADD)
        return encode(msgspec.structs.replace(frame, first=encode_batch([log.run()])))

    return alter


@pytest.mark.parametrize(
    ("prekey", "certificate", "state"),
    [(b"", b"", "pending"), (bytes(32), b"", "failed"), (b"", bytes(64), "failed")],
    ids=["right", "no prekey", "no certificate"],
)
def test_a_plea_is_kept_only_of_a_device_that_its_root_certified(
    prekey: bytes, certificate: bytes, state: str
) -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    alter = saying(f.Plea, prekey, certificate)
    link = JoinLink(newcomer(community), community.node("ada"), b"", alter=alter).run()
    assert link.joined[-1].state == state
    assert bool(link.requested) == (state == "pending")
    if state == "failed":
        assert link.joined[-1].message.startswith("the member you reached did not accept")


def test_a_node_that_does_not_hold_a_community_yet_says_nothing_of_it() -> None:
    community = Community("ada", "ben", join=auth.JOIN_REQUEST)
    ben = community.node("ben", has_genesis=False)
    assert_silent(JoinLink(newcomer(community), ben, b"").run())


def test_who_holds_a_genesis_that_is_not_signed_itself_shows_it_to_nobody() -> None:
    authors = Community("ada", "ben", read=auth.READ_PUBLIC)
    ada = authors.authors["ada"]
    seen = ada.write(auth.AUTH_SEEN)
    run = run_of(authors.genesis, seen)
    unsigned = msgspec.structs.replace(run.items[0], signature=b"")
    ben = authors.node("ben", has_genesis=False)
    ben.take([msgspec.structs.replace(run, items=[unsigned, run.items[1]])])
    assert genesis_run(ben.replica) is None
    invite(ben)
    link = JoinLink(newcomer(authors), ben).run()
    assert link.joined[-1].message.startswith("the member you reached may not let people in")


def test_genesis_is_found_whatever_a_restart_read_before_it() -> None:
    community = Community("ada")
    ada = community.node("ada")
    invite(ada)
    shown = genesis_run(ada.replica)
    assert shown is not None
    for number in range(8):  # first operations name nothing, so that each may be read first
        JoinLink(newcomer(community, f"nia {number}"), ada).run()
        past = ada.store.past(community.community)
        rows = sorted(past.auth_operations(), key=lambda row: row.op_id)
        past.auth_operations = lambda rows=rows: rows  # type: ignore[method-assign,misc]  # in another order
        assert genesis_run(Replica(community.community, past, signer=None)) == shown


def test_a_past_that_ends_with_a_full_frame_is_shown_without_an_empty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "PROOF_BYTES_TARGET", 1)
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada)
    link = JoinLink(nia, ada).run()
    frames = [f.decode_join_frame(frame) for frame in link.sent[1]]
    proofs = [frame.batch for frame in frames if isinstance(frame, f.Proof)]
    assert len(proofs) > 1
    assert all(decode_batch(proof) for proof in proofs)
    assert link.joined[-1].state == "admitted"


def knocking(ana: Computer, garden: bytes, genesis: bytes, now_ms: int = NOW_MS) -> Computer:
    """Somebody with an invite, who is shown this GENESIS."""
    nia = Computer("nia", "nia")
    keys = nia.keys(garden)
    nia.handle(
        i.JoinStarted(1, ana.peer_id, garden, SECRET, keys.signer, keys.prekey, nia.entropy),
        now_ms,
    )
    for frame in (f.NonceAnswered(bytes(32)), f.Welcome(0, genesis)):
        nia.handle(i.FrameReceived(1, encode(frame)), now_ms)
    return nia


def test_a_newcomer_takes_no_genesis_that_its_founder_did_not_sign() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    run = genesis_run(ana.machine.replica(garden))
    assert run is not None
    assert knocking(ana, garden, encode_batch([run])).joined().state == "welcomed"
    items = [msgspec.structs.replace(item, signature=bytes(64)) for item in run.items]
    forged = encode_batch([msgspec.structs.replace(run, items=items)])
    nia = knocking(ana, garden, forged)
    assert nia.joined().state == "failed"
    assert str(Reason.SIGNATURE_INVALID) in nia.joined().message
    assert nia.machine.replica(garden).heads() == []


def test_a_newcomer_whose_clock_is_at_the_end_of_time_is_told_so() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    run = genesis_run(ana.machine.replica(garden))
    assert run is not None
    nia = knocking(ana, garden, encode_batch([run]), limits.TIME_MS_MAX)
    assert nia.joined().message.startswith("the clock is at the end of time")


def test_a_past_of_which_a_part_fits_no_frame_is_left_to_sync(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada)
    JoinLink(nia, ada).run()
    device = nia.replica.device or b""
    batches = proof_batches(ada.replica, device)
    largest = max(map(len, batches)) + 16  # what a frame adds
    for frame_bytes_max, expected in ((largest, batches), (largest - 1, [])):
        monkeypatch.setattr(limits, "FRAME_BYTES_MAX", frame_bytes_max)
        assert proof_batches(ada.replica, device) == expected
