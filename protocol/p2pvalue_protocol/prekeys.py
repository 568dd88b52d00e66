"""Our private keys to what others seal to us, and everybody's public ones (spec: epochs, "Seals").

A device begins with the key that its first auth operation names, and replaces it from time to time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from p2pvalue_protocol.keys import exchange_key_of
from p2pvalue_protocol.kinds import decode_state
from p2pvalue_protocol.kinds.prekey import NUMBER, DevicePrekey, PrekeysState, prekeys_subject
from p2pvalue_protocol.past import Batch, Past
from p2pvalue_protocol.sealing import unseal_secret

PREKEYS_KEPT: Final = 3
"""Private keys that still open seals: an EPOCH may be under way to one that was just replaced."""


class Prekeys:
    """The prekeys of one community's devices, and the private ones of ours."""

    def __init__(self, past: Past, *, device: bytes | None, private: bytes | None) -> None:
        """Read what is stored; `private` belongs to the prekey that our device began with."""
        self.device = device
        self._state = past.state
        self._own = past.prekeys()  # (public, private), the newest last
        if private is not None and not self._own:
            self._own = [(exchange_key_of(private), private)]
        self.is_changed = False

    def write_to(self, batch: Batch) -> None:
        """Add what this input changed to a batch."""
        if self.is_changed:
            batch.prekeys = list(self._own)
        self.is_changed = False

    def add(self, private: bytes) -> None:
        """Keep a private key whose public key stands in a PREKEY of ours that was just written."""
        self._own = [*self._own, (exchange_key_of(private), private)][-PREKEYS_KEPT:]
        self.is_changed = True

    def become(self, device: bytes, private: bytes) -> None:
        """Open as another device of ours from now on, which takes the place of the former."""
        self.device = device
        self._own = [(exchange_key_of(private), private)]
        self.is_changed = True

    def unseal(self, community: bytes, commitment: bytes, sealed: bytes) -> bytes | None:
        """Return the secret in a seal for our device; ~0.13 ms for each key that is tried."""
        assert self.device is not None, "who has no device is sealed nothing"
        for _, private in reversed(self._own):
            secret = unseal_secret(community, commitment, self.device, private, sealed)
            if secret is not None:
                return secret
        return None

    def newest(self, roots: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the newest key of each device of some members that has written a PREKEY."""
        return {kept.device: kept.key for root in roots for kept in self._of(root)}

    def time_ms(self, root: bytes) -> int | None:
        """Return when our device, which is this member's, wrote its newest PREKEY, if it did."""
        return next((kept.time for kept in self._of(root) if kept.device == self.device), None)

    def _of(self, root: bytes) -> tuple[DevicePrekey, ...]:
        row = self._state(prekeys_subject(root))
        if row is None or row.kind != NUMBER:
            return ()
        state = decode_state(row.kind, row.state)
        assert isinstance(state, PrekeysState)
        return state.devices
