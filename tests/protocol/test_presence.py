"""Presence is heard of members' devices, signed, new, and not too often; nothing else is."""

from __future__ import annotations

import random

import pytest

from p2pvalue_protocol import limits
from p2pvalue_protocol.envelope import ENVELOPE_BYTES
from p2pvalue_protocol.errors import LocalProtocolError, Reason
from p2pvalue_protocol.presence import (
    CLIENT_MAX,
    Presence,
    PresenceEar,
    PresenceHeard,
    PresenceVoice,
    check_room,
    live_topic_name,
    sign_presence,
)
from p2pvalue_protocol.topics import Topic
from tests.protocol.authoring import key_named

NOW_MS = 1_800_000_000_000
COMMUNITY, DOCUMENT, SECRET = b"c" * 32, b"d" * 16, b"s" * 32
ADA, BEN, SAM = (key_named(f"{name} device") for name in ("ada", "ben", "sam"))
IGNORED = PresenceHeard("ignore")


def topic_of(document: bytes = DOCUMENT, secret: bytes = SECRET) -> Topic:
    return Topic(live_topic_name(secret, document), COMMUNITY, secret, is_sealed=True)


TOPIC = topic_of()


def presence(time_ms: int = NOW_MS, state: bytes = b"{}", device: bytes = ADA.public) -> Presence:
    return Presence(device, DOCUMENT, 7, time_ms, state)


def message(said: Presence, signer=ADA, community=COMMUNITY, topic: Topic = TOPIC) -> bytes:  # type: ignore[no-untyped-def]  # what the tests vary
    return topic.seal(sign_presence(signer, community, said), random.Random(1).randbytes)


class Ear:
    """Somebody of the community of Ada and Ben who has the document open."""

    def __init__(self) -> None:
        self._ear = PresenceEar()

    def hears(
        self, message: bytes, now_ms: int = NOW_MS, document: bytes = DOCUMENT
    ) -> PresenceHeard:
        live, topic = {ADA.public, BEN.public}, topic_of(document)
        return self._ear.hear(topic, document, message, is_live=live.__contains__, now_ms=now_ms)


def rejected(reason: Reason) -> PresenceHeard:
    return PresenceHeard("reject", reason)


def test_what_a_member_s_device_says_is_heard() -> None:
    said = presence()
    assert Ear().hears(message(said)) == PresenceHeard("accept", None, said)


def test_the_longest_that_may_be_said_fits_a_message() -> None:
    state = bytes(limits.PRESENCE_STATE_BYTES_MAX)
    said = Presence(ADA.public, DOCUMENT, CLIENT_MAX, NOW_MS, state)
    whole = message(said)
    assert len(whole) <= limits.PRESENCE_BYTES_MAX
    assert Ear().hears(whole).verdict == "accept"


def test_a_forged_one_blames_who_sent_it_and_keeps_no_place() -> None:
    ear = Ear()
    for forged in (
        message(presence(), signer=BEN),
        message(presence(), community=b"e" * 32),
    ):
        assert ear.hears(forged) == rejected(Reason.SIGNATURE_INVALID)
    assert ear.hears(message(presence())).verdict == "accept", "the real one is not in its shadow"


def test_forged_ones_use_up_nothing_of_whom_they_name() -> None:
    ear = Ear()
    for _ in range(limits.PRESENCE_BURST_MAX - 1):
        ear.hears(message(presence(), signer=BEN))
    assert ear.hears(message(presence())).verdict == "accept"


def test_what_is_not_sealed_for_the_topic_is_rejected() -> None:
    for other in (topic_of(document=b"e" * 16), topic_of(secret=b"t" * 32)):
        assert Ear().hears(message(presence(), topic=other)) == rejected(Reason.ENVELOPE_INVALID)


def test_presence_at_another_document_is_rejected() -> None:
    elsewhere = Presence(ADA.public, b"e" * 16, 7, NOW_MS, b"")
    assert Ear().hears(message(elsewhere)) == rejected(Reason.FRAME_INVALID)


def test_an_oversize_one_is_rejected_unread() -> None:
    assert Ear().hears(bytes(limits.PRESENCE_BYTES_MAX + 1)) == rejected(Reason.TOO_LONG)
    assert Ear().hears(bytes(limits.PRESENCE_BYTES_MAX)) == rejected(Reason.ENVELOPE_INVALID)


def test_a_state_that_is_too_long_is_rejected() -> None:
    said = presence(state=bytes(limits.PRESENCE_STATE_BYTES_MAX + 1))
    assert Ear().hears(message(said)) == rejected(Reason.NOT_CANONICAL)


@pytest.mark.parametrize("data", [b"", b"x" * 64, b"\x95" + bytes(200)])
def test_what_is_no_presence_is_rejected(data: bytes) -> None:
    sealed = TOPIC.seal(data, random.Random(1).randbytes)
    assert len(sealed) == len(data) + ENVELOPE_BYTES
    assert Ear().hears(sealed) == rejected(Reason.NOT_CANONICAL)


def test_nobody_hears_who_is_no_member() -> None:
    assert Ear().hears(message(presence(device=SAM.public), signer=SAM)) == IGNORED


