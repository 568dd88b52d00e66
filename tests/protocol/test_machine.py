"""One machine for all communities of a node: what is due when, and what each input moves."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import effects as e
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import join_frames, reconsideration
from p2pvalue_protocol.chunks import chunk_hash
from p2pvalue_protocol.errors import LocalProtocolError, NotFound, Reason
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.kinds.chat import encode_chat_message
from p2pvalue_protocol.machine import CONFIRM_AFTER_MS, SEAL_AFTER_MS, Machine
from p2pvalue_protocol.sync import SyncSession
from tests.protocol.authoring import key_named
from tests.protocol.desk import CHAT, NOW_MS, Cable, Computer, join, sync
from tests.protocol.replicas import Chain, founded, frontier_of, joined

LATER_MS = NOW_MS + 5_000  # when nothing is due
SESSION = 9
ADDRESS = "/ip4/192.0.2.1/tcp/4001"


def said(text: str) -> i.Draft:
    return i.Draft(CHAT, b"", encode_chat_message(text))


def is_head_signed(computer: Computer, community: bytes) -> bool:
    """Whether nothing of our content stands unsigned."""
    replica = computer.machine.replica(community)
    branches = replica.branches.of(computer.device(community), CONTENT)
    return all(branch.signed_seq == branch.head_seq for branch in branches)


def in_touch(*, is_gossiping: bool = False) -> tuple[Computer, Computer, bytes]:
    """Ada, Ben whom she let in, and a link between them that is ready and quiet."""
    ada = Computer("ada", "ada", is_gossiping=is_gossiping)
    ben = Computer("ben", "ben", is_gossiping=is_gossiping)
    garden = ada.found("garden")
    ada.invite(garden)
    join(ben, ada, garden, 1)
    Cable(ada, ben, SESSION).carry(
        i.PeerJoined(SESSION, ben.peer_id, True, garden),
        i.PeerJoined(SESSION, ada.peer_id, False, None),
    )
    ada.handle(i.Wakeup(), NOW_MS + 1_000)
    return ada, ben, garden


def parted() -> tuple[Computer, Computer, bytes]:
    """The same after the link between them ended."""
    ada, ben, garden = in_touch()
    for computer in (ada, ben):
        computer.handle(i.PeerLeft(SESSION))
    return ada, ben, garden


def heads_told(effects: list[e.Effect]) -> list[f.Frame]:
    frames = [f.decode_frame(effect.frame) for effect in effects if isinstance(effect, e.SendFrame)]
    return [frame for frame in frames if isinstance(frame, f.Heads)]


# --- communities


def test_a_community_that_is_not_here_is_not_found() -> None:
    computer = Computer("desk", "ana")
    garden = computer.found("garden")
    assert computer.machine.replica(garden).community == garden
    with pytest.raises(NotFound, match="00000000 is not on this node"):
        computer.machine.replica(bytes(32))


def test_what_a_founder_says_first_is_kept_with_the_founding_or_not_at_all() -> None:
    computer = Computer("desk", "ana")
    garden = computer.found("garden", said("welcome"), said("this is our garden"))
    (batch,) = computer.committed
    assert batch.community == garden
    assert len(batch.entries) == 2
    with pytest.raises(LocalProtocolError):
        computer.found("kitchen", said("welcome"), i.Draft(CHAT, b"", b"no message"))
    assert computer.machine.communities() == [garden]
    assert garden in computer.store.communities()
    computer.handle(i.Wakeup(), LATER_MS)


def test_the_topics_of_a_node_are_those_of_its_communities() -> None:
    computer = Computer("desk", "ana")
    communities = sorted(computer.found(name) for name in ("garden", "kitchen"))
    machine = computer.machine
    topics = [machine.topics_of(community) for community in communities]
    assert all(topics)
    assert machine.topics() == sorted([*topics[0], *topics[1]])
    machine.forget(communities[0])
    assert machine.communities() == communities[1:]
    assert machine.topics() == machine.topics_of(communities[1]) == topics[1]


def test_who_is_in_touch_about_what_and_holds_what() -> None:
    ada, ben, garden = in_touch()
    kitchen = ada.found("kitchen")
    machine = ada.machine
    assert machine.peers_of(garden) == [ben.peer_id]
    assert machine.peers_of(kitchen) == []
    assert machine.has_session(ben.peer_id, garden)
    assert not machine.has_session(ben.peer_id, kitchen)
    assert not machine.has_session("another", garden)
    (held, *_) = machine.replica(garden).heads()
    assert machine.peers_holding(garden, held) == 1
    assert machine.peers_holding(kitchen, held) == 0
    ada.handle(i.PeerLeft(SESSION))
    assert machine.peers_of(garden) == []
    assert machine.peers_holding(garden, held) == 0


def test_a_community_that_is_forgotten_ends_its_links_and_is_due_for_nothing() -> None:
    ada, _, garden = in_touch()
    ada.say(garden, "unsigned")
    assert ada.machine.forget(garden) == [e.CloseSession(SESSION, None)]
    assert ada.machine.communities() == []
    assert ada.machine.handle(i.Wakeup(), LATER_MS) == []


def test_what_the_disk_did_not_take_is_gone_and_the_log_goes_on_from_what_it_took() -> None:
    ada, ben, garden = in_touch()
    ada.say(garden, "kept")
    kept = ada.machine.replica(garden).heads()
    ada.machine.handle(i.Write(garden, (said("lost"),)), LATER_MS)  # never committed
    assert ada.machine.replica(garden).heads() != kept
    assert ada.machine.reload(garden) == [e.CloseSession(SESSION, None)]
    assert ada.machine.replica(garden).heads() == kept
    ada.say(garden, "again")
    ben.handle(i.PeerLeft(SESSION))
    sync(ada, ben, garden, SESSION + 1)
    assert ada.digest(garden) == ben.digest(garden)


# --- what is due


def test_an_unsigned_head_is_signed_after_a_second_though_nobody_asked() -> None:
    computer = Computer("desk", "ana")
    garden = computer.found("garden")
    computer.handle(i.Wakeup(), NOW_MS)
    computer.handle(i.Write(garden, (said("first"),)), LATER_MS)
    computer.handle(i.Write(garden, (said("second"),)), LATER_MS + 900)
    assert not is_head_signed(computer, garden)
    assert computer.machine.next_wakeup_ms() == LATER_MS + SEAL_AFTER_MS
    computer.handle(i.Wakeup(), LATER_MS + SEAL_AFTER_MS - 1)
    assert not is_head_signed(computer, garden)
    computer.handle(i.Wakeup(), LATER_MS + SEAL_AFTER_MS)
    assert is_head_signed(computer, garden)
    assert computer.committed[-1].signatures
    due_ms = computer.machine.next_wakeup_ms()
    assert due_ms is None or due_ms > LATER_MS + SEAL_AFTER_MS


def test_a_head_that_a_crash_left_unsigned_is_signed_at_once() -> None:
    computer = Computer("desk", "ana")
    garden = computer.found("garden")
    computer.say(garden, "unsigned")
    signer = computer.machine.replica(garden).signer
    computer.machine = Machine(
        open_past=computer.store.past, random_bytes=bytes, peer_id=computer.peer_id
    )
    computer.machine.add_replica(garden, signer)
    assert not is_head_signed(computer, garden)
    assert computer.machine.next_wakeup_ms() == 0
    computer.handle(i.Wakeup())
    assert is_head_signed(computer, garden)


def test_whoever_copies_all_that_is_stored_may_ask_for_every_signature() -> None:
    computer = Computer("desk", "ana")
    communities = [computer.found(name) for name in ("garden", "kitchen")]
    for community in communities:
        computer.say(community, "unsigned")
        assert not is_head_signed(computer, community)
    assert all(isinstance(effect, e.Store) for effect in computer.handle(i.Sign()))
    assert all(is_head_signed(computer, community) for community in communities)


def test_what_one_input_left_to_judge_again_is_due_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ada, ben, garden = parted()
    for text in ("one", "two", "three"):
        ben.say(garden, text)
    sync(ada, ben, garden, SESSION + 1)
    assert ada.store.entry_count(garden, NO_SUBJECT, CHAT) == 3
    root = ada.membership(garden).member_of(ben.device(garden))
    assert root is not None
    monkeypatch.setattr(reconsideration, "_OPERATIONS_PER_INPUT_MAX", 1)
    assert ada.machine.next_wakeup_ms() != 0
    ada.write(garden, auth.REVOKE, auth.revoke_payload(root))  # and keeps nothing
    inputs = 0
    while ada.machine.next_wakeup_ms() == 0:
        ada.handle(i.Wakeup())
        inputs += 1
    assert inputs >= 2
    assert ada.store.entry_count(garden, NO_SUBJECT, CHAT) == 0


# --- hints and heads


def test_a_write_is_told_at_once_and_where_a_hint_went_ahead_half_a_second_later() -> None:
    ada, _, garden = in_touch()
    assert len(heads_told(ada.handle(i.Write(garden, (said("news"),)), LATER_MS))) == 1
    ada, _, garden = in_touch(is_gossiping=True)
    effects = ada.handle(i.Write(garden, (said("news"),)), LATER_MS)
    assert [effect for effect in effects if isinstance(effect, e.Publish)]
    assert heads_told(effects) == []
    assert ada.machine.next_wakeup_ms() == LATER_MS + CONFIRM_AFTER_MS
    assert heads_told(ada.handle(i.Wakeup(), LATER_MS + CONFIRM_AFTER_MS - 1)) == []
    assert len(heads_told(ada.handle(i.Wakeup(), LATER_MS + CONFIRM_AFTER_MS))) == 1
    assert heads_told(ada.handle(i.Wakeup(), LATER_MS + 2 * CONFIRM_AFTER_MS)) == []


def test_a_hint_on_a_topic_of_nobody_here_is_passed_over() -> None:
    computer = Computer("desk", "ana")
    computer.found("garden")
    heard = computer.handle(i.GossipReceived("another topic", b"message", "ben"))
    assert heard == [e.Judge("ignore")]


def test_a_hint_that_no_member_can_have_sealed_is_its_senders_fault() -> None:
    ada, _, garden = in_touch()
    [topic] = ada.machine.topics_of(garden)
    heard = ada.handle(i.GossipReceived(topic, b"no envelope", "mallory"))
    assert heard == [e.Judge("reject"), e.Rejected("mallory", Reason.ENVELOPE_INVALID)]


def test_a_hint_that_does_not_join_on_makes_a_node_ask_for_what_lies_between() -> None:
    ada, ben, garden = in_touch(is_gossiping=True)
    lost = ada.handle(i.Write(garden, (said("lost on the way"),)), LATER_MS)
    assert any(isinstance(effect, e.Publish) for effect in lost)
    hinted = ada.handle(i.Write(garden, (said("arrives"),)), LATER_MS + 1_000)
    [hint] = [effect for effect in hinted if isinstance(effect, e.Publish)]
    ben.outbox.clear()
    heard = ben.handle(i.GossipReceived(hint.topic, hint.message, "ada"), LATER_MS + 1_000)
    assert e.Judge("ignore") in heard
    assert not any(isinstance(effect, e.Rejected) for effect in heard)
    assert len(heads_told(heard)) == 1


# --- where devices are


def test_members_learn_where_a_device_listens_and_readers_say_nothing() -> None:
    ada, ben, garden = parted()
    assert ada.handle(i.AddressesChanged(())) == []
    ada.handle(i.AddressesChanged((ADDRESS,)))
    sync(ada, ben, garden, SESSION + 1)
    learned = e.AddressLearned(garden, ada.device(garden), ada.peer_id, (ADDRESS,))
    assert learned in ben.told
    assert ben.machine.known_addresses() == [learned]
    assert ada.machine.known_addresses() == []
    reader = Computer("reader", "nobody")
    reader.machine.add_replica(garden, None)
    reader.handle(i.Wakeup())
    assert reader.handle(i.AddressesChanged((ADDRESS,))) == []


def test_a_new_address_is_told_to_who_is_in_touch() -> None:
    ada, _, _ = in_touch()
    effects = ada.handle(i.AddressesChanged((ADDRESS,)), LATER_MS)
    frames = [f.decode_frame(effect.frame) for effect in effects if isinstance(effect, e.SendFrame)]
    [told] = [frame for frame in frames if isinstance(frame, f.Addresses)]
    assert len(told.records) == 1


# --- who asks to be let in


def test_a_request_is_answered_on_its_link_and_nowhere_once_that_ended() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden", join=auth.JOIN_REQUEST)
    nia = Computer("nia", "nia")
    keys = nia.keys(garden)
    asked = i.JoinStarted(
        SESSION, ana.peer_id, garden, b"", keys.signer, keys.prekey, nia.entropy, "Nia", "hello"
    )
    Cable(nia, ana, SESSION).carry(asked, i.JoinAsked(SESSION, nia.peer_id))
    [answer] = ana.handle(i.RequestAnswered(SESSION, "pending"))
    assert isinstance(answer, e.SendFrame)
    assert isinstance(join_frames.decode_join_frame(answer.frame), join_frames.Pending)
    ana.handle(i.PeerLeft(SESSION))
    assert ana.handle(i.RequestAnswered(SESSION, "pending")) == []


def test_who_is_put_out_is_parted_from_in_the_same_input() -> None:
    ada, ben, garden = in_touch()
    root = ada.membership(garden).member_of(ben.device(garden))
    assert root is not None
    removal = i.Draft(auth.REVOKE, b"", auth.revoke_payload(root))
    effects = ada.handle(i.Write(garden, (removal,)), LATER_MS)
    assert e.Parted(SESSION, ben.peer_id, garden) in effects
    assert ada.machine.peers_of(garden) == []


def test_a_restart_that_finds_only_what_still_waits_stores_nothing() -> None:
    ana = founded()
    joined(ana, "ben")
    unheard = Reference(key_named("cia device").public, CONTENT, 0, bytes(32))
    log = Chain(key_named("ben device"), ana.community)
    log.say("an answer", parents=sorted([*frontier_of(ana), unheard]))
    ana.take(log.run())
    ana.runs()
    machine = Machine(open_past=ana.store.past, random_bytes=bytes, peer_id="peer")
    machine.add_replica(ana.community, ana.signer)
    effects = machine.handle(i.Wakeup(), NOW_MS)
    assert not any(isinstance(effect, e.Store | e.Changed) for effect in effects)
    assert machine.replica(ana.community).missing() == [unheard]


def test_links_are_judged_anew_when_authority_grows_and_not_by_what_people_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, _, garden = in_touch()
    judged: list[int] = []
    review = SyncSession.review

    def counted(session: SyncSession, now_ms: int) -> list[e.Effect]:
        judged.append(now_ms)
        return review(session, now_ms)

    monkeypatch.setattr(SyncSession, "review", counted)
    ada.handle(i.Write(garden, (said("hello"),)), LATER_MS)
    assert judged == []
    ada.handle(i.Write(garden, (i.Draft(auth.AUTH_SEEN, b"", b""),)), LATER_MS)
    assert judged == [LATER_MS]


# --- what documents and files want


def frames_sent(effects: list[e.Effect]) -> list[f.Frame]:
    return [f.decode_frame(told.frame) for told in effects if isinstance(told, e.SendFrame)]


def test_an_update_that_a_document_waits_for_is_asked_for_by_its_id_at_once() -> None:
    ada, _, garden = in_touch()
    awaited = i.UpdatesAwaited(garden, b"d" * 16, (b"i" * 32,))
    [asked] = [f for f in frames_sent(ada.handle(awaited, LATER_MS)) if hasattr(f, "op_ids")]
    assert asked == f.UpdatesSought(b"d" * 16, [b"i" * 32])
    assert frames_sent(ada.handle(awaited, LATER_MS)) == []


def test_what_a_document_shows_is_told_at_once_to_who_is_in_touch() -> None:
    ada, _, garden = in_touch()
    shown = i.ShownDocument(b"d" * 16, bytes(16), bytes(32))
    told = frames_sent(ada.handle(i.DocumentsShown(garden, (shown,)), LATER_MS))
    assert any(isinstance(frame, f.Digests) for frame in told)


def test_chunks_are_asked_of_who_is_in_touch_and_an_answer_comes_back() -> None:
    ada, ben, garden = in_touch()
    sealed = b"sealed"
    effects = ada.handle(i.Fetch(garden, (chunk_hash(sealed),)), LATER_MS)
    [asked] = [told for told in effects if isinstance(told, e.SendFrame)]
    heard = ben.handle(i.FrameReceived(SESSION, asked.frame), LATER_MS)
    [wanted] = [told for told in heard if isinstance(told, e.ChunkAsked)]
    assert wanted.chunk == chunk_hash(sealed)
    answers = ben.handle(i.ChunkRead(SESSION, sealed), LATER_MS)
    assert [told for told in answers if isinstance(told, e.SendFrame)]
    assert ben.handle(i.ChunkRead(SESSION + 5, sealed), LATER_MS) == []
