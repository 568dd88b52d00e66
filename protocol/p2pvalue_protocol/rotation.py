"""Making epochs: at once after a removal, after a while for others, and from time to time.

Whoever writes needs an epoch in whose past every removal is. The remover's node makes it with the
removal; should that not come, the others' nodes do, one after the other and the strong before the
weak, so that mostly one is made. Two at once do no harm: everybody takes the deeper, or of two
alike the one with the smaller id.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from p2pvalue_protocol.auth_payloads import ADMIN, AUTH_SEEN, MEMBER
from p2pvalue_protocol.dues import set_back
from p2pvalue_protocol.epochs import EVERYBODY
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.keys import exchange_key_of
from p2pvalue_protocol.kinds import epoch as kind
from p2pvalue_protocol.kinds import prekey
from p2pvalue_protocol.named import admissions_unheard_of
from p2pvalue_protocol.operation import read_core
from p2pvalue_protocol.sealing import (
    SALT_BYTES,
    SECRET_BYTES,
    commitment_of,
    seal_secret,
    wrap_secret,
)

if TYPE_CHECKING:
    from p2pvalue_protocol.replica import Replica

EPOCH_AGE_MS_MAX: Final = 7 * 24 * 3_600 * 1_000
PREKEY_AGE_MS_MAX: Final = 30 * 24 * 3_600 * 1_000
EPOCHS_APART_MS_MIN: Final = 3_600 * 1_000
"""Between two that one device makes without need."""

FIRST_EPOCH_WAIT_MS: Final = 10 * 60 * 1_000
"""How long the first epoch, which its founder made, may be under way before others make one."""

NAMING_WAIT_MS_MAX: Final = 10_000
"""How long a node waits for others to tell whom somebody let in who was put out."""

_JITTER_MS: Final = {ADMIN: (0, 30_000), MEMBER: (30_000, 300_000)}
"""How long a node waits for others, by the weakest rank that it is for."""


def epoch_drafts(replica: Replica, audience: tuple[bytes, ...] = EVERYBODY) -> list[Draft]:
    """Return the parts of a new epoch for whoever may read now; ~0.13 ms and 80 bytes per device.

    They must be written at once, after all auth operations held.
    """
    community, random_bytes = replica.community, replica.random_bytes
    secret = random_bytes(SECRET_BYTES)
    commitment = commitment_of(community, secret)
    replica.epochs.made(commitment, secret)
    seals = [
        seal_secret(community, commitment, to.device, to.prekey, secret, random_bytes(32))
        for to in replica.epochs.recipients(audience)
    ]
    wraps: list[kind.Wrap] = []
    for record, older in replica.epochs.unwrapped()[: kind.WRAPS_MAX]:
        salt = random_bytes(SALT_BYTES)
        wrapped = wrap_secret(community, secret, record.epoch, older, salt)
        wraps.append(kind.Wrap(record.epoch, salt, wrapped))
    wraps.sort(key=lambda wrap: wrap.epoch)
    starts = range(0, len(seals), kind.SEALS_PER_PART)
    payloads = [
        kind.encode_epoch(
            kind.Epoch(
                commitment,
                b"".join(seals[start : start + kind.SEALS_PER_PART]),
                part,
                len(starts),
                () if part else audience,
                () if part else tuple(wraps),
            )
        )
        for part, start in enumerate(starts)
    ]
    return [Draft(kind.NUMBER, b"", payload) for payload in payloads]


def may_make_epochs(replica: Replica) -> bool:
    """Return whether an epoch by our device would be valid."""
    if replica.device is None or not replica.epochs.is_sealed:
        return False
    standing = replica.membership.standing(replica.device)
    return standing is not None and standing.rank <= MEMBER


class Keeper:
    """When our node renews the keys of its communities unasked; moved by the virtual clock."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        """Wait `jitter` times the span that a rank has; it returns 0 to 1, another each time."""
        self._jitter = jitter
        self._seen: dict[bytes, tuple[int, int]] = {}  # community -> what dues were reckoned from
        self._epoch_due_ms: dict[bytes, int] = {}
        self._prekey_due_ms: dict[bytes, int] = {}
        self._naming_due_ms: dict[bytes, int] = {}

    def review(self, replica: Replica, now_ms: int) -> None:
        """Reckon anew when keys are due if epochs or authority changed; else costs 0.2 µs."""
        community = replica.community
        state = (len(replica.graph), replica.epochs.version)
        if self._seen.get(community) == state:
            return
        self._seen[community] = state
        self._review_epoch(replica, now_ms)
        self._review_prekey(replica)
        self._review_naming(replica, now_ms)

    def _review_epoch(self, replica: Replica, now_ms: int) -> None:
        community = replica.community
        if not may_make_epochs(replica):
            self._epoch_due_ms.pop(community, None)
            return
        usable = replica.epochs.usable()
        due_ms = self._epoch_due_ms.get(community)
        if not usable:
            from_ms = now_ms + (0 if replica.epochs.has_any else FIRST_EPOCH_WAIT_MS)
            if due_ms is None or due_ms > from_ms + self._span_ms(replica)[1]:
                self._epoch_due_ms[community] = from_ms + self._wait_ms(replica)
            return
        aged_ms = usable[0].time + EPOCH_AGE_MS_MAX
        own_ms = replica.epochs.newest_by(replica.device) + EPOCHS_APART_MS_MIN
        self._epoch_due_ms[community] = max(aged_ms, own_ms) + self._wait_ms(replica)

    def _span_ms(self, replica: Replica) -> tuple[int, int]:
        assert replica.device is not None
        standing = replica.membership.standing(replica.device)
        assert standing is not None
        return _JITTER_MS[max(standing.rank, ADMIN)]

    def _wait_ms(self, replica: Replica) -> int:
        first_ms, last_ms = self._span_ms(replica)
        return first_ms + int(self._jitter() * (last_ms - first_ms))

    def _review_prekey(self, replica: Replica) -> None:
        self._prekey_due_ms.pop(replica.community, None)
        device = replica.device
        if device is None or not replica.epochs.is_sealed or not replica.membership.is_live(device):
            return
        root = replica.membership.member_of(device)
        since_ms = replica.epochs.prekeys.time_ms(root) if root is not None else None
        if since_ms is None:
            first = replica.branches.row(replica.branches.of(device, AUTH)[0], 0)
            assert first is not None, "a live device has an auth log"
            since_ms = read_core(first.core).time
        self._prekey_due_ms[replica.community] = since_ms + PREKEY_AGE_MS_MAX

    def _review_naming(self, replica: Replica, now_ms: int) -> None:
        """Tell soon whom the removed let in by another's invite, unless somebody else does."""
        community, device = replica.community, replica.device
        is_in = device is not None and replica.membership.is_live(device)
        parts = (replica.membership, replica.branches, replica.graph, replica.auth_references)
        if not (is_in and admissions_unheard_of(*parts, device or b"")):
            self._naming_due_ms.pop(community, None)
        elif community not in self._naming_due_ms:
            self._naming_due_ms[community] = now_ms + int(self._jitter() * NAMING_WAIT_MS_MAX)

    def set_back(self, by_ms: int) -> None:
        """Put nothing off, now that our clock was set back by so much."""
        set_back(self._naming_due_ms, by_ms)
        self._seen.clear()  # keys are due by what was written when: that is reckoned anew

    def next_wakeup_ms(self) -> int | None:
        """Return when `keep` has something to do; None if nothing is due."""
        dues = self._epoch_due_ms, self._prekey_due_ms, self._naming_due_ms  # after every input
        return min([*dues[0].values(), *dues[1].values(), *dues[2].values()], default=None)

    def keep(self, replica: Replica, now_ms: int) -> None:
        """Renew what is due of one community."""
        community = replica.community
        self.review(replica, now_ms)
        if self._prekey_due_ms.get(community, now_ms + 1) <= now_ms:
            del self._prekey_due_ms[community]
            private = replica.random_bytes(32)
            payload = prekey.encode_prekey(exchange_key_of(private))
            with suppress(LocalProtocolError):  # forked, or put out: then nobody seals to us
                replica.write([Draft(prekey.NUMBER, b"", payload)], now_ms)
                replica.epochs.prekeys.add(private)
        if self._naming_due_ms.get(community, now_ms + 1) <= now_ms:
            del self._naming_due_ms[community]
            with suppress(LocalProtocolError):  # forked: somebody else will
                replica.write([Draft(AUTH_SEEN, b"", b"")], now_ms)
        if self._epoch_due_ms.get(community, now_ms + 1) <= now_ms:
            del self._epoch_due_ms[community]
            with suppress(LocalProtocolError):  # forked: somebody else will
                replica.renew(now_ms)
