"""What the machines of one world need not each find out: that a signature is right.

Every machine checks every signature, and half a dozen do it in one process. Whether one is right
depends on nothing but the bytes, so in a world the library is asked once for each. All rules before
that, of the form of keys and signatures, are asked every time; a wrong one is found wrong anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nacl import bindings


@contextmanager
def signatures_checked_once() -> Iterator[None]:
    """Let the library check the same bytes under the same key only once while this lasts."""
    check = bindings.crypto_sign_open
    right: set[tuple[bytes, bytes]] = set()

    def check_once(signed: bytes, pk: bytes) -> bytes:
        if (signed, pk) not in right:
            check(signed, pk)
            right.add((signed, pk))
        return signed[bindings.crypto_sign_BYTES :]

    bindings.crypto_sign_open = check_once
    try:
        yield
    finally:
        bindings.crypto_sign_open = check
