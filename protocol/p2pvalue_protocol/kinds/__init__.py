"""The kinds of content that this version understands, one module each.

Unknown kinds are stored and relayed, never applied. A kind is added by a module and a line in
`KINDS`; tests then ask for its spec page and its vectors.
"""

from __future__ import annotations

from typing import Final

import msgspec

from p2pvalue_protocol.kind import EntryKind, Kind
from p2pvalue_protocol.kinds import (
    blob,
    card,
    chat,
    close,
    contribution,
    document,
    interest,
    need,
    notice,
    pledge,
    prekey,
    profile,
    project,
    ranking,
    thanks,
)

SEEN: Final = 66
"""Content that says only what its author has seen: parents, no payload, no state."""

KINDS: Final[tuple[Kind, ...]] = (
    document.DOCUMENT,
    document.DOCUMENT_UPDATE,
    project.PROJECT,
    chat.CHAT,
    need.NEED,
    pledge.PLEDGE,
    close.CLOSE,
    profile.PROFILE,
    card.CARD,
    notice.NOTICE,
    prekey.PREKEY,
    blob.BLOB,
    contribution.CONTRIBUTION,
    thanks.THANKS,
    interest.INTEREST,
    ranking.RANKING,
)

_by_number: Final[dict[int, Kind]] = {kind.number: kind for kind in KINDS}

_state_decoders: Final[dict[int, msgspec.msgpack.Decoder[msgspec.Struct]]] = {
    document.NUMBER: msgspec.msgpack.Decoder(document.DocumentState),
    need.NUMBER: msgspec.msgpack.Decoder(need.NeedState),
    profile.NUMBER: msgspec.msgpack.Decoder(profile.ProfileState),
    card.NUMBER: msgspec.msgpack.Decoder(card.CardState),
    notice.NUMBER: msgspec.msgpack.Decoder(notice.NoticeState),
    prekey.NUMBER: msgspec.msgpack.Decoder(prekey.PrekeysState),
    blob.NUMBER: msgspec.msgpack.Decoder(blob.BlobState),
    project.NUMBER: msgspec.msgpack.Decoder(project.ProjectState),
    contribution.NUMBER: msgspec.msgpack.Decoder(contribution.ContributionState),
    thanks.NUMBER: msgspec.msgpack.Decoder(thanks.ThanksState),
    interest.NUMBER: msgspec.msgpack.Decoder(interest.InterestState),
    ranking.NUMBER: msgspec.msgpack.Decoder(ranking.RankingState),
}


def kind_of(number: int) -> Kind | None:
    """Return the kind with this number, or None if this version does not apply it."""
    return _by_number.get(number)


def keeps_hidden(number: int) -> bool:
    """Return whether operations of a kind stay in their list, marked, when they count no more."""
    kind = _by_number.get(number)
    return isinstance(kind, EntryKind) and kind.keeps_hidden


def decode_state(number: int, data: bytes) -> msgspec.Struct:
    """Return a folded state of a state kind from the bytes that `encode` made of it."""
    return _state_decoders[number].decode(data)
