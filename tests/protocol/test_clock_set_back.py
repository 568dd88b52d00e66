"""A clock that is set back puts nothing off: what was due stays as far ahead as it was."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import effects as e
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol.kinds.chat import encode_chat_message
from p2pvalue_protocol.machine import CONFIRM_AFTER_MS, SEAL_AFTER_MS
from tests.protocol.authoring import SECRET
from tests.protocol.desk import CHAT, NOW_MS, Cable, Computer, join

SESSION = 9
BACK_MS = 86_400_000
LATER_MS = NOW_MS + 5_000
THEN_MS = LATER_MS + 1 - BACK_MS  # a millisecond later, by the clock that was set back


def in_touch(*, is_gossiping: bool = False) -> tuple[Computer, bytes]:
    """Ada with a link to Ben that is ready and quiet."""
    ada = Computer("ada", "ada", is_gossiping=is_gossiping)
    ben = Computer("ben", "ben", is_gossiping=is_gossiping)
    garden = ada.found("garden")
    ada.invite(garden)
    join(ben, ada, garden, 1)
    Cable(ada, ben, SESSION).carry(
        i.PeerJoined(SESSION, ben.peer_id, True, garden),
        i.PeerJoined(SESSION, ada.peer_id, False, None),
    )
    ada.handle(i.Wakeup(), LATER_MS)
    return ada, garden


def heads_told(effects: list[e.Effect]) -> int:
    frames = [f.decode_frame(effect.frame) for effect in effects if isinstance(effect, e.SendFrame)]
    return sum(isinstance(frame, f.Heads) for frame in frames)


def ends(effects: list[e.Effect]) -> bool:
    return any(isinstance(effect, e.CloseSession) for effect in effects)


def write(garden: bytes) -> i.Write:
    return i.Write(garden, (i.Draft(CHAT, b"", encode_chat_message("news")),))


def test_copies_are_compared_as_soon_as_they_would_have_been() -> None:
    ada, _ = in_touch()
    due_ms = ada.machine.next_wakeup_ms()
    assert due_ms is not None
    assert LATER_MS < due_ms <= LATER_MS + limits.HEADS_EVERY_MS_MAX
    ada.handle(i.Wakeup(), LATER_MS - BACK_MS)
    assert ada.machine.next_wakeup_ms() == due_ms - BACK_MS
    assert heads_told(ada.handle(i.Wakeup(), due_ms - BACK_MS - 1)) == 0
    assert heads_told(ada.handle(i.Wakeup(), due_ms - BACK_MS)) == 1


def test_news_that_waited_is_told_fifty_milliseconds_after_the_last() -> None:
    ada, garden = in_touch()
    assert heads_told(ada.handle(write(garden), LATER_MS)) == 1
    assert heads_told(ada.handle(write(garden), LATER_MS + 1)) == 0
    ada.handle(i.Wakeup(), THEN_MS)
    assert heads_told(ada.handle(i.Wakeup(), THEN_MS + limits.TELL_MS_MIN - 2)) == 0
    assert heads_told(ada.handle(i.Wakeup(), THEN_MS + limits.TELL_MS_MIN - 1)) == 1


def test_a_hint_is_confirmed_after_half_a_second() -> None:
    ada, garden = in_touch(is_gossiping=True)
    ada.handle(write(garden), LATER_MS)
    assert heads_told(ada.handle(i.Wakeup(), THEN_MS)) == 0
    assert heads_told(ada.handle(i.Wakeup(), THEN_MS + CONFIRM_AFTER_MS)) == 1


def test_an_unsigned_head_is_signed_after_a_second() -> None:
    ada = Computer("ada", "ada")
    garden = ada.found("garden")
    ada.handle(i.Wakeup(), NOW_MS)
    ada.handle(write(garden), LATER_MS)
    ada.handle(i.Wakeup(), THEN_MS)
    assert not ada.committed[-1].signatures
    ada.handle(i.Wakeup(), THEN_MS + SEAL_AFTER_MS)
    assert ada.committed[-1].signatures


@pytest.mark.parametrize("what", ["a handshake", "a dialogue", "operations"])
def test_who_does_not_answer_is_left_after_ten_seconds(what: str) -> None:
    ada, garden = in_touch()
    if what == "a handshake":
        ada.handle(i.PeerJoined(2, "silent", True, garden), LATER_MS)
    elif what == "a dialogue":
        keys = ada.keys(bytes(32))
        ada.handle(
            i.JoinStarted(2, "silent", bytes(32), SECRET, keys.signer, keys.prekey, ada.entropy),
            LATER_MS,
        )
    else:
        claimed = f.HeadEntry(ada.device(garden), 1, 99, bytes(32))
        told = f.encode_frame(f.Heads(b"", 0, [claimed]))
        ada.handle(i.FrameReceived(SESSION, told), LATER_MS)
    ada.handle(i.Wakeup(), THEN_MS)
    assert not ends(ada.handle(i.Wakeup(), THEN_MS + limits.REPLY_MS_MAX - 2))
    assert ends(ada.handle(i.Wakeup(), THEN_MS + limits.REPLY_MS_MAX))
