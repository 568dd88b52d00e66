"""Numbers that the pages state in words beside their rules: another value is another protocol.

The limits have a page of their own, and `test_limits` reads it.
"""

from __future__ import annotations

from enum import EnumMeta
from importlib import import_module

import pytest

from p2pvalue_protocol.kinds.ranking import Ranking, Weights

SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

NUMBERS = {
    # epochs
    "rotation.EPOCH_AGE_MS_MAX": 7 * DAY,
    "rotation.EPOCHS_APART_MS_MIN": HOUR,
    "rotation.FIRST_EPOCH_WAIT_MS": HOUR // 6,
    "rotation.PREKEY_AGE_MS_MAX": 30 * DAY,
    "rotation._JITTER_MS": {1: (0, 30 * SECOND), 2: (30 * SECOND, 300 * SECOND)},
    "prekeys.PREKEYS_KEPT": 3,
    "sealing.SEAL_BYTES": 80,
    "sealing.PLAINTEXT_BYTES_MAX": 65_495,
    "kinds.epoch.SEALS_PER_PART": 640,
    "kinds.epoch.PARTS_MAX": 128,
    "kinds.epoch.AUDIENCE_MAX": 256,
    "kinds.epoch.WRAPS_MAX": 8,
    # forks
    "fork_watch._WAIT_MS_MAX": (5 * SECOND, 15 * SECOND, 30 * SECOND),
    # membership
    "acts._KINDS_OF_GUESTS": {35, 36, 38, 42, 45, 47, 64, 66},
    "acts._KINDS_OF_ADMINS": {49, 50},
    "auth_payloads.AUTH_KINDS": set(range(11)),
    "auth_payloads.WRITE_DEFAULT": ((46, 1),),
    "admission._DAY_MS": DAY,
    # operations
    "operation.KIND_AUTH_MAX": 31,
    "operation.CLEAR_KINDS": {*range(32), 47, 48, 64, 66},
    # sync, gossip
    "frames.BUCKETS": 256,
    "frames.SUM_BYTES": 8,
    "frames.FINGERPRINT_BYTES": 16,
    "frames.TAG_BYTES": 16,
    "envelope.ENVELOPE_BYTES": 40,
    # what people pass on
    "invitation.ADDRESSES_MAX": 16,
    "device_code.ADDRESSES_MAX": 4,
    "link_text.ADDRESS_BYTES_MAX": 256,
    "link_text.CHARACTERS_MAX": 8_192,
    "link_frames.LinkRefusal": [1, 2, 3, 4, 5],
    "join_frames.Refusal": [1, 2, 3, 4, 5, 6, 7, 8],
    # kinds
    "kinds.SEEN": 66,
    "chunks.SEALED_BYTES_MAX": 65_552,
    "kinds.blob.NAME_BYTES_MAX": 255,
    "kinds.blob.KEY_BYTES": 32,
    "kinds.card.NAME_BYTES_MAX": 200,
    "kinds.card.DESCRIPTION_BYTES_MAX": 4_096,
    "kinds.chat.TEXT_BYTES_MAX": 16_384,
    "kinds.close.NAME_BYTES": 16,
    "kinds.close.NAMES_MAX": 3_500,
    "kinds.contribution.TITLE_BYTES_MAX": 300,
    "kinds.contribution.MINUTES_MAX": 10_000_000,
    "kinds.contribution.QUANTITY_MAX": 10**12,
    "kinds.contribution.UNIT_BYTES_MAX": 32,
    "kinds.contribution.WITNESSES_MAX": 64,
    "kinds.document.TITLE_BYTES_MAX": 300,
    "kinds.document.HEADS_MAX": 64,
    "kinds.document.UPDATE_BYTES_MAX": 62_000,
    "kinds.need.TITLE_BYTES_MAX": 300,
    "kinds.need.BODY_BYTES_MAX": 16_384,
    "kinds.need.UNIT_BYTES_MAX": 32,
    "kinds.need.LINES_MAX": 16,
    "kinds.need.QUANTITY_MAX": 10**12,
    "kinds.need.RANK_MAY_EDIT_MAX": 1,
    "kinds.need.ESTIMATE_MAX": 10_000_000,
    "kinds.need.NAMED_MAX": 16,
    "kinds.need.SKILL_BYTES_MAX": 100,
    "kinds.need.ACCEPTANCE_BYTES_MAX": 4_000,
    "kinds.need.GIVES_BACK_BYTES_MAX": 1_000,
    "kinds.need.TERMS_MAX": 32,
    "kinds.notice.TEXT_BYTES_MAX": 1_024,
    "kinds.pledge.LINE_MAX": 15,
    "kinds.pledge.QUANTITY_MAX": 10**12,
    "kinds.pledge.PLACE_BYTES_MAX": 200,
    "kinds.pledge.CONDITIONS_MAX": 3,
    "kinds.pledge.OTHERS_MAX": 1_000_000,
    "kinds.pledge.REASON_BYTES_MAX": 1_000,
    "kinds.profile.NAME_BYTES_MAX": 200,
    "kinds.profile.TAGS_MAX": 32,
    "kinds.profile.TAG_BYTES_MAX": 100,
    "kinds.profile.HOURS_PER_WEEK_MAX": 168,
    "kinds.project.TITLE_BYTES_MAX": 300,
    "kinds.project.BODY_BYTES_MAX": 16_384,
    "kinds.project.PLACE_BYTES_MAX": 300,
    "kinds.project.ALSO_MAX": 8,
    "kinds.project.RANK_MAY_EDIT_MAX": 1,
    "kinds.ranking.WEIGHT_MAX": 1_000,
    "kinds.ranking.FLOOR_MAX": 20,
    "kinds.ranking.RANK_MAY_RANK_MAX": 1,
    "kinds.thanks.TEXT_BYTES_MAX": 500,
    # what becomes of needs, and their order
    "kinds.ranking.DEFAULT": Ranking(
        Weights(voices=400, hours=150, closeness=150, urgency=150, age=150), floor=2
    ),
    "needs.closing.PEERS_MAY_CLOSE_MS": 30 * DAY,
    "needs.closing.CLOSES_OF_ONE_MAX": 4,
    "needs.closing._PEERS_NEEDED": 2,
    "needs.outcome.EXPIRY_MS": 180 * DAY,
    "needs.parts.AGE_FULL_MS": 180 * DAY,
    "needs.parts.CLOSENESS_HALF_MINUTES": 240,
    "needs.parts.CREDIT_SHARE": 10,
    "needs.parts.DAY_MS": DAY,
    "needs.parts.MINUTES_PER_MEMBER_MAX": 480,
    "needs.parts.OFFER_MS_MAX": 90 * DAY,
    "needs.parts.PLEDGERS_MAX": 32,
    "needs.parts.QUADRATIC_HALF_MINUTES": 3_000,
    "needs.parts.URGENCY_HALF_MS": 7 * DAY,
    "needs.parts.VOICES_HALF": 10,
    "needs.ranking.CARE_CLASSES": {"care", "maintain"},
    "needs.ranking.FIRST_PLACES": 10,
    "needs.ranking.WAITS_LONG_MS": 90 * DAY,
}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_of_the_pages_is_as_agreed(name: str) -> None:
    module, _, constant = name.rpartition(".")
    found = getattr(import_module(f"p2pvalue_protocol.{module}"), constant)
    assert ([*found] if isinstance(found, EnumMeta) else found) == NUMBERS[name]
