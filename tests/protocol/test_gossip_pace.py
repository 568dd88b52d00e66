"""Who writes much in a moment tells it in few messages; who writes now and then, at once."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import effects as e
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds.chat import encode_chat_message
from p2pvalue_protocol.limits import GOSSIP_EVERY_MS
from tests.protocol.desk import CHAT, NOW_MS, Cable, Computer, join

LATER_MS = NOW_MS + 60_000
SESSION = 9


class Pair:
    """Ada, who writes, and Ben, who is in touch with her and hears her messages."""

    def __init__(self) -> None:
        self.ada = Computer("ada", "ada", is_gossiping=True)
        self.ben = Computer("ben", "ben", is_gossiping=True)
        self.community = self.ada.found("garden")
        self.ada.invite(self.community)
        join(self.ben, self.ada, self.community, 1)
        Cable(self.ada, self.ben, SESSION).carry(
            i.PeerJoined(SESSION, self.ben.peer_id, True, self.community),
            i.PeerJoined(SESSION, self.ada.peer_id, False, None),
        )
        self.ada.handle(i.Wakeup(), LATER_MS - 1)

    def say(self, now_ms: int) -> list[e.Publish]:
        return self.write(Draft(CHAT, b"", encode_chat_message(f"at {now_ms}")), now_ms)

    def write(self, draft: Draft, now_ms: int) -> list[e.Publish]:
        return self.told(i.Write(self.community, (draft,)), now_ms)

    def told(self, given: i.Input, now_ms: int) -> list[e.Publish]:
        return [f for f in self.ada.handle(given, now_ms) if isinstance(f, e.Publish)]

    def hear(self, messages: list[e.Publish]) -> None:
        for told in messages:
            heard = self.ben.handle(i.GossipReceived(told.topic, told.message, "ada"), LATER_MS)
            assert e.Judge("accept") in heard

    def are_equal(self) -> bool:
        return self.ada.digest(self.community) == self.ben.digest(self.community)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_what_is_written_in_a_moment_goes_into_one_message(pair: Pair) -> None:
    [first] = pair.say(LATER_MS)
    assert [pair.say(LATER_MS + after) for after in (0, 1, GOSSIP_EVERY_MS - 1)] == [[]] * 3
    assert pair.ada.machine.next_wakeup_ms() == LATER_MS + GOSSIP_EVERY_MS
    assert pair.told(i.Wakeup(), LATER_MS + GOSSIP_EVERY_MS - 1) == []
    [rest] = pair.told(i.Wakeup(), LATER_MS + GOSSIP_EVERY_MS)
    pair.hear([first, rest])
    assert pair.are_equal()
    assert pair.told(i.Wakeup(), LATER_MS + 2 * GOSSIP_EVERY_MS) == []


def test_who_writes_now_and_then_is_not_kept_waiting(pair: Pair) -> None:
    for after in range(3):
        pair.hear(pair.say(LATER_MS + after * GOSSIP_EVERY_MS))
        assert pair.are_equal()


def test_what_waits_goes_along_with_what_is_written_when_its_time_has_come(pair: Pair) -> None:
    told = pair.say(LATER_MS) + pair.say(LATER_MS + 1) + pair.say(LATER_MS + 30)
    assert len(told) == 2
    pair.hear(told)
    assert pair.are_equal()
    assert pair.told(i.Wakeup(), LATER_MS + 60) == []


def test_who_is_let_in_or_put_out_is_told_at_once(pair: Pair) -> None:
    pair.say(LATER_MS)
    assert pair.say(LATER_MS + 1) == []
    told = pair.write(Draft(auth.AUTH_SEEN, b"", b""), LATER_MS + 2)
    assert len(told) == 1


def test_who_let_somebody_in_may_speak_at_once(pair: Pair) -> None:
    assert len(pair.write(Draft(auth.AUTH_SEEN, b"", b""), LATER_MS)) == 1
    assert len(pair.say(LATER_MS + 1)) == 1


def test_a_clock_that_jumps_back_keeps_nobody_waiting(pair: Pair) -> None:
    pair.say(LATER_MS)
    assert pair.say(LATER_MS + 1) == []
    back_ms = LATER_MS - 86_400_000
    assert pair.say(back_ms) == []
    assert len(pair.say(back_ms + GOSSIP_EVERY_MS)) == 1


def test_what_the_disk_did_not_take_is_not_told(pair: Pair) -> None:
    pair.say(LATER_MS)
    written = Draft(CHAT, b"", encode_chat_message("lost"))
    pair.ada.machine.handle(i.Write(pair.community, (written,)), LATER_MS + 1)  # never committed
    pair.ada.machine.reload(pair.community)
    assert pair.told(i.Wakeup(), LATER_MS + GOSSIP_EVERY_MS) == []


def test_of_what_is_written_together_all_is_told_when_its_time_has_come(pair: Pair) -> None:
    [first] = pair.say(LATER_MS)
    drafts = tuple(Draft(CHAT, b"", encode_chat_message(text)) for text in ("one", "two"))
    assert pair.told(i.Write(pair.community, drafts), LATER_MS + 3) == []
    pair.hear([first, *pair.told(i.Wakeup(), LATER_MS + GOSSIP_EVERY_MS)])
    assert pair.are_equal()


@pytest.mark.parametrize("after", [0, 1, 2, 8, 10])
def test_what_waits_is_due_ten_milliseconds_after_what_was_told(pair: Pair, after: int) -> None:
    pair.say(LATER_MS + after)
    pair.say(LATER_MS + after)
    assert pair.ada.machine.next_wakeup_ms() == LATER_MS + after + GOSSIP_EVERY_MS
