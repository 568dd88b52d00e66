"""An update of a document that nobody lists is found by its id, and asked for by name."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits, removal
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import CONTENT, Reference, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.sought import Sought
from p2pvalue_protocol.update_requests import UpdateRequests
from tests.protocol.authoring import key_named
from tests.protocol.meeting import Community, Link, Node

MAL = key_named("mal device").public
MAL_ROOT = key_named("mal root").public
DOCUMENT, OTHER = b"d" * 16, b"e" * 16
ID = b"i" * 32


class Scene:
    """Mal is voted out. Ada holds an update that she wrote late, which Ben never got."""

    def __init__(self) -> None:
        self.community = Community("ada", "ben", "eve", "mal", read=auth.READ_PUBLIC)
        self.ada, self.ben, eve, mal = (
            self.community.node(n) for n in ("ada", "ben", "eve", "mal")
        )
        [made] = self.ben.write(Draft(document.NUMBER, b"", document.encode_document("Plan")))
        self.document = subject_of(made.op_id)
        for node in (self.ada, eve, mal):
            Link(node, self.ben).settle()
        for node in (self.ada, self.ben, eve):  # they keep what they know of her: nothing yet
            node.write(removal.vote_draft(node.replica, MAL_ROOT))
        payload = document.encode_document_update(b"\x00\x00", 0)
        [self.late] = mal.write(Draft(document.UPDATE_NUMBER, self.document, payload))
        Link(self.ada, mal).settle()
        Link(self.ben, eve).settle()
        Link(self.ada, self.ben).settle()
        assert self.ada.replica.held(self.late)
        assert not self.ben.replica.held(self.late)
        assert self.ben.replica.membership.is_gone(MAL)

    def seek(self, node: Node, *op_ids: bytes) -> bool:
        return node.replica.ladder.named.sought.seek(self.document, op_ids)


def questions(link: Link, side: int) -> list[f.UpdatesSought]:
    frames = map(f.decode_frame, link.sent[side])
    return [frame for frame in frames if isinstance(frame, f.UpdatesSought)]


def place(reference: Reference) -> f.UpdatePlace:
    return f.UpdatePlace(reference.device, reference.seq, reference.op_id)


def say(link: Link, side: int, frame: f.Frame) -> None:
    """Let one side say what it would not."""
    link.wires[side].append(f.encode_frame(frame))
    link.settle()


def test_a_hidden_update_is_found_by_its_id_and_fetched() -> None:
    scene = Scene()
    link = Link(scene.ben, scene.ada)
    link.settle()
    assert scene.seek(scene.ben, scene.late.op_id)
    link.now_ms += limits.TELL_MS_MIN
    link.poke(0)
    link.settle()
    assert not link.closed
    assert scene.ben.replica.held(scene.late)
    hidden = scene.ben.replica.branches.hidden_places(scene.document, document.UPDATE_NUMBER)
    assert hidden == [scene.late]
    assert scene.ben.heads() == scene.ada.heads(), "it is listed by nobody still"


def test_what_a_peer_has_not_is_asked_again_after_the_next_comparison_only() -> None:
    scene = Scene()
    scene.seek(scene.ben, ID)
    link = Link(scene.ben, scene.ada)
    link.wait(5_000)
    assert questions(link, 0) == [f.UpdatesSought(scene.document, [ID])]
    link.wait(limits.HEADS_EVERY_MS_MAX)
    assert len(questions(link, 0)) == 2
    assert not link.closed


def test_a_false_place_costs_a_question_and_hides_no_true_one() -> None:
    scene = Scene()
    scene.seek(scene.ben, scene.late.op_id)
    link = Link(scene.ben, scene.ada)
    while not questions(link, 0):
        link.deliver(1 if link.wires[1] else 0)
    link.wires[0].clear()
    far = Reference(MAL, CONTENT, 10_000, scene.late.op_id)
    say(link, 1, f.UpdatesFound([place(far)]))
    assert not link.closed
    assert far in scene.ben.replica.missing()
    assert not scene.ben.replica.held(scene.late)
    Link(scene.ben, scene.ada).settle()
    assert scene.ben.replica.held(scene.late)


def test_places_that_nobody_asked_for_end_the_session() -> None:
    scene = Scene()
    for sought in ((), (ID,)):
        scene.seek(scene.ben, *sought)
        link = Link(scene.ben, scene.ada)
        link.settle()
        say(link, 1, f.UpdatesFound([place(scene.late)]))
        assert link.closed == [("ben", Reason.UNASKED)]


def test_an_answer_is_about_what_was_asked() -> None:
    scene = Scene()
    scene.seek(scene.ben, ID)
    link = Link(scene.ben, scene.ada)
    while not questions(link, 0):
        link.deliver(1 if link.wires[1] else 0)
    link.wires[0].clear()
    say(link, 1, f.UpdatesFound([place(scene.late)]))
    assert link.closed == [("ben", Reason.UNASKED)]


def test_nobody_but_members_is_told_places() -> None:
    scene = Scene()
    reader = scene.community.node("sam")
    link = Link(reader, scene.ada)
    link.settle()
    link.sent[1].clear()
    say(link, 0, f.UpdatesSought(scene.document, [scene.late.op_id]))
    frames = [f.decode_frame(frame) for frame in link.sent[1]]
    assert [frame for frame in frames if isinstance(frame, f.UpdatesFound)] == [f.UpdatesFound([])]


def test_who_asks_for_more_and_more_is_told_nothing_more() -> None:
    scene = Scene()
    requests = UpdateRequests(scene.ada.replica)
    question = f.UpdatesSought(scene.document, [scene.late.op_id])
    found = f.UpdatesFound([place(scene.late)])
    answers = [requests.answer(question) for _ in range(limits.UPDATE_ANSWERS_MAX + 1)]
    assert answers == [found] * limits.UPDATE_ANSWERS_MAX + [f.UpdatesFound([])]
    requests.ask_again()
    assert requests.answer(question) == found


def test_a_question_is_of_one_document_and_few_are_asked_in_one_interval() -> None:
    scene = Scene()
    sought = scene.ben.replica.ladder.named.sought
    many = [n.to_bytes(32, "big") for n in range(limits.UPDATES_PER_FRAME_MAX + 1)]
    sought.seek(DOCUMENT, many)
    sought.seek(OTHER, [ID])
    requests = UpdateRequests(scene.ben.replica)
    asked: list[f.Frame] = []
    while frames := requests.next_frames():
        assert requests.next_frames() == [], "one after the other"
        asked += frames
        requests.take(f.UpdatesFound([]))
    assert asked == [
        f.UpdatesSought(DOCUMENT, many[:-1]),
        f.UpdatesSought(DOCUMENT, many[-1:]),
        f.UpdatesSought(OTHER, [ID]),
    ]
    for number in range(limits.UPDATE_QUESTIONS_MAX):
        sought.seek(bytes([number]) * 16, [bytes([number]) * 32])
    requests.ask_again()
    count = 0
    while requests.next_frames():
        requests.take(f.UpdatesFound([]))
        count += 1
    assert count == limits.UPDATE_QUESTIONS_MAX


# --- what is sought


def test_of_a_document_the_last_that_was_named_is_sought() -> None:
    sought = Sought()
    assert sought.seek(DOCUMENT, [ID, b"j" * 32])
    assert not sought.seek(DOCUMENT, [ID])
    assert sought.questions() == [(DOCUMENT, ID)]
    assert not sought.seek(DOCUMENT, [])
    assert sought.questions() == []


def test_what_is_sought_and_where_is_bounded() -> None:
    sought = Sought()
    many = [n.to_bytes(32, "big") for n in range(limits.UPDATES_SOUGHT_MAX + 1)]
    sought.seek(DOCUMENT, many)
    assert [op_id for _, op_id in sought.questions()] == many[1:]
    for seq in range(limits.UPDATE_PLACES_MAX + 1):
        sought.found(Reference(MAL, CONTENT, seq, many[-1]))
        sought.found(Reference(MAL, CONTENT, seq, ID))  # which nobody seeks
    assert sought.places() == {
        Reference(MAL, CONTENT, seq, many[-1]) for seq in range(limits.UPDATE_PLACES_MAX)
    }
    sought.seek(DOCUMENT, [])
    assert sought.places() == set()


@pytest.mark.parametrize(("seq", "is_reached"), [(6, True), (7, True), (8, False)])
def test_what_leads_to_a_place_is_taken_and_no_more(seq: int, is_reached: bool) -> None:
    sought = Sought()
    sought.seek(DOCUMENT, [ID])
    sought.found(Reference(MAL, CONTENT, 7, ID))
    assert sought.reaches(MAL, CONTENT, seq) is is_reached
    assert not sought.reaches(key_named("ada device").public, CONTENT, seq)


def test_who_seeks_more_than_an_interval_allows_goes_on_with_the_rest_in_the_next() -> None:
    scene = Scene()
    sought = scene.ben.replica.ladder.named.sought
    ids = [bytes([number]) * 32 for number in range(limits.UPDATE_QUESTIONS_MAX + 1)]
    for op_id in ids:  # one question for each document
        sought.seek(op_id[:16], [op_id])
    requests = UpdateRequests(scene.ben.replica)
    asked: list[bytes] = []

    def ask_all() -> None:
        while frames := requests.next_frames():
            for frame in frames:
                assert isinstance(frame, f.UpdatesSought)
                asked.extend(frame.op_ids)
            requests.take(f.UpdatesFound([]))

    ask_all()
    assert len(asked) == len(set(asked)) == limits.UPDATE_QUESTIONS_MAX
    requests.ask_again()
    ask_all()
    assert sorted(asked) == ids


def test_what_is_sought_and_found_is_kept_up_to_its_place() -> None:
    scene = Scene()
    named = scene.ben.replica.ladder.named
    scene.seek(scene.ben, scene.late.op_id)
    named.sought.found(scene.late)
    places = (scene.late.seq, scene.late.seq + 1)
    assert [named.is_kept(MAL, CONTENT, seq) for seq in places] == [True, False]