def test_what_is_not_newer_is_ignored() -> None:
    ear = Ear()
    ear.hears(message(presence(NOW_MS + 1)))
    for replayed in (presence(NOW_MS + 1), presence(NOW_MS), presence(NOW_MS + 1, b"other")):
        assert ear.hears(message(replayed)) == IGNORED
    assert ear.hears(message(presence(NOW_MS + 2))).verdict == "accept"


def test_each_device_has_a_time_of_its_own() -> None:
    ear = Ear()
    ear.hears(message(presence(NOW_MS + 1)))
    bens = presence(NOW_MS, device=BEN.public)
    assert ear.hears(message(bens, signer=BEN)).verdict == "accept"


def test_each_document_has_a_time_of_its_own() -> None:
    ear, other = Ear(), b"o" * 16
    ear.hears(message(presence(NOW_MS + 1)))
    elsewhere = Presence(ADA.public, other, 7, NOW_MS, b"{}")
    heard = ear.hears(message(elsewhere, topic=topic_of(other)), document=other)
    assert heard.verdict == "accept"


def test_what_is_old_or_far_ahead_is_ignored() -> None:
    for distance_ms in (limits.PRESENCE_AGE_MS_MAX, -limits.PRESENCE_AGE_MS_MAX):
        beyond_ms = distance_ms + (1 if distance_ms > 0 else -1)
        assert Ear().hears(message(presence(NOW_MS + beyond_ms))) == IGNORED
        assert Ear().hears(message(presence(NOW_MS + distance_ms))).verdict == "accept"


def test_a_device_is_heard_so_often_and_no_more() -> None:
    ear = Ear()
    verdicts = [ear.hears(message(presence(NOW_MS + n))).verdict for n in range(30)]
    assert verdicts == ["accept"] * limits.PRESENCE_BURST_MAX + ["ignore"] * 10
    later_ms = NOW_MS + limits.PRESENCE_EVERY_MS
    verdicts = [ear.hears(message(presence(later_ms + n)), later_ms).verdict for n in range(2)]
    assert verdicts == ["accept", "ignore"]
    bens = presence(device=BEN.public)
    assert ear.hears(message(bens, signer=BEN), later_ms).verdict == "accept", "others have theirs"


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    ear = Ear()
    for n in range(limits.PRESENCE_BURST_MAX):
        ear.hears(message(presence(NOW_MS - 10_000 + n)))
    assert ear.hears(message(presence(NOW_MS)), NOW_MS - 10_000).verdict == "accept"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PRESENCE_DEVICES_MAX", 1)
    ear = Ear()
    ada, ben = message(presence()), message(presence(device=BEN.public), signer=BEN)
    assert [ear.hears(m).verdict for m in (ada, ada, ben, ada)] == [
        "accept",
        "ignore",
        "accept",
        "accept",  # forgotten meanwhile
    ]


def test_so_many_documents_are_heard_at_once() -> None:
    check_room(limits.LIVE_DOCUMENTS_MAX - 1)
    with pytest.raises(LocalProtocolError, match="32 documents are open"):
        check_room(limits.LIVE_DOCUMENTS_MAX)
    with pytest.raises(LocalProtocolError, match="32 documents are open"):
        check_room(limits.LIVE_DOCUMENTS_MAX + 1)


# --- what we say


def test_of_what_an_editor_says_quickly_the_newest_is_told() -> None:
    voice = PresenceVoice()
    for state in (b"1", b"2", b"3"):
        voice.tell(DOCUMENT, 7, state)
    assert voice.next(ADA.public, NOW_MS) == presence(NOW_MS, b"3")
    assert voice.due_ms is None
    assert voice.next(ADA.public, NOW_MS + 1_000) is None


def test_we_speak_so_often_and_no_more_each_editor_in_turn() -> None:
    voice = PresenceVoice()
    for client in (1, 2):
        voice.tell(DOCUMENT, client, b"")
    first = voice.next(ADA.public, NOW_MS)
    assert voice.next(ADA.public, NOW_MS + limits.PRESENCE_EVERY_MS - 1) is None
    assert voice.due_ms == NOW_MS + limits.PRESENCE_EVERY_MS
    voice.tell(DOCUMENT, 1, b"again")
    second = voice.next(ADA.public, NOW_MS + limits.PRESENCE_EVERY_MS)
    assert first is not None
    assert second is not None
    assert (first.client, second.client) == (1, 2)


def test_our_times_rise_whatever_the_clock_does() -> None:
    voice = PresenceVoice()
    times = []
    for now_ms in (NOW_MS, NOW_MS - 60_000):
        voice.tell(DOCUMENT, 1, b"")
        said = voice.next(ADA.public, now_ms)
        assert said is not None
        times.append(said.time_ms)
    assert times == [NOW_MS, NOW_MS + 1]


def test_what_nobody_would_hear_is_not_said() -> None:
    voice = PresenceVoice()
    with pytest.raises(LocalProtocolError, match="at most 800 bytes"):
        voice.tell(DOCUMENT, 1, bytes(limits.PRESENCE_STATE_BYTES_MAX + 1))
    for client in (-1, CLIENT_MAX + 1):
        with pytest.raises(LocalProtocolError, match="client id"):
            voice.tell(DOCUMENT, client, b"")
    assert voice.due_ms is None
